"""Who is told, tried from the command line: refusals name what is allowed and never a secret."""

import json
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.letter_desk import finding
from rigs.mailboxes import MailServer, WebAddress

from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.people import People


@pytest.fixture
def data(migrated, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "records.db").write_bytes(migrated.read_bytes())
    records = open_records(f"sqlite:///{folder}/records.db")
    People(records).invite("kim", datetime.now(UTC))
    Casebook(records).record(finding(datetime.now(UTC)), money=None, notify=True)
    records.dispose()
    return folder


@pytest.fixture(scope="module")
def hook():
    with WebAddress() as address:
        yield address


def test_a_contact_is_added_listed_and_removed(data, hook):
    couriers = {"METERHOUSE_NOTIFY": f"hook={hook.url}"}
    added = meterhouse(
        "notify", "add", "kim", "hook", "--to", "kim@example.org", "--quiet", "22:00-07:00", data=data, **couriers
    )
    assert (added.returncode, added.stdout) == (0, "kim is told by hook from now on.\n")
    listed = meterhouse("notify", "list", "--json", data=data, **couriers)
    assert json.loads(listed.stdout)["contacts"] == [
        {"person": "kim", "courier": "hook", "address": "kim@example.org", "quiet": "22:00-07:00", "works": True}
    ]
    unset = meterhouse("notify", "list", "--language", "zh-Hans", data=data)
    assert "渠道尚未设置" in unset.stdout
    removed = meterhouse("notify", "remove", "kim", "hook", "--to", "kim@example.org", data=data)
    assert removed.returncode == 0
    assert "Nobody is told" in meterhouse("notify", "list", data=data).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "kim", "mail"), "unknown courier 'mail' (allowed: hook, group)"),
        (("add", "nobody", "hook"), "nobody"),
        (("add", "kim", "hook", "--to", "a b"), "is no address"),
        (("add", "kim", "hook", "--quiet", "night"), "22:00-07:00"),
        (("add", "kim", "group", "--to", "a@b"), "leads to one place only"),
        (("remove", "kim", "hook"), "is not reached by hook"),
        (("again", "x"), "'x' is no id"),
        (("again", "29e20723-58f7-59b1-851d-f92f5f2eae0f"), "there is no letter"),
        (("test", "mail"), "unknown courier"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(data, hook, words, said):
    couriers = f"hook={hook.url.replace('//', '//user:s3cr3t@')} group=wecombot://{'k' * 36}"
    refused = meterhouse("notify", *words, data=data, METERHOUSE_NOTIFY=couriers)
    assert refused.returncode in {1, 2}
    assert said in refused.stderr
    assert "s3cr3t" not in refused.stderr
    assert "kkkk" not in refused.stderr


def test_a_trial_says_whether_it_was_taken(data, hook):
    with MailServer() as mail:
        couriers = {"METERHOUSE_NOTIFY": f"mail={mail.url} hook={hook.url}"}
        taken = meterhouse("notify", "test", "mail", "--to", "kim@example.org", data=data, **couriers)
        assert (taken.returncode, "has taken the letter" in taken.stdout) == (0, True)
        assert mail.letters[0][1]["Subject"] == "Letters from Meterhouse arrive here"
    down = meterhouse("notify", "test", "mail", data=data, **couriers)
    assert down.returncode == 1
    assert "mail: cannot be reached" in down.stderr


def test_a_setting_that_cannot_be_used_is_named_without_its_secret(data):
    wrong = meterhouse("notify", "list", data=data, METERHOUSE_NOTIFY="mail=nothing://s3cr3t")
    assert wrong.returncode == 2
    assert "METERHOUSE_NOTIFY: the address of 'mail' cannot be used" in wrong.stderr
    assert "s3cr3t" not in wrong.stderr


def test_there_are_no_letters_yet(data):
    assert meterhouse("notify", "letters", data=data).stdout == "No letters.\n"
    assert json.loads(meterhouse("notify", "letters", "--all", "--json", data=data).stdout) == {"letters": []}
