"""``meterhouse dashboards push`` against a fake of Grafana: all or nothing, idempotent, a sentence for each mistake."""

import json

import pytest
from rigs.boards import SITE, boards
from rigs.command_line import meterhouse
from rigs.grafana_fake import ADMIN, BLIND, EDITOR, FakeGrafana
from rigs.servers import free_port

STORE = "influx+token://read-token@db.example:8086/estates/meterhouse"


@pytest.fixture
def grafana():
    with FakeGrafana() as running:
        yield running


def push(grafana, *words, token=ADMIN, store=STORE, **env):
    url = grafana if isinstance(grafana, str) else grafana.url
    settings = {"METERHOUSE_GRAFANA_TOKEN": token, "METERHOUSE_GRAFANA_STORE": store, **env}
    return meterhouse("dashboards", "push", "--url", url, "--site", SITE, *words, **settings)


def refused(done, *parts):
    """It failed with these words, and says no secret."""
    assert done.returncode in {1, 2}, done.stdout
    for part in parts:
        assert part in done.stderr
    assert "read-token" not in done.stderr


def test_everything_is_pushed_once_and_the_second_time_nothing_changes(grafana):
    done = json.loads(push(grafana, "--json").stdout)
    assert set(done["created"]) == {
        "energy-en",
        "energy-zh-Hans",
        "data source",
        *(b["uid"] for b in boards().values()),
    }
    assert done["changed"] == ["home dashboard"]
    assert done["queries"] > 100
    assert 0 < done["empty"] < done["queries"]
    assert grafana.home == "estate-en"
    assert {one["folder"] for one in grafana.boards.values()} == {"energy-en", "energy-zh-Hans"}
    assert grafana.folders["energy-en"]["permissions"] == [
        {"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 1}
    ]  # fmt: skip
    source = grafana.sources["influx-energy-internal"]
    assert source["jsonData"]["dbName"] == "meterhouse"
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token read-token"}
    before, grafana.writes = grafana.kept(), []
    again = json.loads(push(grafana, "--json").stdout)
    assert (again["created"], again["changed"], again["deleted"]) == ([], [], [])
    assert again["unchanged"] == len(boards())
    assert (grafana.kept(), grafana.writes) == (before, [])


def test_what_changed_is_pushed_and_what_is_no_more_is_deleted(grafana):
    assert push(grafana).returncode == 0
    kept = grafana.boards["estate-en"]
    kept["messages"].append("Meterhouse of another day")
    grafana.boards["lobby-gone-en"] = {**kept, "dashboard": {**kept["dashboard"], "uid": "lobby-gone-en"}}
    done = json.loads(push(grafana, "--json").stdout)
    assert (done["changed"], done["deleted"]) == (["estate-en"], ["lobby-gone-en"])


def test_the_home_dashboard_is_in_the_language_of_the_command(grafana):
    assert "新建" in push(grafana, "--language", "zh-Hans").stdout
    assert grafana.home == "estate-zh-Hans"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", ("METERHOUSE_GRAFANA_TOKEN: is not set", "service account")),
        ("wrong", ("does not know this token",)),
        (BLIND, ("METERHOUSE_GRAFANA_TOKEN: may not read its organisation", "role Admin")),
        (EDITOR, ("may not write the data source",)),
    ],
)
def test_a_token_that_is_missing_unknown_or_may_not_is_told_and_nothing_is_pushed(grafana, token, words):
    before = grafana.kept()
    refused(push(grafana, token=token), *words)
    assert grafana.kept() == before


@pytest.mark.parametrize(("version", "age"), [("11.6.1", "older"), ("13.0.0", "newer")])
def test_another_grafana_than_dashboards_are_made_for_is_refused(version, age):
    with FakeGrafana(version) as other:
        refused(push(other), f"is Grafana {version}, {age} than the 12.x")
        assert other.writes == []


def test_a_wrong_database_is_told_and_the_data_source_is_taken_back(grafana):
    refused(
        push(grafana, store=STORE.replace("/meterhouse", "/elsewhere")),
        "METERHOUSE_GRAFANA_STORE: Grafana cannot read there",
        "database not found: elsewhere",
    )
    assert (grafana.sources, grafana.boards, grafana.folders) == ({}, {}, {})


def test_without_a_store_and_without_a_data_source_it_says_what_to_set(grafana):
    refused(push(grafana, store=""), "METERHOUSE_GRAFANA_STORE: is not set", "influx-energy-internal")
    assert grafana.writes == []


def test_a_data_source_that_comes_from_a_file_is_used_as_it_is(grafana):
    grafana.sources["influx-energy-internal"] = {
        "uid": "influx-energy-internal",
        "readOnly": True,
        "jsonData": {"dbName": "meterhouse"},
    }
    assert push(grafana, store="").returncode == 0


def test_what_was_edited_by_hand_is_named_and_only_overwritten_when_asked(grafana):
    assert push(grafana).returncode == 0
    grafana.edit("building-en")
    grafana.folders["energy-zh-Hans"]["title"] = "Our folder"
    before = grafana.kept()
    done = push(grafana)
    refused(done, "the dashboard 'Mine' was edited by hand", "renamed to 'Our folder' by hand", "--overwrite")
    assert grafana.kept() == before
    assert push(grafana, "--overwrite").returncode == 0
    assert grafana.boards["building-en"]["dashboard"]["title"] == "Building live"


def test_a_stranger_in_the_folder_and_a_dashboard_of_a_file_are_named(grafana):
    assert push(grafana).returncode == 0
    grafana.boards["theirs"] = {
        "dashboard": {"title": "Theirs", "version": 1},
        "folder": "energy-en",
        "messages": ["x"],
    }
    grafana.boards["cost-en"]["provisioned"] = True
    refused(push(grafana), "'Theirs' in the folder is not Meterhouse's", "comes from a file on Grafana's machine")


def test_a_failure_on_the_way_takes_everything_back(grafana):
    grafana.refuse = [r"PATCH /api/org/preferences"]
    refused(push(grafana), "would not write the home dashboard: 500 database is locked")
    assert (grafana.folders, grafana.boards, grafana.sources) == ({}, {}, {})


def test_a_failing_query_takes_everything_back_to_what_was_there(grafana):
    assert push(grafana).returncode == 0
    grafana.boards["estate-en"]["messages"].append("Meterhouse of another day")
    old = grafana.boards["estate-en"]["dashboard"]["panels"]
    grafana.boards["estate-en"]["dashboard"]["panels"] = old[:1]
    grafana.broken = ["peak_kw"]
    refused(push(grafana), "cost-en: Highest quarter-hour: error parsing query", "nothing was pushed")
    assert grafana.boards["estate-en"]["dashboard"]["panels"] == old[:1]
    assert grafana.boards["estate-en"]["messages"][-1] == "Meterhouse of another day"


def test_no_grafana_there_and_no_address_are_one_sentence():
    refused(push(f"http://127.0.0.1:{free_port()}"), "no Grafana answers at http://127.0.0.1")
    refused(push("ftp://x"), "is no address of a Grafana", "http://host:3000")
