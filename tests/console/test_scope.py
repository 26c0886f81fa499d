"""Somebody who may see one building alone finds no trace of the others: on pages, in the API, in what they do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from rigs.rights import ALL, within
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.visitor import act, next_event, post

from accounting.spells import Outcome, Spell
from facility.catalogue import Agent
from facility.system_alarm import Outlook, Raised, SystemAlarm, Unknown, Unseen
from facility.work import Evidence, Excess, Finding, Severity
from stores.access import Scope
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.spells import Spells
from stores.records.accounting.tables import adjustment
from stores.records.casebook import Casebook
from stores.records.database import writing
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine
from stores.records.registry import Registry

FOREIGN = re.compile(r"(?<![a-z])(?:office|lab-power|lab\b|hall|Crick|Sports|edge-1|Server room|Back door)")
RIGHTS = {"Lib": within(Scope(buildings=frozenset({"lib"}))), "Guest": within(acts=())}


class AskedStore:
    """Passes on, and writes down which points and which rows were asked for."""

    def __init__(self, store):
        self.store, self.points, self.tags = store, set(), []

    def __getattr__(self, name):
        return getattr(self.store, name)

    def read(self, points, start_ms, end_ms):
        self.points |= set(points)
        return self.store.read(points, start_ms, end_ms)

    def read_rollup(self, name, tags, *more):
        self.tags.append(tags)
        return self.store.read_rollup(name, tags, *more)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample with an agent that reads the library alone, and a case of the library that names another's power."""
    made = make_sample(tmp_path_factory.mktemp("estate"), NOW)
    whole = made.catalogue
    meters = (replace(m, agent="edge-lib") if m.building == "lib" else m for m in whole.meters)
    agents = (*whole.agents, Agent("edge-lib", whole.agents[0].buses))
    made.catalogue = replace(whole, agents=agents, meters=tuple(meters))
    Registry(made.records).apply(made.catalogue, by="test", at=NOW, accept=True)
    since = NOW - timedelta(hours=9)
    shown = (
        Evidence("lib-air/co2/total", since, NOW),
        Evidence("office-power/energy_import/total", since, NOW, "usage"),
    )
    excess = Excess(18.0, "kWh", 31.0)
    finding = Finding(
        "night_waste", shown[0].point, "lib-air", "lib", since, NOW, Severity.ACT, 0.9, shown, {"unit": "kWh"}, excess
    )  # fmt: skip
    made.alerts["named"] = Casebook(made.records).record(finding, money=None, notify=False)
    yield made
    made.store.close()
    made.records.dispose()


@pytest.fixture(scope="module")
def asked(sample):
    return AskedStore(sample.store)


@pytest.fixture(scope="module")
def running(sample, asked):
    rights = {"rights_of": lambda name: RIGHTS.get(name, ALL)}
    with served(asked, sample.records, lambda: NOW + timedelta(seconds=1), **rights) as (address, app):
        yield address, app


@pytest.fixture
def client_of(running, sample):
    clients = []

    def client(name):
        cookies = {"meterhouse_session": sample.session(name)}
        clients.append(
            httpx.Client(base_url=running[0], headers={"accept": "text/html"}, cookies=cookies, trust_env=False)
        )
        return clients[-1]

    yield client
    for one in clients:
        one.close()


@pytest.fixture
def lib(client_of):
    return client_of("Lib")


@pytest.fixture
def foreign(sample):
    """An alert of another building, and an item of another agent."""
    (item,) = Quarantine(sample.records).items(reason="malformed")
    return sample.alerts["door_left_open"].id, item.id


def paths(sample):
    cards = [f"/alerts/{sample.alerts[name].id}" for name in ("continuous_flow", "night_waste", "named")]
    return [
        "/", "/buildings/lib", "/alerts?state=all", "/alerts?state=all&building=lib", *cards,
        *(f"/api{card}/evidence" for card in cards), "/api/buildings/lib/today", "/api/buildings/lib/days/water",
        "/live?of=estate", "/live?of=lib", "/live?of=alerts", "/quarantine", "/quarantine?show=closed",
        "/quarantine?agent=edge-lib", "/quarantine?reason=unknown_point", "/spells", "/spells?show=decided",
    ]  # fmt: skip


def test_no_page_and_no_api_names_anything_of_another_building(lib, client_of, sample):
    for path in paths(sample):
        answer = lib.get(path)
        assert answer.status_code == 200, path
        assert FOREIGN.findall(answer.text) == [], path
    everybody = "".join(client_of("Kim").get(path).text for path in ("/", "/alerts?state=all", "/live?of=estate"))
    assert {"office", "hall"} <= set(FOREIGN.findall(everybody)), "what is looked for can be found"


