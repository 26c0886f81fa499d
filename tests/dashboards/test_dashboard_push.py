"""Dashboards are pushed against a fake of Grafana: all or nothing, idempotent, a sentence for each mistake."""

import json
from functools import cache

import pytest
from rigs.boards import SITE, boards, estate
from rigs.command_line import meterhouse
from rigs.grafana_fake import ADMIN, BLIND, EDITOR, FakeGrafana
from rigs.patience import until
from rigs.servers import free_port

from dashboards.build import SHIPPED
from dashboards.grafana import Grafana
from dashboards.push import Wish, bring
from facility.errors import MeterhouseError
from stores.readings.influx.address import influx_address

STORE = "influx+token://read-token@db.example:8086/estates/meterhouse"
PERIOD = (0, 1)


@cache
def some():
    """Two dashboards in two languages: each is asked for one by one."""
    return {path: board for path, board in boards().items() if path.partition("/")[2] in {"estate.json", "cost.json"}}


@pytest.fixture
def grafana():
    with FakeGrafana() as running:
        yield running


def push(grafana, *, token=ADMIN, store=STORE, overwrite=False):
    url = grafana if isinstance(grafana, str) else grafana.url
    address = influx_address(store) if store else None
    return bring(Grafana(url, token), Wish(estate(), some(), SHIPPED, "estate-en", address, overwrite), PERIOD)


def refused(*parts, **how):
    """It fails with these words, and says no secret."""
    with pytest.raises(MeterhouseError) as raised:
        push(**how)
    said = str(raised.value)
    for part in parts:
        assert part in said
    assert "read-token" not in said
    assert "secret" not in said


def run(grafana, *words, token=ADMIN):
    """The command, as people run it."""
    settings = {"METERHOUSE_GRAFANA_TOKEN": token, "METERHOUSE_GRAFANA_STORE": STORE}
    return meterhouse("dashboards", "push", "--url", grafana.url, "--site", SITE, *words, **settings)


def test_the_command_says_what_it_did_in_the_reader_s_language_and_fails_with_a_sentence(grafana):
    chinese = run(grafana, "--language", "zh-Hans")
    assert "新建" in chinese.stdout
    assert grafana.home == "estate-zh-Hans", "the home dashboard is in the language of the command"
    wrong = run(grafana, "--json", token="wrong")  # noqa: S106 - no secret
    assert wrong.returncode == 2
    problem = json.loads(wrong.stderr)["error"]["problems"][0]
    assert problem["where"] == "METERHOUSE_GRAFANA_TOKEN"


def test_everything_is_pushed_once_and_the_second_time_nothing_changes(grafana):
    done = push(grafana)
    assert set(done.created) == {
        "energy-en",
        "energy-zh-Hans",
        "data source",
        *(b["uid"] for b in some().values()),
    }
    assert done.changed == ["home dashboard"]
    assert done.queries > 20
    assert 0 < done.empty < done.queries
    assert grafana.home == "estate-en"
    assert {one["folder"] for one in grafana.boards.values()} == {"energy-en", "energy-zh-Hans"}
    assert grafana.folders["energy-en"]["permissions"] == [
        {"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 1}
    ]  # fmt: skip
    source = grafana.sources["influx-energy-internal"]
    assert source["jsonData"]["dbName"] == "meterhouse"
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token read-token"}
    before, grafana.writes = grafana.kept(), []
    again = push(grafana)
    assert (again.created, again.changed, again.deleted, again.unchanged) == ([], [], [], len(some()))
    assert (grafana.kept(), grafana.writes) == (before, [])


def test_what_changed_is_pushed_and_what_is_no_more_is_deleted(grafana):
    push(grafana)
    kept = grafana.boards["estate-en"]
    kept["messages"].append("Meterhouse of another day")
    grafana.boards["lobby-gone-en"] = {**kept, "dashboard": {**kept["dashboard"], "uid": "lobby-gone-en"}}
    done = push(grafana)
    assert (done.changed, done.deleted) == (["estate-en"], ["lobby-gone-en"])


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", ("METERHOUSE_GRAFANA_TOKEN: is not set", "service account")),
        ("a\nb", ("METERHOUSE_GRAFANA_TOKEN: has characters that no token has",)),
        ("密码", ("METERHOUSE_GRAFANA_TOKEN: has characters that no token has",)),
        ("wrong", ("does not know this token",)),
        (BLIND, ("METERHOUSE_GRAFANA_TOKEN: may not read its organisation", "role Admin")),
        (EDITOR, ("may not write the data source",)),
    ],
)
def test_a_token_that_is_missing_unknown_or_may_not_is_told_and_nothing_is_pushed(grafana, token, words):
    before = grafana.kept()
    refused(*words, grafana=grafana, token=token)
    assert grafana.kept() == before


