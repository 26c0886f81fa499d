"""Registers and intervals agree whatever a register showed, and no line shows what was never the register."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.billed_hall import LATER, POINT, QUARTER, ZONE, bill_of, estate, made, ms, sentences, steady
from rigs.rich_bill import FIVE

from accounting.local_time import HOUR_MS
from accounting.spells import Outcome, SpellsInMemory
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import Installation, first_installation, swapped
from facility.model import Quality, Ratio, ReadingBatch
from facility.tariff import Demand
from meterhouse.answers.bill import bill_text
from reports.bill import BILL
from reports.bill_files import bill_csv, bill_xlsx
from reports.closing import close_month
from reports.proof import RegisterEnd
from stores.readings.memory import MemoryStore
from wording.formats import Formats

SIDE = "side/energy_import/total"


def billed(catalogue, books, t_ms, x, q=None, month="2026-10"):
    """The bill, and the spells that were found on the way to it."""
    store, spells = MemoryStore(), SpellsInMemory()
    q = np.zeros(len(t_ms), int) if q is None else q
    store.write(ReadingBatch([POINT], [0] * len(t_ms), t_ms.tolist(), np.asarray(x, float).tolist(), q.tolist()))
    RollupWriter(store, catalogue, None, spells).update(store.changes(0).ranges)
    return made(store, catalogue, books, month, spells=spells), spells


def within(t_ms, start, end):
    return (t_ms >= ms(start)) & (t_ms < ms(end))


def around_october(begin=60_000.0):
    return steady("2026-09-20T00:00", "2026-11-05T00:00", begin=begin)


SPELLS = [
    ("2026-10-12T08:00", "2026-10-12T21:00"),
    ("2026-10-31T18:00", "2026-11-01T09:00"),
    ("2026-10-31T23:45", "2026-11-01T00:30"),
]


@pytest.mark.parametrize("level", [0.0, 4_294_967.295, "neighbour"])
@pytest.mark.parametrize("spell", SPELLS)
def test_a_false_spell_is_proved_and_never_shown_as_a_register(books, level, spell):
    t_ms, x = around_october()
    truth = np.interp([ms("2026-10-01T00:00"), ms("2026-11-01T00:00")], t_ms, x)
    false = within(t_ms, *spell)
    shown = np.where(false, 9_000 + (t_ms - t_ms[0]) / HOUR_MS * 7 if level == "neighbour" else level, x)
    bill, _ = billed(estate(FIVE), books, t_ms, shown)
    (utility,) = bill.utilities
    (line,) = utility.registers
    assert float(utility.quantity) == pytest.approx(8_928, abs=0.002)
    assert utility.residual == 0
    assert [line.opening, line.closing] == pytest.approx(truth.tolist(), abs=1e-6)
    assert line.events == pytest.approx(0, abs=1e-6)
    at_edge = spell[1].startswith("2026-11")
    assert line.closing_is is (RegisterEnd.IN_SILENCE if at_edge else RegisterEnd.READ)
    assert utility.shares.estimated_h > 0
    assert utility.shares.missing_h == 0


def test_a_spell_in_doubt_is_missing_in_no_demand_and_named(books):
    t_ms, x = steady("2026-09-20T00:00", "2026-11-01T00:00", begin=60_000.0)
    shown = np.where(t_ms >= ms("2026-10-20T08:00"), 0.0, x)
    bill, spells = billed(estate(replace(FIVE, demand=Demand(40.0))), books, t_ms, shown)
    (utility,) = bill.utilities
    assert [one.outcome for one in spells.of(POINT)] == [Outcome.IN_DOUBT]
    assert utility.shares.missing_h == pytest.approx(11 * 24 + 16.25)
    assert utility.shares.estimated_h == 0
    assert float(utility.quantity) == pytest.approx(12 * (19 * 24 + 7.75))
    assert utility.residual == 0
    assert utility.registers[0].closing == pytest.approx(x[t_ms == ms("2026-10-20T07:45")][0])
    assert {line.quantity for line in utility.lines if line.what == "demand"} == {12}
    (doubt,) = sentences(bill.doubts)
    assert doubt.startswith("main: the register went from 68,733 to 0 kWh on 2026-10-20 08:00, and nobody can tell")


def test_the_edges_mark_hides_no_register(books):
    t_ms, x = steady()
    q = np.where(t_ms == ms("2026-11-01T00:00"), int(Quality.SUSPECT), 0)
    bill, _ = billed(estate(FIVE), books, t_ms, x, q)
    (line,) = bill.utilities[0].registers
    assert (line.opening, bill.utilities[0].residual) == (1_000, 0)
    assert line.closing in {1_000 + 744 * 12, 1_000 + 743.75 * 12}


def test_a_register_that_rolls_over_amid_the_step_over_the_months_edge_is_read_forward(books):
    catalogue = estate(FIVE)
    catalogue = replace(catalogue, meters=(replace(catalogue.meters[0], digits=4),))
    t_ms, x = steady("2026-09-20T00:07", "2026-11-05T00:07", begin=10_000 - 264 * 12 + 3)
    bill = bill_of(catalogue, books, (t_ms, x % 10_000))
    (line,) = bill.utilities[0].registers
    face = np.interp([ms("2026-10-01T00:00"), ms("2026-11-01T00:00")], t_ms, x) % 10_000
    assert [line.opening, line.closing] == pytest.approx(face.tolist())
    assert line.opening_is is line.closing_is is RegisterEnd.INTERPOLATED
    assert line.counted == pytest.approx(8_928)


def test_a_register_whose_ratio_changes_between_two_readings_is_one_register(books):
    catalogue = estate(FIVE)
    at = datetime(2026, 10, 20, 2, 7, tzinfo=UTC)
    catalogue = replace(catalogue, points=(replace(catalogue.points[0], ratio=Ratio.CT),))
    first = first_installation(catalogue.meters[0])
    changed = replace(first, since=at, ct_ratio=2.0, told_ct_ratio=1.0, continues=True)
    t_ms, x = steady()
    bill = bill_of(replace(catalogue, installations=(first, changed)), books, (t_ms, x))
    before, after = bill.utilities[0].registers
    face = float(np.interp(round(at.timestamp() * 1000), t_ms, x))
    assert before.closing == after.opening == pytest.approx(face)
    assert before.closing_is is after.opening_is is RegisterEnd.INTERPOLATED
    assert [before.events, after.events] == pytest.approx([0, 0], abs=1e-6)
    assert bill.utilities[0].residual == 0


def test_a_device_that_was_swapped_without_reads_shows_its_own_register_on_either_side(books):
    catalogue = estate(FIVE)
    at = datetime(2026, 10, 14, 2, 37, tzinfo=UTC)
    new = Installation("main", at, "B2")
    history = swapped((replace(first_installation(catalogue.meters[0]), serial="A1"),), new)
    t_ms, x = steady()
    at_ms = round(at.timestamp() * 1000)
    x = np.where(t_ms <= at_ms, x, 3.0 + (t_ms - at_ms) / HOUR_MS * 12)
    bill = bill_of(replace(catalogue, installations=history), books, (t_ms, x))
    first, second = bill.utilities[0].registers
    assert bill.utilities[0].residual == 0
    assert first.closing == x[t_ms <= at_ms][-1]
    assert second.opening == x[t_ms > at_ms][0]
    assert [first.events, second.events] == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("quality", "known"),
    [(Quality.MANUAL, RegisterEnd.READ), (Quality.SUBSTITUTED, RegisterEnd.SUBSTITUTED), (0, RegisterEnd.READ)],
)
def test_a_value_that_somebody_put_in_the_place_of_a_reading_is_no_register_that_was_read(books, quality, known):
    t_ms, x = steady("2026-09-20T00:00", "2026-11-05T00:00")
    q = np.where(t_ms == ms("2026-11-01T00:00"), int(quality), 0)
    bill, _ = billed(estate(FIVE), books, t_ms, x, q)
    (line,) = bill.utilities[0].registers
    assert (line.opening_is, line.closing_is) == (RegisterEnd.READ, known)
    assert ("替代值" in bill_text(bill, Formats("zh-Hans", "Asia/Shanghai", "CNY"))) is (known != RegisterEnd.READ)


@pytest.mark.parametrize(("opening", "closing"), [(None, None), (5.0, None), (None, 50.0), (5.0, 50.0)])
def test_a_device_that_was_gone_before_it_was_ever_read_shows_nothing_in_any_form(books, opening, closing):
    catalogue = estate(FIVE)
    at = [datetime(2026, 10, day, 2, tzinfo=UTC) for day in (10, 12)]
    history = (replace(first_installation(catalogue.meters[0]), serial="A1"),)
    history = swapped(history, Installation("main", at[0], "B2", opening=opening))
    history = swapped(history, Installation("main", at[1], "C3", opening=3.0, closing=closing))
    t_ms, x = steady()
    first, last = (round(one.timestamp() * 1000) for one in at)
    heard = (t_ms < first) | (t_ms > last)
    t_ms, x = t_ms[heard], np.where(t_ms > last, 3.0 + (t_ms - last) / HOUR_MS * 12, x)[heard]
    bill = bill_of(replace(catalogue, installations=history), books, (t_ms, x))
    before, unread, after = bill.utilities[0].registers
    assert (before.serial, unread.serial, after.serial) == ("A1", "B2", "C3")
    assert (unread.opening, unread.closing) == (opening, closing)
    ends = [RegisterEnd.UNREAD if read is None else RegisterEnd.READ for read in (opening, closing)]
    assert [unread.opening_is, unread.closing_is] == ends
    assert (unread.events is None, unread.counted) == (
        None in {opening, closing},
        45.0 * (None not in {opening, closing}),
    )
    assert bill.utilities[0].residual == 0
    for language in ("en", "zh-Hans"):
        words = Formats(language, "Asia/Shanghai", "CNY")
        assert not re.search(r"\bnan\b", bill_text(bill, words) + bill_csv(bill, words))
        assert ("从未抄见" in bill_text(bill, words)) is (language == "zh-Hans" and None in {opening, closing})
        assert bill_xlsx(bill, words)[:2] == b"PK"
    json.dumps(BILL.dump_python(bill, mode="json"), allow_nan=False)  # PostgreSQL keeps no NaN
    close_month(bill, books, based_on=0, by="li", at=LATER, accept_missing="B2 was never read")
    kept = made(MemoryStore(), catalogue, books)
    assert kept.utilities[0].registers == bill.utilities[0].registers


def test_part_hours_before_the_first_and_after_the_last_reading_are_missing(books):
    bill = bill_of(estate(FIVE), books, steady("2026-10-05T10:45", "2026-10-28T15:15"))
    shares = bill.utilities[0].shares
    assert (shares.estimated_h, shares.measured_h) == (0, 23 * 24 + 4.5)
    assert shares.missing_h == 4 * 24 + 10.75 + 3 * 24 + 8.75


def test_a_measured_peak_counts_although_a_second_head_meter_begins_later(books):
    t_ms, x = steady()
    x = x + np.where(t_ms > ms("2026-10-05T10:15"), 22.0, 0.0)  # a quarter of 25 kWh: 100 kW
    catalogue = estate(replace(FIVE, demand=Demand(40.0)), heads=2)
    bill = bill_of(catalogue, books, (t_ms, x), steady("2026-10-10T00:00", per_hour=3.0), points=(POINT, SIDE))
    (line,) = [line for line in bill.utilities[0].lines if line.what == "demand"]
    assert (line.quantity, line.amount) == (100, 4_000)
    assert line.peak.at == datetime(2026, 10, 5, 10, 15, tzinfo=ZONE)
    assert line.peak.measured == round(22 / 31, 4)
    assert t_ms[1] - t_ms[0] == QUARTER


def test_a_false_spell_just_before_the_month_is_not_what_the_register_showed(books):
    """The readings that are taken in to judge the first of October begin amid it."""
    t_ms, x = steady("2026-09-20T00:00", "2026-11-05T00:00", step=HOUR_MS)
    false = within(t_ms, "2026-09-29T21:00", "2026-09-29T23:00") | within(t_ms, "2026-10-27T19:00", "2026-10-28T08:00")
    bill, _ = billed(estate(FIVE), books, t_ms, np.where(false, 4_294_967.295, x))
    (line,) = bill.utilities[0].registers
    assert [line.opening, line.closing] == [x[t_ms == ms(day)][0] for day in ("2026-10-01T00:00", "2026-11-01T00:00")]
    assert (bill.utilities[0].residual, line.counted) == (0, pytest.approx(8_928))
    assert bill.utilities[0].shares.measured_h == 744 - 14


@pytest.mark.parametrize("ends", ["2026-10-03T00:00", "2026-10-03T00:20", "2026-11-02T00:00"])
@pytest.mark.parametrize("is_silent", [True, False])
def test_a_month_is_proved_after_one_that_was_closed_amid_a_silence(books, is_silent, ends):
    catalogue, spells, store = estate(FIVE), SpellsInMemory(), MemoryStore()
    writer = RollupWriter(store, catalogue, books, spells)
    t_ms, x = around_october()
    spell = within(t_ms, "2026-09-29T00:00", ends)
    t_ms, x = (t_ms[~spell], x[~spell]) if is_silent else (t_ms, np.where(spell, 0.0, x))
    cursor = 0
    for part, now in ((t_ms <= ms("2026-10-01T12:00"), "2026-10-01T12:00"), (t_ms > 0, "2026-11-05T00:00")):
        store.write(ReadingBatch([POINT], [0] * part.sum(), t_ms[part].tolist(), x[part].tolist()))
        changes = store.changes(cursor)
        cursor = changes.cursor
        writer.update(changes.ranges, now_ms=ms(now))
        if not books.closed():
            at = datetime(2026, 10, 1, 12, tzinfo=ZONE)
            september = made(store, catalogue, books, "2026-09", now=at, spells=spells)
            close_month(september, books, based_on=0, by="li", at=at, accept_missing="the meter was out of order")
    october, november = (made(store, catalogue, books, month, spells=spells) for month in ("2026-10", "2026-11"))
    assert october.utilities[0].residual == november.utilities[0].residual == 0
    assert october.utilities[0].quantity == 8928
    assert not october.doubts
    entered = sum(one.quantity for bill in (october, november) for one in bill.adjustments)
    assert float(entered) == pytest.approx((48 + 0.25) * 12)


@pytest.mark.parametrize("links", [1, 2, 3, 5])
def test_a_month_that_ends_in_a_chain_of_silences_is_proved_by_its_intervals(books, links):
    """Each but the first begins in the hour in which the one before it ended, with a single reading."""
    catalogue = estate(FIVE)
    t_ms, x = steady("2026-09-01T00:00", "2026-11-05T00:00")
    busy = (t_ms / HOUR_MS + 8) % 24 >= 8
    x = 1_000 + np.cumsum(np.where(busy, 5.0, 1.0))
    begin, end = ms("2026-10-31T15:00") - links * 17 * HOUR_MS, ms("2026-11-02T00:00")
    heard = (t_ms <= begin) | (t_ms >= end)
    for k in range(1, links):
        heard |= t_ms == begin + k * 17 * HOUR_MS + QUARTER
    (utility,) = billed(catalogue, books, t_ms[heard], x[heard])[0].utilities
    assert utility.residual == 0
    assert utility.registers[-1].closing_is is RegisterEnd.IN_SILENCE