def test_other_buildings_are_not_even_asked_for(lib, client_of, asked, sample):
    asked.points, asked.tags = set(), []
    for path in paths(sample):
        lib.get(path)
    here = {p.id for p in sample.catalogue.points if sample.catalogue.meter[p.meter].building == "lib"}
    assert asked.points
    assert asked.points <= here
    assert asked.tags
    meters = {m.id for m in sample.catalogue.meters_of("lib")}
    assert all(tags.get("meter") in meters or tags.get("building") == "lib" for tags in asked.tags)
    asked.tags = []
    client_of("Kim").get("/")
    assert [set(tags) for tags in asked.tags] == [{"utility"}], "who may see all is asked one question"


def test_records_are_asked_for_what_shows_and_no_more(lib, sample):
    asked = []
    listen = (sample.records, "before_cursor_execute", lambda *given: asked.append(given[2]))
    sa.event.listen(*listen)
    try:
        for path in ("/", "/alerts?state=all", "/quarantine"):
            lib.get(path)
    finally:
        sa.event.remove(*listen)
    cases = [one for one in asked if "FROM alert" in one]
    items = [one for one in asked if "FROM quarantine" in one]
    assert cases
    assert items
    assert all("alert.building IN" in one for one in cases)
    assert all("quarantine.agent IN" in one for one in items)


