"""Events and days of cases, from real records: none overwrites another, and looking again changes nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from rigs.rollup_hall import estate, ms

from accounting.calendars import SiteCalendar
from analytics.rollups.case_days import CaseDays, CaseSpan
from analytics.rollups.happenings import Happenings
from facility.ledger.installation import BEGINNING, Installation
from facility.model import Closure
from facility.work import Cause, Evidence, Finding, Severity, Verdict
from stores.readings.memory import MemoryStore
from stores.records.casebook import Casebook
from stores.records.registry import Registry

SINCE = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
NOW = round(SINCE.timestamp() * 1000) + 2 * 3_600_000
MINUTE = 60_000


def finding(meter="m0", detector="night_waste", since=SINCE, severity=Severity.WATCH):
    evidence = (Evidence(f"{meter}/energy_import/total", since, since + timedelta(hours=1)),)
    params = {"excess_qty": 3.0, "unit": "kWh", "night_share": 0.5}
    return Finding(detector, f"{meter}/energy_import/total", meter, "hall", since, since + timedelta(hours=1),
                   severity, 0.9, evidence, params)  # fmt: skip


@pytest.fixture
def hall():
    catalogue = estate(2)
    site = replace(catalogue.site, closures=(Closure(date(2026, 7, 20), date(2026, 7, 24), "Summer"),))
    at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    ledger = (
        Installation("m0", since=BEGINNING, serial="old"),
        Installation("m0", since=at, serial="new", opening=0.0),
    )
    return replace(catalogue, site=site, installations=ledger)


class Estate:
    """What happens in a hall, minute by minute."""

    def __init__(self, hall, records):
        self.store, self.cases, self.registry, self.hall = MemoryStore(), Casebook(records), Registry(records), hall
        self.begin()

    def begin(self, hall=None):
        self.hall = hall or self.hall
        calendar = SiteCalendar(self.hall.site)
        self.happenings = Happenings(self.store, self.hall, calendar, self.cases, self.registry.revisions)

    def events(self, kind):
        found = []
        for rows in self.store.read_rollup("events", {"kind": kind}, 0, 2**52):
            for k, t_ms in enumerate(rows.t_ms.tolist()):
                found.append((t_ms, dict(rows.tags), {name: column[k] for name, column in rows.fields.items()}))
        return sorted(found, key=lambda one: one[0])

    def days(self):
        (rows,) = self.store.read_rollup("alert_1d", {}, 0, 2**52)
        return {
            t: tuple(rows.fields[name][k] for name in ("raised", "settled", "open"))
            for k, t in enumerate(rows.t_ms.tolist())
        }


@pytest.fixture
def town(hall, records):
    return Estate(hall, records)


def test_an_alert_is_an_event_that_ends_when_it_is_settled(town):
    alert = town.cases.record(finding(), money=None, notify=True)
    town.happenings.step(NOW)
    ((t_ms, tags, fields),) = town.events("alert")
    assert tags == {"site": "town", "building": "hall", "meter": "m0", "kind": "alert", "type": "night_waste"}
    assert t_ms // 1000 == SINCE.timestamp()
    assert (fields["event_id"], fields["severity"]) == (str(alert.id), Severity.WATCH)
    assert fields["end_ms"] == round(alert.last_seen_at.timestamp() * 1000), "a mark without an end is not drawn"
    assert fields["path"] == f"/alerts/{alert.id}"
    assert fields["title_en"] != fields["title_zh"]
    assert fields["text_en"]
    town.cases.resolve(alert.key, SINCE + timedelta(hours=3))
    town.happenings.step(NOW + MINUTE)
    ((_, _, fields),) = town.events("alert")
    assert fields["end_ms"] == ms("2026-04-01T02:30")


def test_cases_of_weeks_ago_that_are_found_later_are_told_too(town):
    """Of a history that is looked through only after the first minute, what is over already."""
    town.happenings.step(NOW + 21 * 86_400_000)
    alert = town.cases.record(finding(), money=None, notify=False)
    town.cases.resolve(alert.key, SINCE + timedelta(hours=3))
    town.happenings.step(NOW + 21 * 86_400_000 + MINUTE)
    assert [fields["event_id"] for _, _, fields in town.events("alert")] == [str(alert.id)]
    assert town.days() == {ms("2026-04-01T00:00"): (1.0, 1.0, 0.0)}


def test_two_alerts_of_one_building_and_second_do_not_overwrite_each_other(town):
    for meter in ("m0", "m1"):
        for detector in ("night_waste", "stuck_meter"):
            town.cases.record(finding(meter, detector), money=None, notify=True)
    town.happenings.step(NOW)
    assert len(town.events("alert")) == 4


def test_days_off_a_closure_by_its_name_and_swaps_are_events_and_the_first_device_is_none(town):
    town.happenings.step(NOW)
    titles = {(e["title_en"], e["title_zh"]): (t_ms, e["end_ms"]) for t_ms, _, e in town.events("holiday")}
    begun, end = titles["Summer", "Summer"]
    assert (begun // 1000 * 1000, end) == (ms("2026-07-20T00:00"), ms("2026-07-25T00:00"))
    spans = [(t_ms // 1000 * 1000, e["end_ms"]) for t_ms, _, e in town.events("holiday")]
    assert (ms("2026-12-25T00:00"), ms("2026-12-26T00:00")) in spans or any(
        a <= ms("2026-12-25T00:00") < b for a, b in spans
    )
    ((t_ms, tags, fields),) = town.events("swap")
    assert (tags["meter"], t_ms // 1000 * 1000) == ("m0", ms("2026-03-01T08:30"))
    assert fields["end_ms"] == t_ms, "an instant"
    assert "new" in fields["title_en"]
    assert "new" in fields["title_zh"]


def test_a_change_of_the_estate_is_an_event_and_what_is_no_event_any_more_goes(town, hall):
    town.registry.apply(hall, by="anna", at=SINCE)
    town.happenings.step(NOW)
    ((_, _, fields),) = town.events("config")
    assert "1" in fields["title_en"]
    without = replace(hall, site=replace(hall.site, closures=()))
    town.begin(without)
    town.happenings.step(NOW + MINUTE)
    assert "Summer" not in [fields["title_en"] for _, _, fields in town.events("holiday")]


def test_whoever_begins_again_leaves_everything_as_it_was(town):
    alert = town.cases.record(finding(), money=None, notify=True)
    town.happenings.step(NOW)
    before = everything_of(town.store)
    town.begin()
    town.happenings.step(NOW + MINUTE)
    assert everything_of(town.store) == before
    town.cases.close(alert.id, Verdict.ACCEPTED, Cause.EQUIPMENT, "", "li", SINCE + timedelta(hours=5), based_on=0)
    town.happenings.step(NOW + 2 * MINUTE)
    assert everything_of(town.store) != before


def everything_of(store):
    return {
        (name, tuple(sorted(one.tags.items()))): (
            one.t_ms.tolist(),
            {f: [str(x) for x in c.tolist()] for f, c in one.fields.items()},
        )
        for name in ("events", "alert_1d")
        for one in store.read_rollup(name, {}, 0, 2**52)
    }


def test_a_case_counts_on_the_days_on_which_it_began_stood_open_and_was_settled(town):
    alert = town.cases.record(finding(), money=None, notify=True)
    town.happenings.step(NOW)
    first = ms("2026-04-01T00:00")  # raised at half past eleven in the evening, an hour later by London's summer time
    assert town.days() == {first: (1.0, 0.0, 1.0)}
    town.happenings.step(NOW + 2 * 86_400_000)
    assert town.days()[ms("2026-04-02T00:00")] == (0.0, 0.0, 1.0)
    town.cases.resolve(alert.key, datetime(2026, 4, 3, 12, tzinfo=UTC))
    town.happenings.step(NOW + 3 * 86_400_000)
    assert town.days() == {
        first: (1.0, 0.0, 1.0), ms("2026-04-02T00:00"): (0.0, 0.0, 1.0), ms("2026-04-03T00:00"): (0.0, 1.0, 0.0),
    }  # fmt: skip


def test_days_of_23_hours_and_what_cases_cost():
    store, site = MemoryStore(), estate().site
    days = CaseDays(store, SiteCalendar(site), "town")
    kind = ("hall", "leak")
    spans = [
        CaseSpan(kind, ms("2026-03-28T23:59"), ms("2026-03-29T00:00"), 2.0),
        CaseSpan(kind, ms("2026-03-29T23:59"), None, float("nan")),
        CaseSpan(kind, ms("2026-03-29T03:00"), ms("2026-03-30T00:00"), 5.5),
    ]
    for _ in range(2):
        days.write(kind, spans, ms("2026-03-30T12:00"))
    (rows,) = store.read_rollup("alert_1d", {}, 0, 2**52)
    assert rows.t_ms.tolist() == [ms("2026-03-28T00:00"), ms("2026-03-29T00:00"), ms("2026-03-30T00:00")]
    assert rows.fields["raised"].tolist() == [1.0, 2.0, 0.0]
    assert rows.fields["settled"].tolist() == [0.0, 1.0, 1.0]
    assert rows.fields["open"].tolist() == [1.0, 2.0, 1.0]
    assert rows.fields["excess_cost"].tolist()[:2] == [2.0, 5.5]
    assert np.isnan(rows.fields["excess_cost"][2])