@pytest.mark.parametrize(("version", "age"), [("11.6.1", "older"), ("13.0.0", "newer")])
def test_another_grafana_than_dashboards_are_made_for_is_refused(version, age):
    with FakeGrafana(version) as other:
        refused(f"is Grafana {version}, {age} than the 12.x", grafana=other)
        assert other.writes == []


def test_a_wrong_database_is_told_and_the_data_source_is_taken_back(grafana):
    said = ("METERHOUSE_GRAFANA_STORE: Grafana cannot read there", "database not found: elsewhere")
    refused(*said, grafana=grafana, store=STORE.replace("/meterhouse", "/elsewhere"))
    assert (grafana.sources, grafana.boards, grafana.folders) == ({}, {}, {})


def test_without_a_store_and_without_a_data_source_it_says_what_to_set(grafana):
    refused("METERHOUSE_GRAFANA_STORE: is not set", "influx-energy-internal", grafana=grafana, store="")
    assert grafana.writes == []


def test_a_data_source_that_comes_from_a_file_is_used_as_it_is(grafana):
    grafana.sources["influx-energy-internal"] = {
        "uid": "influx-energy-internal",
        "readOnly": True,
        "jsonData": {"dbName": "meterhouse"},
    }
    assert push(grafana, store="").created


def test_what_was_edited_by_hand_is_named_and_only_overwritten_when_asked(grafana):
    push(grafana)
    grafana.edit("cost-en")
    grafana.folders["energy-zh-Hans"]["title"] = "Our folder"
    before = grafana.kept()
    said = ("the dashboard 'Mine' was edited by hand", "renamed to 'Our folder' by hand", "--overwrite")
    refused(*said, grafana=grafana)
    assert grafana.kept() == before
    done = push(grafana, overwrite=True)
    assert grafana.boards["cost-en"]["dashboard"]["title"] == "Cost and tariff"
    assert grafana.folders["energy-zh-Hans"]["title"] == "能源"
    assert done.changed == ["cost-en", "energy-zh-Hans"]
    assert push(grafana).changed == [], "and it is done"


def test_a_folder_is_called_as_before_where_the_push_fails_later(grafana):
    push(grafana)
    grafana.folders["energy-en"]["title"] = "Our folder"
    grafana.boards["cost-en"]["messages"].append("Meterhouse of another day")
    grafana.refuse = [r"POST /api/dashboards/db"]
    refused("would not write the dashboard cost-en", grafana=grafana, overwrite=True)
    assert grafana.folders["energy-en"]["title"] == "Our folder"


def test_a_stranger_in_the_folder_and_a_dashboard_of_a_file_are_named(grafana):
    push(grafana)
    grafana.boards["theirs"] = {
        "dashboard": {"title": "Theirs", "version": 1},
        "folder": "energy-en",
        "messages": ["x"],
    }
    grafana.boards["cost-en"]["provisioned"] = True
    refused("'Theirs' in the folder is not Meterhouse's", "comes from a file on Grafana's machine", grafana=grafana)


def test_a_failure_on_the_way_takes_everything_back(grafana):
    grafana.refuse = [r"PATCH /api/org/preferences"]
    refused("would not write the home dashboard: 500 database is locked", grafana=grafana)
    assert (grafana.folders, grafana.boards, grafana.sources) == ({}, {}, {})


def test_a_failing_query_takes_everything_back_to_what_was_there(grafana):
    push(grafana)
    grafana.boards["estate-en"]["messages"].append("Meterhouse of another day")
    old = grafana.boards["estate-en"]["dashboard"]["panels"]
    grafana.boards["estate-en"]["dashboard"]["panels"] = old[:1]
    grafana.broken = ["peak_kw"]
    refused("cost-en: Highest quarter-hour: error parsing query", "nothing was pushed", grafana=grafana)
    assert grafana.boards["estate-en"]["dashboard"]["panels"] == old[:1]
    assert grafana.boards["estate-en"]["messages"][-1] == "Meterhouse of another day"


def test_no_grafana_there_and_no_address_are_one_sentence():
    refused("no Grafana answers at http://127.0.0.1", grafana=f"http://127.0.0.1:{free_port()}")
    refused("is no address of a Grafana", "http://host:3000", grafana="ftp://x")


