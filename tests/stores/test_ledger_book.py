"""What people note in ledgers is held against the readings, kept with its reason, and computed again."""

from dataclasses import replace

import pytest
from rigs.one_meter import SITE, SWAPPED_AT, at, ms, readings

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.ledger.changes import DeviceSwap, EntryRemoval, LedgerCorrection
from facility.remark import Remark, RemarkKind
from stores.ledger_book import LedgerBook
from stores.readings.memory import MemoryStore
from stores.records.accounting.recomputations import Recomputations
from stores.records.audit import Audit
from stores.records.registry import Registry
from stores.records.stale import Stale

NOW = at("2026-11-20T00:00")
SWAP = DeviceSwap("main", at(SWAPPED_AT), "display failed", "wang", "B2", closing=580.625, opening=2)
PLATE = LedgerCorrection("main", at("2026-09-21T00:00"), "r", "li", ct_ratio=60, agent_from=at("2026-10-02T00:00"))


class Office:
    """A registry and readings; a new book for each thing that is noted, as a page or a command opens one."""

    def __init__(self, engine, site=SITE):
        self.engine, self.registry, self.store = engine, Registry(engine), MemoryStore()
        self.registry.apply(load_site(site, "site.yaml", load_profiles()), by="li", at=at("2026-08-01T00:00"))
        self.store.write(readings())

    def book(self):
        return LedgerBook(self.registry, lambda: self.store)

    def ledger(self):
        return self.registry.load().installations


@pytest.fixture
def office(engine):
    return Office(engine)


def test_a_swap_is_kept_with_its_reason_and_computed_again(office):
    noted = office.book().swap(SWAP, NOW)
    assert "changed meter main: serial 'A1' → 'B2'" in map(str, noted.changes)
    assert noted.remarks == ()
    assert office.registry.load().meter["main"].serial == "B2"
    entry = Audit(office.engine).entries()[0]
    assert (entry.who, entry.what) == ("wang", "meter.swap")
    assert entry.detail.startswith("main: display failed: ")
    (one,) = Recomputations(office.engine).open_ones()
    assert one.first_ms == ms(SWAPPED_AT)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"closing": 77}, "closing read 77 is below what the old register had shown before .580.5."),
        (
            {"closing": 900_580},
            "closing read 900580 is above what the old register can have reached",
        ),
        ({"opening": 3}, "opening read 3 is above what the new register first showed .2.125."),
        ({"opening": 3, "digits": 4}, "opening read 3 is above"),
        ({"opening": 2_000, "digits": 3}, "opening read 2000 is more than the register holds"),
        ({"reason": " "}, "reason: is empty"),
    ],
)
def test_what_the_readings_contradict_leaves_nothing_behind(office, wrong, words):
    with pytest.raises(ConfigError, match=words):
        office.book().swap(replace(SWAP, **wrong), NOW)
    assert office.ledger() == ()
    assert Recomputations(office.engine).open_ones() == []


def test_a_register_that_rolled_over_since_its_opening_read_is_believed(office):
    office.book().swap(replace(SWAP, digits=4, opening=9_999.9), NOW)
    assert office.ledger()[1].opening == 9_999.9


def test_a_register_cannot_have_grown_faster_than_its_feeder_delivers(engine):
    office = Office(engine, SITE.replace("ct_ratio: 40,", "ct_ratio: 40, most_per_hour: 40,"))
    with pytest.raises(ConfigError, match="is too far below what the new register first showed"):
        office.book().swap(replace(SWAP, opening=0.5), NOW)
    with pytest.raises(ConfigError, match=r"its feeder can deliver 0\.75 up to then"):
        office.book().swap(replace(SWAP, closing=581.5), NOW)
    office.book().swap(replace(SWAP, closing=581.2), NOW)


def test_a_change_that_rests_on_an_older_book_is_refused(office):
    mine, yours = office.book(), office.book()
    yours.swap(SWAP, NOW)
    with pytest.raises(Stale, match="wang, 2026-11-19 16:00 UTC: "):
        mine.correct(PLATE, NOW)
    assert office.book().history("main")[-1].serial == "B2"


def test_a_swap_under_a_wrong_date_is_taken_out_and_noted_under_the_right_one(office):
    wrong = replace(SWAP, at=at("2026-09-20T10:30"), closing=None)
    office.book().swap(wrong, NOW)
    with pytest.raises(ConfigError, match="take it out first"):
        office.book().swap(SWAP, NOW)
    noted = office.book().remove(EntryRemoval("main", wrong.at, "wrong day", "wang"), NOW)
    assert "changed meter main: serial 'B2' → 'A1'" in map(str, noted.changes)
    entry = Audit(office.engine).entries()[0]
    assert (entry.who, entry.what) == ("wang", "meter.remove-entry")
    office.book().swap(SWAP, NOW)
    assert office.ledger()[-1].since == SWAP.at


def test_a_correction_writes_nothing_that_a_document_may_not_say(office):
    office.book().swap(SWAP, NOW)
    again = LedgerCorrection("main", SWAP.at, "photo read again", "li")
    for wrong, words in (
        ({"serial": "A1"}, "serial 'A1' hung there before"),
        ({"digits": 3, "opening": 2_000}, "opening read 2000 is more than the register holds"),
        ({"since": at("2026-09-01T00:00"), "closing": 4}, "the first installation closes nothing"),
    ):
        with pytest.raises(ConfigError, match=words):
            office.book().correct(replace(again, **wrong), NOW)
    office.book().correct(replace(again, digits=5), NOW)
    exported = load_site(dump_site(office.registry.load()), "site.yaml", load_profiles())
    assert office.registry.difference(exported).changes == []


def test_an_agent_that_must_know_a_ratio_is_a_remark(office):
    noted = office.book().correct(PLATE, NOW)
    params = {"agent": "edge-1", "since": at("2026-10-02T00:00")}
    assert noted.remarks == (Remark(RemarkKind.AGENT_MUST_KNOW, params),)
    assert office.registry.load().meter["main"].ct_ratio == 60
    with pytest.raises(ConfigError, match="the ledger already says so"):
        office.book().correct(PLATE, NOW)


def test_a_restart_that_came_at_another_time_than_planned_is_put_right(office):
    planned = at("2999-01-01T08:00")
    office.book().correct(replace(PLATE, agent_from=planned), NOW)
    office.book().remove(EntryRemoval("main", planned, "restarted earlier", "li"), NOW)
    assert office.registry.load().meter["main"].ct_ratio == 40
    office.book().correct(replace(PLATE, agent_from=at("2026-11-01T08:00")), NOW)
    assert [(one.ct_ratio, one.told_ct_ratio) for one in office.ledger()] == [(40, None), (60, 40), (60, None)]


def test_a_ratio_that_no_agent_learns_needs_no_remark_and_stays_out_of_its_extract(office):
    assert office.book().correct(replace(PLATE, agent_from="never"), NOW).remarks == ()
    assert office.registry.load().meter["main"].ct_ratio == 40


def test_history_is_that_of_a_known_meter(office):
    assert [one.serial for one in office.book().history("main")] == ["A1"]
    with pytest.raises(ConfigError, match=r"meter: unknown meter 'nobody' \(allowed: main\)"):
        office.book().history("nobody")
