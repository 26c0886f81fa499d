"""Couriers before real receivers that are down, refuse, are slow or hang: what is known of the letter afterwards."""

import smtplib

import pytest
from rigs.mailboxes import MailServer, WebAddress
from rigs.servers import free_port

from analytics.letters.apprise_courier import RobotCourier
from analytics.letters.courier import Post, UndeliveredError
from analytics.letters.couriers import read_couriers
from facility.errors import ConfigError

POST = Post(
    "29e20723-58f7-59b1-851d-f92f5f2eae0f", "kim@example.org", "URGENT: leak\nBcc: evil@example.org", "水 runs.\n"
)


@pytest.fixture(scope="module")
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def hook():
    with WebAddress() as address:
        yield address


def courier(url):
    return read_couriers(f"one={url}")["one"]


def failure(url, post=POST, **waits):
    made = courier(url)
    for name, seconds in waits.items():
        setattr(made._plugin, name, seconds)
    with pytest.raises(UndeliveredError) as failed:
        made.deliver(post)
    return str(failed.value), failed.value.may_have_arrived


def test_mail_keeps_its_id_and_a_subject_adds_no_header(mail):
    mail.letters.clear()
    sender = courier(mail.url)
    sender.deliver(POST)
    sender.deliver(POST)
    assert [to for to, _ in mail.letters] == [["kim@example.org"], ["kim@example.org"]]
    letters = [letter for _, letter in mail.letters]
    assert {letter["Message-ID"] for letter in letters} == {f"<{POST.id}@example.org>"}
    assert letters[0].get_all("Message-ID") == [f"<{POST.id}@example.org>"]
    assert letters[0]["Subject"] == "URGENT: leak Bcc: evil@example.org"
    assert letters[0]["Bcc"] is None
    assert letters[0]["Auto-Submitted"] == "auto-generated"
    assert letters[0].get_content().split() == ["水", "runs."]


def test_mail_without_an_address_goes_where_the_settings_say(mail):
    mail.letters.clear()
    courier(mail.url).deliver(Post("1", "", "s", "b"))
    assert mail.letters[0][0] == ["duty@example.org"]


@pytest.mark.parametrize(
    ("refused", "answer", "said"),
    [
        ("kim", "250 OK", "the mail server refused the address with 550"),
        ("", "451 try later", "the mail server refused with 451"),
        ("", "554 no", "the mail server refused with 554"),
    ],
)
def test_a_mail_server_that_refuses_has_not_taken_it(mail, refused, answer, said, monkeypatch):
    monkeypatch.setattr(mail, "refused", refused)
    monkeypatch.setattr(mail, "answer", answer)
    assert failure(mail.url) == (said, False)


def test_a_mail_server_that_is_down_has_taken_nothing():
    assert failure(f"mailto://127.0.0.1:{free_port()}?from=a@example.org&to=b@example.org") == (
        "cannot be reached",
        False,
    )


def test_a_mail_server_that_falls_silent_with_the_letter_may_have_taken_it(mail, monkeypatch):
    def lost(*_args, **_named):
        raise TimeoutError

    monkeypatch.setattr(smtplib.SMTP, "getreply", lost)
    monkeypatch.setattr(smtplib.SMTP, "connect", lambda *_: (220, b""))
    monkeypatch.setattr(smtplib.SMTP, "send_message", lost)
    assert failure(mail.url) == ("no answer", True)


def test_a_webhook_is_told_the_id_and_the_address(hook):
    courier(hook.url).deliver(POST)
    headers, body = hook.heard[0]
    assert headers["Idempotency-Key"] == POST.id
    assert (body["to"], body["message"].strip()) == ("kim@example.org", "水 runs.")


def test_a_webhook_that_answers_slowly_has_taken_it(hook):
    hook.fault = "slow"
    courier(hook.url).deliver(POST)
    assert len(hook.heard) == 1


@pytest.mark.parametrize("status", ["500", "404", "302"])
def test_a_webhook_that_refuses_has_not_taken_it(hook, status):
    hook.fault = status
    assert failure(hook.url + "?redirect=no") == (f"the answer was {status}", False)


def test_a_webhook_that_hangs_may_have_taken_it(hook):
    hook.fault = "hang"
    assert failure(hook.url, socket_read_timeout=0.2) == ("no answer", True)


def test_a_webhook_that_is_down_has_taken_nothing():
    assert failure(f"json://127.0.0.1:{free_port()}/hook") == ("cannot be reached", False)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("wecombot://" + "a" * 36, "api_url"),
        ("dingtalk://SEC1@" + "a" * 30, "notify_url"),
        ("feishu://" + "a" * 36, "notify_url"),
    ],
)
def test_a_robot_that_answers_200_and_a_code_has_refused(hook, url, place):
    robot = courier(url)
    assert isinstance(robot, RobotCourier)
    setattr(robot._plugin, place, f"http://127.0.0.1:{hook.server_port}/robot")
    hook.body = b'{"errcode": 0, "code": 0, "errmsg": "ok"}'
    robot.deliver(POST)
    assert "水 runs." in str(hook.heard[0][1])
    for body in (b'{"errcode": 93000, "errmsg": "invalid webhook url"}', b'{"code": 9499, "msg": "Bad Request"}'):
        hook.body = body
        with pytest.raises(UndeliveredError, match="the robot refused with code") as failed:
            robot.deliver(POST)
        assert not failed.value.may_have_arrived
    hook.fault = "500"
    with pytest.raises(UndeliveredError, match="the answer was 500"):
        robot.deliver(POST)


def test_a_text_is_cut_to_what_a_robot_takes_between_two_characters(hook):
    robot = courier("wecombot://" + "a" * 36)
    robot._plugin.api_url = f"http://127.0.0.1:{hook.server_port}/robot"
    robot.deliver(Post("1", "", "漏水", "水" * 3000))
    content = hook.heard[0][1]["text"]["content"]
    assert len(content.encode()) <= 2048
    assert set(content[3:]) == {"水"}


@pytest.mark.parametrize(
    "text",
    [
        "mail",
        "mail=nothing",
        "UPPER=json://host",
        "a=json://host a=json://other",
        "a=unknown://host",
        "a=mailto://",
        "=json://h",
    ],
)
def test_a_setting_that_names_no_courier_is_refused_without_its_secrets(text):
    with pytest.raises(ConfigError) as refused:
        read_couriers(f"good=json://user:s3cr3t@host {text}")
    assert "METERHOUSE_NOTIFY" in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


def test_no_setting_is_no_courier():
    assert read_couriers("") == {}


def test_apprise_writes_nothing_into_our_log(hook, caplog, capfd):
    hook.fault = "500"
    failure(hook.url.replace("//", "//user:s3cr3t@"))
    assert "s3cr3t" not in caplog.text + "".join(capfd.readouterr())