PAGE = "<html><body>Sign in. A message for you.</body></html>"
HTML = {"Content-Type": "text/html"}
SIGN_IN = {"Location": "https://id.example/login?secret=1"}


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("GET /api/health", (200, PAGE, HTML), ("what answers at", "is no Grafana")),
        ("GET /api/health", (502, PAGE, HTML), ("what answers at", "is no Grafana")),
        ("GET /api/health", (503, "busy", HTML), ("would not read its version: 503",)),
        ("GET /api/health", (200, "[]", {}), ("does not say which version",)),
        ("GET /api/health", (200, "7", {}), ("does not answer as a Grafana does",)),
        ("GET /api/health", (200, '{"version": "x"}', {}), ("is no Grafana", "hides it")),
        ("GET /api/health", (302, "", SIGN_IN), ("sends on to https://id.example/login:",)),
        ("GET /api/org$", (302, "", {"Location": "/login"}), ("sends on to /login",)),
        ("GET /api/folders", (200, '{"ok": true}', {}), ("does not answer as a Grafana does",)),
        ("GET /api/folders", (401, PAGE, HTML), ("is no Grafana",)),
        ("GET /api/folders", (401, "{}", {}), ("does not know this token",)),
        ("GET /api/dashboards/uid", (403, "no", HTML), ("may not read dashboards",)),
        ("POST /api/folders$", (409, '{"message": "folder exists"}', {}), ("write folders: 409 folder exists",)),
        ("POST /api/folders$", (412, "{}", {}), ("somebody has just changed it",)),
        ("POST /api/dashboards/db", (404, '{"message": "not found"}', {}), ("the dashboard", "404 not found")),
        ("POST /api/dashboards/db", (307, "", {"Location": "/elsewhere"}), ("sends on to /elsewhere",)),
        ("POST /api/dashboards/db", (200, PAGE, HTML), ("is no Grafana",)),
        ("GET /api/org/preferences", (200, "[1]", {}), ("does not answer as a Grafana does",)),
        ("POST /api/ds/query", (200, PAGE, HTML), ("is no Grafana",)),
        ("POST /api/ds/query", (200, '{"results": []}', {}), ("does not answer as a Grafana does",)),
        ("POST /api/ds/query", (500, '{"message": "plugin.downstreamError"}', {}), ("run the queries of panels: 500",)),
    ],
)  # fmt: skip
def test_what_is_no_grafana_s_answer_is_one_sentence_and_nothing_is_half_pushed(grafana, path, answer, words):
    before = grafana.kept()
    grafana.odd = {path: answer}
    refused(*words, grafana=grafana)
    grafana.odd = {}
    assert grafana.kept() == before


def test_a_change_whose_answer_is_lost_is_taken_back_too(grafana, monkeypatch):
    push(grafana)
    monkeypatch.setattr("dashboards.grafana.ANSWER_S", 0.3)
    for uid in ("estate-en", "cost-en"):
        grafana.boards[uid]["messages"].append("Meterhouse of another day")
        grafana.boards[uid]["dashboard"]["title"] = "Of another day"
    grafana.slow = {"POST /api/dashboards/db": 1.0}
    done, grafana.writes = grafana.boards["estate-en"]["messages"].copy(), []
    refused("no Grafana answers at", "ReadTimeout", grafana=grafana)
    assert [one for one in grafana.writes if "dashboards/db" in one], "it was written"
    until(lambda: grafana.boards["estate-en"]["messages"][-1] == done[-1])
    assert grafana.boards["estate-en"]["dashboard"]["title"] == "Of another day"


def test_another_s_change_in_between_is_not_undone(grafana):
    push(grafana)
    for uid in ("estate-en", "cost-en"):
        grafana.boards[uid]["messages"].append("Meterhouse of another day")
    answer = grafana.save

    def save(body, **more):
        if body["dashboard"]["uid"] == "cost-en":
            grafana.edit("cost-en")
        return answer(body=body, **more)

    grafana.routes = {r"POST /api/dashboards/db": lambda _, **how: save(**how)}
    refused("somebody has just changed it", grafana=grafana)
    assert grafana.boards["cost-en"]["dashboard"]["title"] == "Mine"
    assert grafana.boards["estate-en"]["messages"][-1] == "Meterhouse of another day"


@pytest.mark.parametrize(
    "url", ["http://h:99999", "http://[::1", "http://:3000", "http://u:secret@h:3000", "grafana:3000"]
)
def test_what_is_no_address_is_said_so_without_repeating_a_password(url):
    refused("METERHOUSE_GRAFANA_URL", "is no address of a Grafana", grafana=url)
