"""Work orders and the roster from the command line: tables come whole or not at all, every wrong row is named."""

import json
from datetime import UTC, datetime

import pytest
from rigs.campus import estate
from rigs.command_line import meterhouse

from stores.records.accounts.accounts import Accounts
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

GOOD = """name,rank,skills,places,most_a_day,begins,ends,off
kim,lead,water electricity,main,5,2099-01-05 08:00,2099-01-05 16:00,
lee,,water,,,,,2099-01-06
"""


@pytest.fixture
def data(migrated, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "records.db").write_bytes(migrated.read_bytes())
    records = open_records(f"sqlite:///{folder}/records.db")
    now = datetime.now(UTC)
    Registry(records).apply(estate(), by="test", at=now)
    for name in ("kim", "lee", "gone"):
        People(records).invite(name, now)
    Accounts(records).close("gone", "test", now)
    records.dispose()
    return folder


def test_a_roster_comes_in_whole(data, tmp_path):
    (tmp_path / "roster.csv").write_text(GOOD)
    read = meterhouse("roster", "import", f"{tmp_path}/roster.csv", data=data)
    assert read.stdout == "Read: 2 people, 1 shifts, 1 days off.\n"
    listed = json.loads(meterhouse("roster", "list", "--json", data=data).stdout)
    assert listed["workers"][0] == {
        "person": "kim", "rank": "lead", "skills": ["electricity", "water"], "places": ["main"], "most_a_day": 5,
        "on_shift": False,
    }  # fmt: skip
    assert "班长" in meterhouse("roster", "list", "--language", "zh-Hans", data=data).stdout
    assert meterhouse("roster", "remove", "kim", data=data).returncode == 0
    assert "lee" in meterhouse("roster", "list", data=data).stdout


def test_a_wrong_roster_names_every_row_and_brings_nothing(data, tmp_path):
    wrong = GOOD + "nobody,,,,,,,\ngone,,,,,,,2099-01-01\nkim,king,,,,,,\nkim,,flying,,,,,\nlee,,,,,2099-01-05,soon,\n"
    (tmp_path / "roster.csv").write_text(wrong)
    read = meterhouse("roster", "import", f"{tmp_path}/roster.csv", data=data)
    assert read.returncode == 2
    for said in (":4: there is no account of 'nobody'", ":5: ", ":6: there is no rank 'king'", ":7: ", ":8: 'soon'"):
        assert f"roster.csv{said}" in read.stderr
    assert "Nobody is on the roster" in meterhouse("roster", "list", data=data).stdout


def test_an_order_is_made_given_exported_and_brought_back(data, tmp_path):
    assert "Work order 1 is made" in meterhouse("orders", "make", "main", "Mend the tap", data=data).stdout
    assert "is kim's" in meterhouse("orders", "give", "1", "kim", data=data).stdout
    shown = json.loads(meterhouse("orders", "show", "1", "--json", data=data).stdout)
    assert (shown["state"], shown["assignee"], shown["title"]) == ("accepted", "kim", "Mend the tap")
    table = meterhouse("orders", "export", data=data).stdout
    assert table.splitlines()[1].startswith("1,accepted,act,main,")
    (tmp_path / "back.csv").write_text("id,state,cost\n1,done,12\n")
    assert "Work orders that have moved: 1." in meterhouse("orders", "import", f"{tmp_path}/back.csv", data=data).stdout
    assert "done" in meterhouse("orders", "list", "--all", data=data).stdout
    assert "No work orders" in meterhouse("orders", "list", data=data).stdout


def test_a_link_to_hang_up_is_said_once_and_drawn(data, tmp_path):
    picture = tmp_path / "code.svg"
    made = meterhouse(
        "orders", "report-link", "main", "--space", "hall", "--out", f"{picture}", "--json", data=data,
        METERHOUSE_CONSOLE_URL="https://meters.example.org/",
    )  # fmt: skip
    assert json.loads(made.stdout)["link"].startswith("https://meters.example.org/report?at=")
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders", "make", "moon", "x"), "there is no building 'moon'"),
        (("orders", "make", "main", "x", "--space", "plant2"), "there is no 'plant2' in main"),
        (("orders", "make", "main", "x", "--severity", "bad"), "there is no severity 'bad'"),
        (("orders", "make", "main", "x", "--skill", "flying"), "'flying' is not one of"),
        (("orders", "show", "7"), "there is no work order 7"),
        (("orders", "import", "/nowhere.csv"), "cannot be read"),
        (("orders", "report-link", "main"), "METERHOUSE_CONSOLE_URL"),
        (("roster", "put", "nobody"), "there is no account of nobody"),
        (("roster", "put", "kim", "--places", "moon"), "there is no building 'moon'"),
        (("roster", "remove", "kim"), "is on no roster"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(data, words, said):
    refused = meterhouse(*words, data=data)
    assert refused.returncode in {1, 2}
    assert said in refused.stderr
