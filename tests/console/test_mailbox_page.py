"""The mailbox of a demo: everybody's letters for who runs it; a console that is no demo has no such page."""

import httpx
import pytest
from rigs.sample import NOW
from rigs.serving import served

from facility.rights import Role
from stores.mailbox import KeptLetter, Mailbox
from stores.records.accounts.grants import Grant, Grants
from stores.records.people import People

BODY = "■ <script>alert(1)</script>\nTake it: http://127.0.0.1:1/take?alert=a&token=b\nEnd"


@pytest.fixture(scope="module")
def demo(sample, tmp_path_factory):
    box = Mailbox(tmp_path_factory.mktemp("box"))
    box.put(KeptLetter("a1", "plumber@demo.invalid", "Urgent: <i>water</i>", BODY))
    with (
        served(sample.store, sample.records, lambda: NOW, mailbox=box) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as client,
    ):
        yield client


def signed_in(client, sample, language="en"):
    client.cookies.clear()
    client.cookies.set("meterhouse_session", sample.session())
    return client.get("/mailbox", headers={"accept-language": language})


@pytest.mark.parametrize(
    ("language", "said"), [("en", "none of these messages has left"), ("zh-Hans", "都没有离开本机")]
)
def test_it_says_that_it_is_a_demo_and_shows_letters_as_they_are(demo, sample, language, said):
    shown = signed_in(demo, sample, language)
    assert shown.status_code == 200
    assert said in shown.text
    assert "plumber@demo.invalid" in shown.text
    assert "<script>alert(1)" not in shown.text
    assert "<i>water</i>" not in shown.text
    assert '<a href="http://127.0.0.1:1/take?alert=a&amp;token=b">' in shown.text
    assert 'href="/mailbox"' in demo.get("/orders").text


def test_who_does_not_run_the_demo_does_not_read_others_letters(demo, sample):
    People(sample.records).invite("reader", NOW)
    Grants(sample.records).give("reader", Grant(Role.OFFICER), "test", NOW)
    token = People(sample.records).invite("reader", NOW)
    demo.cookies.clear()
    demo.cookies.set("meterhouse_session", People(sample.records).redeem(token, NOW, 3600))
    assert demo.get("/mailbox").status_code == 404
    assert 'href="/mailbox"' not in demo.get("/orders").text


def test_a_console_that_is_no_demo_has_no_mailbox(visitor):
    assert visitor.get("/mailbox").status_code == 404
    assert 'href="/mailbox"' not in visitor.get("/orders").text