@pytest.mark.parametrize(
    "path",
    [
        "/buildings/{}",
        "/alerts?building={}",
        "/api/buildings/{}/today",
        "/api/buildings/{}/days/electricity",
        "/live?of={}",
        "/events?of={}",
    ],
)
def test_another_building_is_one_that_does_not_exist(lib, client_of, path):
    hidden, absent = lib.get(path.format("office")), lib.get(path.format("nowhere"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace("office", "nowhere") == absent.text
    if "events" not in path:
        assert client_of("Kim").get(path.format("office")).status_code == 200


def test_another_buildings_case_is_one_that_does_not_exist(lib, sample, foreign):
    alert, absent = foreign[0], uuid4()
    for path in ("/alerts/{}", "/api/alerts/{}/evidence"):
        hidden = lib.get(path.format(alert))
        assert hidden.status_code == 404
        assert hidden.text.replace(str(alert), str(absent)) == lib.get(path.format(absent)).text
    for what in ("acknowledge", "release", "close", "reopen", "snooze", "wake", "weekly"):
        said = {"verdict": "fixed", "cause": "data", "asleep_until": "1h", "reason": "x"}
        assert post(lib, f"/alerts/{alert}/{what}", **said).status_code == 404
    assert Casebook(sample.records).alert(alert) == sample.alerts["door_left_open"]


def test_lists_and_counts_leave_other_buildings_out(lib):
    text = lib.get("/alerts?state=all").text
    assert re.findall(r'class="count">(\d+)', text) == ["3", "0", "0", "0", "0", "0", "3"]
    assert '<option value="lib"' in text
    assert re.search(r'id="alert-badge"[^>]*>3<', text)


def test_the_stream_leaves_other_buildings_out(lib, sample):
    with lib.stream("GET", "/events?of=estate") as answer:
        lines = answer.iter_lines()
        first = next_event(lines)
        assert any('id="power-lib"' in line for line in first)
        sample.say("office-power/active_power/total", 12_345.0, NOW)
        sample.say("lib-power/active_power/total", 54_321.0, NOW)
        then = next_event(lines)
    assert any('id="power-lib"' in line and "54.3" in line for line in then)
    assert FOREIGN.findall("\n".join(first + then)) == []
    power = re.search(r'id="power-estate".*', "\n".join(then))[0]
    assert "54.3" in power, "the estate's power is the power of what shows"


def test_the_quarantine_shows_what_came_from_agents_that_show_alone(lib, sample, foreign):
    text = lib.get("/quarantine").text
    assert text.count('<th scope="row">') == 4
    assert "Message that cannot be read" not in text
    assert lib.get(f"/quarantine/{foreign[1]}").status_code == 404
    for what in ("replay", "discard"):
        assert post(lib, f"/quarantine/{foreign[1]}/{what}", reason="x").status_code == 404
    post(lib, "/quarantine/replay", reason="malformed")
    assert Quarantine(sample.records).item(foreign[1]).state is ItemState.WAITING
    assert Errands(sample.records).waiting() == []


DOUBT = Spell(1_790_000_000_000, 1_790_000_900_000, None, 61_234.5, 0.0, Outcome.IN_DOUBT)


@pytest.fixture
def doubts(sample):
    """Spells of a counter that shows, and of one of another building."""
    spells, points = Spells(sample.records), ("lib-power/energy_import/total", "office-power/energy_import/total")
    for point in points:
        spells.replace(point, 0, 2**62, [DOUBT])
    yield [spells.asked([point])[0] for point in points]
    for point in points:
        spells.replace(point, 0, 2**62, [])


def test_registers_in_doubt_are_those_of_meters_that_show_alone(lib, client_of, sample, doubts):
    shown, other = doubts
    text = lib.get("/spells").text
    assert FOREIGN.findall(text) == []
    assert (text.count('<th scope="row">'), client_of("Kim").get("/spells").text.count('<th scope="row">')) == (1, 2)
    assert re.search(r'href="/spells".*?>1<span class="unseen"> waiting', text, re.DOTALL)
    assert [lib.get(f"/spells/{one.number}").status_code for one in doubts] == [200, 404]
    for what in ("accept", "reject", "ask-again"):
        assert post(lib, f"/spells/{other.number}/{what}", reason="x", changes=0).status_code == 404
        assert post(client_of("Guest"), f"/spells/{shown.number}/{what}", reason="x", changes=0).status_code == 403
    assert len(Spells(sample.records).asked()) == 2


ACTS_ON_ENTRIES = ("accept", "dismiss", "ask-again")


def test_proposed_entries_are_those_of_buildings_that_show_alone(lib, client_of, sample):
    with writing(sample.records) as connection:
        for building in ("lib", "office"):
            values = {"building": building, "utility": "electricity", "meter": f"{building}-power", "at": NOW}
            values |= {"quantity": "energy_import", "month": "2026-09", "reason": "r", "differences": {}}
            values |= {"state": "proposed", "decided_by": "", "decision": ""}
            connection.execute(sa.insert(adjustment).values(values))
    seen = [one.get("/spells").text.count("2026-09") for one in (lib, client_of("Kim"))]
    numbers = {one.building: one.number for one in Proposals(sample.records).open_ones()}
    pages = [lib.get(f"/entries/{numbers[building]}").status_code for building in ("lib", "office")]
    acts = [post(lib, f"/entries/{numbers['office']}/{act}", reason="x").status_code for act in ACTS_ON_ENTRIES]
    guest = [
        post(client_of("Guest"), f"/entries/{numbers['lib']}/{act}", reason="x").status_code for act in ACTS_ON_ENTRIES
    ]
    still = len(Proposals(sample.records).open_ones())
    with writing(sample.records) as connection:
        connection.execute(sa.delete(adjustment))
    assert (seen, pages, still) == ([1, 2], [200, 404], 2)
    assert (acts, guest) == ([404] * 3, [403] * 3)


def test_alarms_of_agents_out_of_sight_and_words_that_may_name_them_are_left_out(lib, client_of, running, monkeypatch):
    alarms = [
        Raised(SystemAlarm.GAP_OPEN, "", "1, first of agent edge-1: 5 to 9"),
        Raised(SystemAlarm.AGENT_OFFLINE, "edge-1"),
        Raised(SystemAlarm.DISK_FULL, "edge-lib"),
    ]
    access = running[1].state.parts.access
    seen = Outlook(alarms, [Unknown(Unseen.RECORDS, "as edge-1 said")])
    monkeypatch.setattr(access, "_kept", replace(access._kept, status=SimpleNamespace(outlook=lambda: seen)))
    strip = re.compile(r'<div class="system".*?</div>', re.DOTALL)
    whole, part = (strip.search(client.get("/alerts").text)[0] for client in (client_of("Kim"), lib))
    assert (whole.count("<li>"), part.count("<li>")) == (4, 3)
    assert "edge-1: 5 to 9" in whole
    assert "edge-lib" in part
    assert "edge-1" not in part


def test_the_page_names_points_that_cannot_be_read_to_who_may_see_all(lib, client_of, running, monkeypatch):
    access = running[1].state.parts.access
    seen = Outlook([Raised(SystemAlarm.POINTS_UNREAD, "edge-lib", "line: unread: m1/voltage/l2")], [])
    monkeypatch.setattr(access, "_kept", replace(access._kept, status=SimpleNamespace(outlook=lambda: seen)))
    whole, part = (client.get("/alerts").text for client in (client_of("Kim"), lib))
    assert "cannot be read · edge-lib" in whole
    assert "cannot be read · edge-lib" in part
    assert "m1/voltage/l2" in whole
    assert "m1/voltage/l2" not in part


def test_who_may_only_look_is_told_so_and_changes_nothing(client_of, sample):
    guest, casebook = client_of("Guest"), Casebook(sample.records)
    alert = sample.alerts["night_waste"]
    item = Quarantine(sample.records).items(reason="out_of_range")[0].id
    for path in (f"/alerts/{alert.id}/acknowledge", f"/quarantine/{item}/replay", f"/quarantine/{item}/discard"):
        answer = post(guest, path, reason="x", acts=alert.acts)
        assert answer.status_code == 403, path
        assert "leave this to somebody else" in answer.text
    assert post(guest, "/quarantine/replay", reason="out_of_range").status_code == 403
    assert post(guest, f"/alerts/{alert.id}/close", verdict="fixed", cause="data", acts=alert.acts).status_code == 403
    assert casebook.alert(alert.id) == alert
    assert Quarantine(sample.records).item(item).state is ItemState.WAITING
    assert post(guest, "/language", language="en").status_code == 303


def test_an_act_is_written_down_under_the_name_of_who_looks(lib, sample):
    alert = sample.alerts["night_waste"]
    assert act(lib, alert.id, "acknowledge").status_code == 303
    assert Casebook(sample.records).alert(alert.id).acknowledged_by == "Lib"
    assert act(lib, alert.id, "release").status_code == 303
