"""What the pages say, in both languages, with and without figures."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import numpy as np
import pytest
from rigs.rights import everything
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.visitor import act, acts_on, choose, post

from console import cases
from console.figures.evidence import _broken_where_silent
from console.guard import csrf_token
from facility.work import RUNNING, AlertState, Cause, Finding, Severity, Verdict
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry


def test_now_shows_every_building_with_power_and_comparison(visitor, sample):
    text = visitor.get("/").text
    for building in sample.catalogue.buildings:
        assert f'id="power-{building.id}"' in text
    assert "above expected" in text
    assert "Real data of 2022 shown as today" in text
    assert "synthetic" in text


@pytest.mark.parametrize(
    ("language", "calm", "unheard"),
    [
        ("en", "Fixed, being checked", "No meter is heard: alerts unknown"),
        ("zh-Hans", "已修复，复查中", "收不到任何表计数据，告警未知"),
    ],
)
def test_D2_a_building_of_which_no_meter_is_heard_is_not_called_calm(sample, language, calm, unheard):
    for later, said, unsaid in ((timedelta(seconds=1), calm, unheard), (timedelta(hours=5), unheard, calm)):
        with (
            served(sample.store, sample.records, lambda later=later: NOW + later) as (address, _),
            httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
        ):
            client.cookies.set("meterhouse_session", sample.session(later=later))
            choose(client, language)
            text = client.get("/").text
            choose(client, "en")
        assert said in text
        assert unsaid not in text


def test_what_was_fixed_just_now_is_being_checked_and_not_called_calm(tmp_path):
    sample = make_sample(tmp_path, NOW)
    casebook, building = Casebook(sample.records), sample.alerts["night_waste"].building
    fixed = [one for one in casebook.alerts(states=RUNNING) if one.building == building]
    for one in fixed:
        casebook.close(one.id, Verdict.FIXED, Cause.EQUIPMENT, "valve", "Kim", NOW, based_on=one.acts)
    assert casebook.being_checked()[building] == len(fixed)
    cookies = {"meterhouse_session": sample.session()}
    with (
        served(sample.store, sample.records, lambda: NOW + timedelta(seconds=1)) as (address, _),
        httpx.Client(base_url=address, trust_env=False, cookies=cookies) as client,
    ):
        for language, words in (("en", "Fixed, being checked"), ("zh-Hans", "已修复，复查中")):
            choose(client, language)
            assert f'href="/alerts?building={building}&amp;state=being_checked"' in client.get("/").text
            assert words in client.get("/").text
            assert words in client.get(f"/alerts/{fixed[0].id}").text
    again = replace(finding_of(fixed[0]), since=NOW + timedelta(minutes=5), seen_at=NOW + timedelta(minutes=30))
    back = casebook.record(again, money=None, notify=False)
    assert (back.state, back.id) == (AlertState.OPEN, fixed[0].id), "it shows again: that is told at once"
    casebook.settle(NOW + timedelta(days=4), {})
    assert casebook.being_checked() == {}, "the others have stayed so"
    sample.store.close()
    sample.records.dispose()


def finding_of(alert):
    return Finding(
        alert.detector, alert.point, alert.meter, alert.building, alert.since, alert.last_seen_at, alert.severity,
        alert.confidence, alert.evidence, alert.params, alert.excess,
    )  # fmt: skip


def test_names_are_escaped(visitor):
    text = visitor.get("/buildings/lab").text
    assert "Crick &amp; Rook &lt;Laboratory&gt;" in text
    assert "<Laboratory>" not in text


def test_a_language_is_kept_for_the_person(visitor):
    answer = choose(visitor, "zh-Hans")
    assert answer.headers["location"] == "/alerts"
    text = visitor.get("/").text
    assert '<html lang="zh-Hans">' in text
    assert "滨河图书馆" in text
    choose(visitor, "en")
    assert "Riverside Library" in visitor.get("/").text


@pytest.mark.parametrize(("language", "words"), [("en", "There is no such page"), ("zh-Hans", "页面不存在")])
@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/buildings/none",
        "/alerts/none",
        "/alerts?state=odd",
        "/alerts?building=none",
        "/live?of=x",
        "/quarantine/99",
    ],
)
def test_a_wrong_address_is_a_page_that_says_so(visitor, language, words, path):
    choose(visitor, language)
    answer = visitor.get(path)
    choose(visitor, "en")
    assert answer.status_code == 404
    assert words in answer.text


def test_the_browsers_language_greets_a_stranger(stranger):
    assert "登录" in stranger.get("/sign-in", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}).text
    assert "Sign in" in stranger.get("/sign-in", headers={"accept-language": "fr-FR"}).text


def test_who_has_chosen_no_language_reads_the_browsers(visitor, sample):
    visitor.cookies.set("meterhouse_session", sample.session("Newcomer"))
    assert '<html lang="zh-Hans">' in visitor.get("/", headers={"accept-language": "zh-CN"}).text
    assert '<html lang="en">' in visitor.get("/", headers={"accept-language": "en-GB"}).text


def test_open_cases_come_first_and_what_is_over_is_calm(visitor, sample):
    text = visitor.get("/alerts?state=all").text
    alerts = sorted(sample.alerts.values(), key=lambda alert: text.index(str(alert.id)))
    assert [alert.state for alert in alerts[:3]] == ["open"] * 3
    raised = [alert.raised_at for alert in alerts]
    assert raised == sorted(raised[:3], reverse=True) + sorted(raised[3:], reverse=True)
    assert text.count("severity-over") == text.count("case-over") == 2


def test_room_temperature_is_that_of_rooms_alone(visitor):
    text = visitor.get("/").text
    assert re.search(r'id="freezer".*?19\.', text, re.DOTALL)
    assert re.search(r'id="room-temperature".*?>20\.6<', text, re.DOTALL)


@pytest.mark.parametrize("state", ["open", "acknowledged", "snoozed", "resolved", "being_checked", "closed", "all"])
def test_filters_show_their_cases(visitor, sample, state):
    text = visitor.get("/alerts", params={"state": state}).text
    shown = sum(str(alert.id) in text for alert in sample.alerts.values())
    some = {"open": 3, "resolved": 1, "being_checked": 1, "all": 5}
    assert shown == some.get(state, 0)
    assert ("Nothing here" in text) == (shown == 0)


def test_an_alert_is_taken_given_back_closed_and_opened_again(visitor, sample):
    alert, casebook = sample.alerts["night_waste"], Casebook(sample.records)
    steps = [
        ("acknowledge", {}, AlertState.ACKNOWLEDGED),
        ("release", {}, AlertState.OPEN),
        ("close", {"verdict": "expected", "cause": "process", "note": "Open day"}, AlertState.CLOSED),
        ("reopen", {}, AlertState.OPEN),
    ]
    for what, fields, state in steps:
        answer = act(visitor, alert.id, what, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{alert.id}")
        assert casebook.alert(alert.id).state is state
    text = visitor.get(f"/alerts/{alert.id}").text
    assert "Kim took it" in text
    assert "Open day" in text


@pytest.mark.parametrize(("language", "words"), [("en", ("Snoozed", "the plumber comes")), ("zh-Hans", ("已暂缓",))])
def test_an_alert_is_snoozed_for_a_reason_and_woken(visitor, sample, language, words):
    alert, casebook = sample.alerts["night_waste"], Casebook(sample.records)
    assert act(visitor, alert.id, "snooze", asleep_until="1h").status_code == 422
    for until, reason in (("1h", " "), ("never", "x"), ("2099-01-01", "x")):
        assert act(visitor, alert.id, "snooze", asleep_until=until, reason=reason).status_code == 409
    assert casebook.alert(alert.id).state is AlertState.OPEN
    assert act(visitor, alert.id, "snooze", asleep_until="tomorrow", reason="the plumber comes").status_code == 303
    choose(visitor, language)
    text = visitor.get(f"/alerts/{alert.id}").text + visitor.get("/alerts?state=snoozed").text
    choose(visitor, "en")
    for word in words:
        assert word in text
    assert act(visitor, alert.id, "wake").status_code == 303
    assert casebook.alert(alert.id).state is AlertState.OPEN


def test_what_was_expected_can_be_expected_every_week(visitor, sample):
    alert, casebook = sample.alerts["night_waste"], Casebook(sample.records)
    assert "Expect this every week" not in visitor.get(f"/alerts/{alert.id}").text
    act(visitor, alert.id, "close", verdict="expected", cause="process", note="choir")
    assert "Expect this every week" in visitor.get(f"/alerts/{alert.id}").text
    assert post(visitor, f"/alerts/{alert.id}/weekly", reason="").status_code in {409, 422}
    for _ in range(2):
        assert post(visitor, f"/alerts/{alert.id}/weekly", reason="choir").status_code == 303
    (plan,) = casebook.plans.all_of()
    assert (plan.meter, plan.detector, plan.every_week, plan.reason) == (alert.meter, "night_waste", True, "choir")
    casebook.plans.withdraw(plan.id, "Kim", NOW)
    act(visitor, alert.id, "reopen")


def test_htmx_gets_only_the_part_that_changed(visitor, sample):
    token = csrf_token(visitor.cookies["meterhouse_session"])
    headers = {"hx-request": "true", "x-csrf-token": token}
    alert = sample.alerts["door_left_open"].id
    answer = visitor.post(f"/alerts/{alert}/acknowledge", headers=headers, data={"acts": acts_on(visitor, alert)})
    assert answer.text.lstrip().startswith('<div id="case-acts"')
    assert "You took it." in answer.text
    acts = re.search(r'name="acts" value="(\d+)"', answer.text)[1]
    again = visitor.post(f"/alerts/{alert}/release", headers=headers, data={"acts": acts})
    assert "You gave it back." in again.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Somebody was quicker", "Kim took it", "Kim closed it", "a fair")),
        ("zh-Hans", ("已被他人处理", "Kim 已接单")),
    ],
)
@pytest.mark.parametrize("late", [("acknowledge", {}), ("close", {"verdict": "fixed", "cause": "data"})])
def test_who_acts_on_what_somebody_has_changed_is_told_who_did_what(visitor, sample, late, language, words):
    alert, casebook = sample.alerts["continuous_flow"].id, Casebook(sample.records)
    seen = acts_on(visitor, alert)
    act(visitor, alert, "acknowledge")
    act(visitor, alert, "close", verdict="expected", cause="process", note="a fair")
    stands = casebook.alert(alert)
    choose(visitor, language)
    what, fields = late
    refused = post(visitor, f"/alerts/{alert}/{what}", acts=seen, **fields)
    choose(visitor, "en")
    assert refused.status_code == 409
    for said in words:
        assert said in refused.text
    assert casebook.alert(alert) == stands
    act(visitor, alert, "reopen")
    act(visitor, alert, "release")


def test_an_undo_from_an_old_page_does_not_take_back_another_verdict(visitor, sample):
    alert, casebook = sample.alerts["continuous_flow"].id, Casebook(sample.records)
    act(visitor, alert, "close", verdict="fixed", cause="data")
    seen = acts_on(visitor, alert)
    act(visitor, alert, "reopen")
    act(visitor, alert, "close", verdict="false_alarm", cause="data")
    assert post(visitor, f"/alerts/{alert}/reopen", acts=seen).status_code == 409
    assert casebook.alert(alert).verdict == "false_alarm"
    act(visitor, alert, "reopen")


@pytest.mark.parametrize("acts", ["", "x", "-1", "1.5"])
def test_a_form_that_does_not_say_what_it_is_based_on_changes_nothing(visitor, sample, acts):
    alert = sample.alerts["continuous_flow"].id
    before = Casebook(sample.records).alert(alert)
    assert post(visitor, f"/alerts/{alert}/acknowledge", acts=acts).status_code == 422
    assert post(visitor, f"/alerts/{alert}/acknowledge").status_code == 422
    assert Casebook(sample.records).alert(alert) == before


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"verdict": "whatever", "cause": "data"},
        {"verdict": "fixed"},
        {"verdict": "fixed", "cause": "whatever"},
        {"verdict": "fixed", "cause": "data", "note": "x" * 501},
    ],
)
def test_a_verdict_that_is_none_changes_nothing(visitor, sample, fields):
    alert = sample.alerts["continuous_flow"]
    assert act(visitor, alert.id, "close", **fields).status_code == 422
    assert Casebook(sample.records).alert(alert.id).state is AlertState.OPEN


def test_the_card_says_what_where_how_much_and_how_sure(visitor, sample):
    text = visitor.get(f"/alerts/{sample.alerts['continuous_flow'].id}").text
    for words in ("Act today", "Library water meter", "Plant room", "£21.50", "Very likely (95%)", "Likely cause"):
        assert words in text


def test_the_evidence_has_a_band_a_line_and_a_shaded_span(visitor, sample):
    alert = sample.alerts["night_waste"]
    (plot,) = visitor.get(f"/api/alerts/{alert.id}/evidence").json()
    assert [line["shape"] for line in plot["lines"]] == ["lo", "hi", "dashed", "step"]
    assert {len(line["y"]) for line in plot["lines"]} == {len(plot["x"])}
    assert plot["spans"][0]["start"] == alert.since.timestamp()


def test_a_door_is_drawn_as_a_state(visitor, sample):
    door, power = visitor.get(f"/api/alerts/{sample.alerts['door_left_open'].id}/evidence").json()
    assert door["states"] == ["closed", "open"]
    assert door["lines"][0]["shape"] == "state"
    assert power["unit"] == "kW"


def test_what_is_absent_is_null_and_never_zero(visitor):
    plot = visitor.get("/api/buildings/lib/today").json()
    assert "NaN" not in visitor.get("/api/buildings/lib/today").text
    used = next(line for line in plot["lines"] if line["shape"] == "step")
    assert used["y"][-1] is None


def test_thirty_days_have_a_bar_each(visitor):
    plot = visitor.get("/api/buildings/lib/days/electricity").json()
    assert 29 <= len(plot["x"]) <= 31
    assert plot["grain"] == "day"


def test_only_hours_that_have_passed_are_expected_by_now(visitor, app):
    text = visitor.get("/buildings/hall").text
    assert "were expected by now" in text


@pytest.fixture
def empty(tmp_path):
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    store = MemoryStore()
    people = People(records)
    link = people.invite("Kim", NOW)
    everything(records, "Kim", NOW)
    session = people.redeem(link, NOW, 600)
    with (
        served(store, records, lambda: NOW) as (address, _),
        httpx.Client(
            base_url=address, headers={"accept": "text/html"}, cookies={"meterhouse_session": session}, trust_env=False
        ) as client,
    ):
        yield client, records, store
    records.dispose()


def test_what_nobody_has_read_is_unknown_and_no_use_of_nothing(empty, sample):
    client, records, _ = empty
    Registry(records).apply(sample.catalogue, by="test", at=NOW)
    assert client.get("/").text.count("Nothing is known of the last 24 hours") == len(sample.catalogue.buildings)
    text = client.get("/buildings/hall").text
    assert "Nothing is known of today&#39;s use yet." in text
    assert "– used so far" not in text
    assert not re.search(r"·\s*<span id=\"seen-hall\"", text)


def test_without_an_estate_the_page_says_what_to_do(empty):
    client, _, _ = empty
    answer = client.get("/")
    assert answer.status_code == 503
    assert "meterhouse site apply" in answer.text


def test_an_estate_without_readings_shows_no_figures_and_no_errors(empty, sample):
    client, records, _ = empty
    Registry(records).apply(sample.catalogue, by="test", at=NOW)
    for path in ("/", "/buildings/lib", "/alerts", "/quarantine", "/live?of=lib", "/api/buildings/lib/today"):
        assert client.get(path).status_code == 200, path
    assert "No expectation yet" in client.get("/").text
    assert "Nothing here" in client.get("/alerts").text
    assert "Nothing is waiting" in client.get("/quarantine").text


def test_a_long_list_of_cases_is_turned_over_page_by_page(empty, sample, monkeypatch):
    monkeypatch.setattr(cases, "MOST_COUNTED", 100)
    client, records, _ = empty
    Registry(records).apply(sample.catalogue, by="test", at=NOW)
    casebook = Casebook(records)
    for n in range(104):
        at = NOW - timedelta(hours=n)
        finding = Finding(
            "night_waste", f"m{n}/e/total", f"m{n}", "lib", at, at, Severity.ACT, 0.9, (), {"extra_qty": 1}
        )
        opened = casebook.record(finding, money=None, notify=False)
        if n % 2:
            casebook.close(opened.id, Verdict.FIXED, Cause.EQUIPMENT, "", "Kim", NOW, based_on=0)
    seen, address = [], "/alerts?state=all&building=lib"
    while address:
        text = client.get(address).text
        assert re.findall(r'class="count">([^<]+)', text) == ["52", "0", "0", "0", "52", "0", "100+"]
        seen.append(re.findall(r'href="/alerts/([0-9a-f-]{36})"', text))
        link = re.search(r'class="button" href="(/alerts[^"]*after=[^"]*)"', text)
        address = link[1].replace("&amp;", "&") if link else ""
    assert [len(page) for page in seen] == [50, 50, 4]
    assert [UUID(one) for page in seen for one in page] == [alert.id for alert in casebook.alerts()]
    assert client.get(f"/alerts/{casebook.alerts()[-1].id}").status_code == 200


@pytest.mark.parametrize("after", ["x", "open~x~y", "odd~20261130T000000.000000Z~" + "0" * 32, "open~~", "%00"])
def test_a_place_that_is_none_is_a_page_that_does_not_exist(visitor, after):
    assert visitor.get(f"/alerts?after={after}").status_code == 404


def test_use_without_a_baseline_is_not_compared(empty, sample):
    client, records, store = empty
    Registry(records).apply(sample.catalogue, by="test", at=NOW)
    t = np.array([round((NOW - timedelta(hours=h)).timestamp() * 1000) for h in (3, 2, 1)], np.int64)
    tags = {"site": "test-estate", "building": "lib", "utility": "electricity"}
    store.write_rollup("building_1h", [RollupSeries(tags, t - t % 3_600_000, {"qty": np.array([40.0, 41.0, 42.0])})])
    text = client.get("/buildings/lib").text
    assert "What is usual here is still being learned" in text
    assert "123" in text


def test_health_needs_no_session_and_says_little(stranger):
    answer = stranger.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"state": "ok"})


def test_no_line_is_drawn_across_a_silence():
    t_ms, x = _broken_where_silent(np.array([0, 1, 30]) * 3_600_000, np.array([0.0, 2.0, 2.5]))
    assert t_ms.tolist() == [0, 3_600_000, 3_600_001, 30 * 3_600_000]
    assert np.isnan(x[2])
