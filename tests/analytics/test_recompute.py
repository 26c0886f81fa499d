"""What a changed fact touches is computed again, in pieces, with a difference; closed months get an adjusting entry."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from rigs.rollup_hall import HALL, NOW, assert_same, batch, estate, everything, fed, ms, rows, steady

from accounting.calendars import SiteCalendar
from accounting.dirty import Dirty, dirty_between
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import NoSpells
from analytics.rollups import recompute
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING, Installation, history_of, present_facts, swapped
from facility.model import Price, Ratio
from facility.quantities import Utility
from facility.tariff import PERIODS, Period, Tariff, TariffRule
from reports.bill import BILL
from reports.billing import make_bill
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.recomputations import Recomputations

POINT = "m0/energy_import/total"
METER = {"meter": "m0"}
FIVE = Tariff(
    "five",
    Utility.ELECTRICITY,
    date(2026, 1, 1),
    "notice",
    tuple(zip(PERIODS, (1.6, 1.2, 0.8, 0.4, 0.2), strict=True)),
    (
        TariffRule(Period.PEAK, ((510, 690),)),
        TariffRule(Period.VALLEY, ((1320, 360),)),
        TariffRule(Period.SHARP, ((600, 630),)),
    ),
    Period.FLAT,
)


def priced(*tariffs, prices=()):
    catalogue = estate()
    return replace(catalogue, site=replace(catalogue.site, tariffs=tariffs, prices=prices))


def do_all(store, catalogue, records, books=None):
    writer = RollupWriter(store, catalogue, books)
    again = Recompute(store, writer, catalogue, Recomputations(records))
    pieces = 0
    while again.step(round(NOW.timestamp() * 1000)):
        pieces += 1
    return pieces


def ask(records, first, last=None):
    dirty = [Dirty((POINT,), first, last, "changed")]
    Recomputations(records).ask(dirty, by="li", at=NOW, reason="type plate read")


def test_a_five_tier_tariff_is_priced_to_the_minute_in_hours_and_days():
    store = fed(priced(FIVE), batch(POINT, *steady("2026-01-07T00:00", "2026-01-08T00:00", 900_000, per_hour=2)))
    hours, (day,) = rows(store, "usage_1h", METER), [rows(store, "usage_1d", METER)]
    assert hours.fields["qty_peak"][8] == pytest.approx(1)
    assert hours.fields["cost"][8] == pytest.approx(1 * 0.8 + 1 * 1.2)
    assert hours.fields["qty_sharp"][10] == pytest.approx(1)
    by_period = {p.value: day.fields[f"qty_{p}"][0] for p in PERIODS}
    assert by_period == pytest.approx({"sharp": 1, "peak": 5, "flat": 26, "valley": 16, "deep": 0})
    assert day.fields["cost"][0] == pytest.approx(1.6 + 5 * 1.2 + 26 * 0.8 + 16 * 0.4)
    assert sum(day.fields[f"cost_{p}"][0] for p in PERIODS) == pytest.approx(day.fields["cost"][0])
    assert rows(store, "building_1d").fields["cost_sharp"][0] == pytest.approx(1.6)


def test_a_silence_is_spread_by_the_meters_own_weeks():
    t_ms = ms("2026-01-05T00:00") + np.arange(21 * 24 + 1) * HOUR_MS
    local = SiteCalendar(estate().site).local_hours(t_ms[:-1], estate().buildings[0])
    load = np.where(local.occ == 1, 50.0, 4.0)
    x = np.concatenate(([100.0], 100 + np.cumsum(load)))
    silent = (t_ms > ms("2026-01-22T03:00")) & (t_ms < ms("2026-01-22T16:00"))
    store = fed(estate(), batch(POINT, t_ms[~silent], x[~silent]))
    hours = rows(store, "usage_1h", METER)
    assert hours.fields["qty"].tolist() == pytest.approx(load.tolist())
    assert (hours.fields["est_qty"] > 0).sum() == 13
    late = (t_ms >= ms("2026-01-15T00:00")) & (t_ms < ms("2026-01-16T00:00"))
    before = fed(estate(), batch(POINT, t_ms[~silent & ~late], x[~silent & ~late]))
    before.write(batch(POINT, t_ms[late], x[late]))
    RollupWriter(before, estate()).update({POINT: (int(t_ms[late][0]), int(t_ms[late][-1]))})
    assert rows(before, "usage_1h", METER).fields["qty"].tolist() == pytest.approx(load.tolist())


def swapped_estate():
    """A device that ended at 1,510 on 20 March 10:30 and one that began there at 7."""
    catalogue = estate()
    new = Installation("m0", datetime(2026, 3, 20, 10, 30, tzinfo=UTC), "B2", opening=7.0, closing=1_510.0)
    history = swapped(history_of(catalogue.meter["m0"], ()), new)
    return replace(
        catalogue, installations=history, meters=(present_facts(catalogue.meter["m0"], history), catalogue.meters[1])
    )


def swapped_readings():
    """Twenty units an hour all the time; the first device stood at 1,000 on 19 March 09:00."""
    t_ms = np.arange(ms("2026-03-19T09:00"), ms("2026-03-22T00:00") + 1, HOUR_MS)
    at = ms("2026-03-20T10:30")
    return t_ms, np.where(t_ms <= at, 1_000 + 20 * (t_ms - t_ms[0]) / HOUR_MS, 7 + 20 * (t_ms - at) / HOUR_MS)


def test_a_swap_with_reads_conserves_and_one_noted_later_is_computed_again(records):
    t_ms, x = swapped_readings()
    again = fed(swapped_estate(), batch(POINT, t_ms, x))
    assert rows(again, "usage_1h", METER).fields["qty"].tolist() == pytest.approx([20.0] * (len(t_ms) - 1))
    store = fed(estate(), batch(POINT, t_ms, x))
    assert rows(store, "usage_1h", METER).fields["qty"].sum() != pytest.approx(20 * (len(t_ms) - 1))
    ask(records, datetime(2026, 3, 20, 10, 30, tzinfo=UTC))
    assert do_all(store, swapped_estate(), records) == 2  # March, then April, of which there is nothing
    assert_same(everything(store), everything(again))
    (done,) = Recomputations(records).newest()
    assert done.months["2026-03"]["after"]["qty"] == pytest.approx(20 * (len(t_ms) - 1))
    assert done.months["2026-03"]["before"]["qty"] < done.months["2026-03"]["after"]["qty"]
    assert done.finished_at == NOW


def test_a_wrong_transformer_ratio_is_put_right_from_its_date(records):
    catalogue = estate()
    point = replace(catalogue.points[0], ratio=Ratio.CT)
    wrong = replace(
        catalogue,
        points=(point, *catalogue.points[1:]),
        meters=(replace(catalogue.meters[0], ct_ratio=40), catalogue.meters[1]),
    )
    t_ms, x = steady("2026-03-27T00:00", "2026-04-04T00:00", per_hour=40)
    store = fed(wrong, batch(POINT, t_ms, x))
    april = datetime(2026, 3, 31, 23, tzinfo=UTC)
    first = history_of(wrong.meters[0], ())[0]
    right = replace(first, since=april, ct_ratio=60, told_ct_ratio=40, continues=True)
    ask(records, april)
    do_all(store, replace(wrong, installations=(first, right)), records)
    days = rows(store, "usage_1d", METER).fields["qty"]
    assert days.tolist() == pytest.approx([960.0, 960.0, 920.0, 960.0, 960.0, 1_440.0, 1_440.0, 1_440.0])


def test_work_that_was_cut_short_goes_on_where_it_stopped_and_keeps_its_before(records):
    t_ms, x = steady("2026-01-05T00:00", "2026-04-05T00:00")
    store = fed(priced(prices=(Price(Utility.ELECTRICITY, 0.3, date(2020, 1, 1)),)), batch(POINT, t_ms, x))
    dearer = priced(prices=(Price(Utility.ELECTRICITY, 0.5, date(2020, 1, 1)),))
    todo = Recomputations(records)
    ask(records, BEGINNING)
    now_ms = round(NOW.timestamp() * 1000)
    assert Recompute(store, RollupWriter(store, dearer), dearer, todo).step(now_ms)
    (half,) = todo.open_ones()
    assert list(half.months) == ["2026-01"]
    assert half.next_ms == ms("2026-02-01T00:00")
    todo.note(
        half.id,
        based_on=half.next_ms,
        next_ms=ms("2026-01-01T00:00"),
        months={"2026-01": {"before": half.months["2026-01"]["before"]}},
    )
    assert do_all(store, dearer, records) == 4
    (done,) = todo.newest()
    assert list(done.months) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    for month in done.months.values():
        assert month["after"]["cost"] == pytest.approx(month["before"]["cost"] * 5 / 3)
        assert month["after"]["qty"] == month["before"]["qty"]
    assert_same(everything(store), everything(fed(dearer, batch(POINT, t_ms, x))))


class Paced(RollupWriter):
    """A writer that remembers what it was asked to compute, and when nobody else could come in between."""

    def __init__(self, store, catalogue):
        super().__init__(store, catalogue)
        self.at_once = 0

    def update(self, ranges, **more):
        self.at_once += len(ranges)
        super().update(ranges, **more)


def test_a_month_of_many_counters_lets_others_come_in_between_and_ends_as_if_done_in_one(records, monkeypatch):
    monkeypatch.setattr(recompute, "COUNTERS_AT_ONCE", 2)
    heads, prices = 5, [Price(Utility.ELECTRICITY, x, date(2020, 1, 1)) for x in (0.3, 0.5)]
    cheap, dear = (replace(estate(heads), site=replace(estate().site, prices=(one,))) for one in prices)
    steady_ones = [
        batch(f"m{n}/energy_import/total", *steady("2026-03-30T00:00", "2026-04-02T00:00", 6 * HOUR_MS))
        for n in range(heads)
    ]
    late = batch(POINT, *steady("2026-04-02T00:00", "2026-04-02T12:00", 6 * HOUR_MS, per_hour=0))
    late = replace(late, x=[steady_ones[0].x[-1]] * len(late.x))
    store = fed(cheap, *steady_ones)
    points = tuple(f"m{n}/energy_import/total" for n in range(heads))
    Recomputations(records).ask([Dirty(points, BEGINNING, None, "changed")], by="li", at=NOW, reason="dearer")
    writer, now_ms = Paced(store, dear), round(NOW.timestamp() * 1000)
    again, steps = Recompute(store, writer, dear, Recomputations(records)), 0
    while again.step(now_ms):
        assert writer.at_once <= recompute.COUNTERS_AT_ONCE
        writer.at_once, steps = 0, steps + 1
        if steps == 4:  # amid a month others write what was measured meanwhile
            store.write(late)
            RollupWriter(store, dear).update({POINT: (late.t_ms[0], late.t_ms[-1])})
    assert steps > 2 * 3
    months = Recomputations(records).newest()[0].months
    assert list(months) == ["2026-03", "2026-04"]
    assert months["2026-03"]["after"]["cost"] == pytest.approx(months["2026-03"]["before"]["cost"] * 5 / 3)
    assert_same(everything(store), everything(fed(dear, *steady_ones, late)))


def test_a_month_whose_readings_are_no_longer_kept_stays_as_it_was_computed(records):
    t_ms, x = steady("2026-01-05T00:20", "2026-04-05T00:00")
    whole = fed(priced(prices=(Price(Utility.ELECTRICITY, 0.3, date(2020, 1, 1)),)), batch(POINT, t_ms, x))
    kept, expired = MemoryStore(), t_ms < ms("2026-02-10T00:00")
    kept.write(batch(POINT, t_ms[~expired], x[~expired]))
    for name in ("usage_1h", "usage_1d", "building_1h", "building_1d"):
        kept.write_rollup(name, whole.read_rollup(name, {}, 0, 2**52))
    dearer = priced(prices=(Price(Utility.ELECTRICITY, 0.5, date(2020, 1, 1)),))
    ask(records, BEGINNING)
    do_all(kept, dearer, records)
    for name, tags in (("usage_1h", METER), ("building_1h", HALL)):
        before, after = rows(whole, name, tags), rows(kept, name, tags)
        old, march = after.t_ms < ms("2026-02-28T23:00"), after.t_ms >= ms("2026-03-01T00:00")
        assert after.fields["cost"][old].tolist() == before.fields["cost"][old].tolist()
        assert after.fields["cost"][march].tolist() == pytest.approx((before.fields["cost"][march] * 5 / 3).tolist())
        assert after.fields["qty"].tolist() == pytest.approx(before.fields["qty"].tolist())


def test_nothing_is_computed_again_by_facts_that_are_no_longer_the_newest(records):
    t_ms, x = steady("2026-01-05T00:00", "2026-01-06T00:00")
    store, todo, is_current = fed(estate(), batch(POINT, t_ms, x)), Recomputations(records), False
    ask(records, BEGINNING)
    again = Recompute(store, RollupWriter(store, estate()), estate(), todo, lambda: is_current)
    assert not again.step(round(NOW.timestamp() * 1000))
    assert [one.months for one in todo.open_ones()] == [{}]
    is_current = True
    while again.step(round(NOW.timestamp() * 1000)):
        pass
    assert todo.open_ones() == []


class CountingStore(MemoryStore):
    """A store that counts the rows it hands out."""

    handed_out = 0

    def read(self, points, start_ms, end_ms):
        found = super().read(points, start_ms, end_ms)
        self.handed_out += sum(len(series) for series in found.values())
        return found

    def read_rollup(self, name, tags, start_ms, end_ms, fields=None):
        found = super().read_rollup(name, tags, start_ms, end_ms, fields)
        self.handed_out += sum(len(series) for series in found)
        return found


def test_what_one_day_costs_does_not_grow_with_the_history_before_it(records):
    spent = []
    for begin in ("2026-02-01T00:00", "2025-08-01T00:00"):
        store = fed(estate(), batch(POINT, *steady(begin, "2026-04-05T00:00")), store=CountingStore())
        store.handed_out = 0
        ask(records, datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 21, tzinfo=UTC))
        assert do_all(store, estate(), records) == 1
        spent.append(store.handed_out)
    assert spent[0] == spent[1]


def test_a_counter_without_figures_is_done_at_once(records):
    ask(records, BEGINNING)
    assert do_all(fed(estate()), estate(), records) == 1
    assert Recomputations(records).newest()[0].months == {}


def late_march(store, catalogue, books, records, hours):
    """A day of March whose readings come in April."""
    t_ms, x = steady("2026-03-02T00:00", "2026-04-03T00:00")
    x = x + np.where(t_ms >= ms("2026-03-10T12:00"), 50.0, 0.0)
    late = (t_ms >= ms("2026-03-10T06:00")) & (t_ms < ms("2026-03-10T06:00") + hours * HOUR_MS)
    store.write(batch(POINT, t_ms[late], x[late]))
    ranges = {POINT: (int(t_ms[late][0]), int(t_ms[late][-1]))}
    RollupWriter(store, catalogue, books).update(ranges, now_ms=round(NOW.timestamp() * 1000))


def test_a_closed_month_is_never_rewritten_and_gets_one_adjusting_entry(records):
    catalogue, books = priced(FIVE), ClosedMonths(records)
    t_ms, x = steady("2026-03-02T00:00", "2026-04-01T00:00")
    store = fed(catalogue, batch(POINT, t_ms[:-1], x[:-1]))
    books.close("hall", "2026-03", {"total": 1}, based_on=0, by="li", at=NOW)
    before = everything(store)
    writer = RollupWriter(store, catalogue, books)
    spike = ms("2026-03-10T12:30")  # left out: no use changes, but what there was in that hour is an estimate now
    store.write(batch(POINT, [spike], [10_000.0]))
    writer.update({POINT: (spike, spike)}, now_ms=1)
    (entry,) = books.adjustments("hall", BEGINNING, NOW)
    assert entry.differences == {"2026-03-10": {"est_qty": pytest.approx(2)}}
    store.write(batch(POINT, t_ms[-1:], x[-1:] + 7))  # the month's last hour, heard of late
    for _ in range(2):
        writer.update({POINT: (int(t_ms[-1]),) * 2}, now_ms=1)
    _, entry = books.adjustments("hall", BEGINNING, NOW)
    last = float(x[-1] + 7 - x[-2])
    assert entry.differences == {
        "2026-03-31": {
            name: pytest.approx(value)
            for name, value in (("qty", last), ("qty_valley", last), ("cost", last * 0.4), ("cost_valley", last * 0.4))
        }
    }
    assert_same(everything(store), before)


def test_late_readings_of_a_closed_month_move_use_between_periods_by_adjusting_entries(records):
    catalogue = priced(FIVE)
    t_ms, x = steady("2026-03-02T00:00", "2026-04-03T00:00")
    x = x + np.where(t_ms >= ms("2026-03-10T12:00"), 50.0, 0.0)
    silent = (t_ms >= ms("2026-03-10T06:00")) & (t_ms < ms("2026-03-10T18:00"))
    books, store = ClosedMonths(records), fed(catalogue, batch(POINT, t_ms[~silent], x[~silent]))
    books.close("hall", "2026-03", {"total": 1}, based_on=0, by="li", at=NOW)
    before = everything(store)
    later = datetime(2026, 5, 1, tzinfo=UTC)
    for _ in range(2):  # told twice, entered once
        late_march(store, catalogue, books, records, hours=3)
    first = books.adjustments("hall", BEGINNING, later)
    late_march(store, catalogue, books, records, hours=12)
    assert_same(everything(store), before)
    truth = fed(catalogue, batch(POINT, t_ms, x))
    found = books.adjustments("hall", BEGINNING, later)
    assert len(first) == 1
    assert len(found) == 2
    for field in ("qty", "cost", "qty_peak", "qty_flat", "cost_sharp", "est_qty"):
        handed_in = rows(store, "usage_1d", METER).fields[field].sum()
        true = rows(truth, "usage_1d", METER).fields[field].sum()
        assert handed_in + sum(one.sum_of(field) for one in found) == pytest.approx(true, abs=1e-6), field
    assert set(found[0].differences) == {"2026-03-10"}
    assert (found[0].month, found[0].reason) == ("2026-03", "readings that came late")


def test_two_silences_of_one_closed_day_are_entered_once(records):
    catalogue, books = priced(FIVE), ClosedMonths(records)
    t_ms, x = steady("2026-03-02T00:00", "2026-04-03T00:00")
    x = x + np.cumsum(np.arange(len(t_ms)) % 7)
    hour = (t_ms - ms("2026-03-20T00:00")) / HOUR_MS
    silent = ((hour > 1) & (hour < 7)) | ((hour > 11) & (hour < 19))
    store = fed(catalogue, batch(POINT, t_ms[~silent], x[~silent]))
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    late = np.flatnonzero(hour == 3)
    store.write(batch(POINT, t_ms[late], x[late]))
    RollupWriter(store, catalogue, books).update(
        {POINT: (int(t_ms[late][0]),) * 2}, now_ms=round(NOW.timestamp() * 1000)
    )
    found = books.adjustments("hall", BEGINNING, datetime(2027, 1, 1, tzinfo=UTC))
    kept = ~silent
    kept[late] = True
    truth = rows(fed(catalogue, batch(POINT, t_ms[kept], x[kept])), "usage_1d", METER)
    handed_in = rows(store, "usage_1d", METER)
    assert len(found) == 1
    for field in ("cost", "qty_valley", "qty_peak", "qty"):
        more = truth.fields[field].sum() - handed_in.fields[field].sum()
        assert sum(one.sum_of(field) for one in found) == pytest.approx(more, abs=1e-5), field


class InterruptedBooks(ClosedMonths):
    """Books that somebody closes a month in just after analytics has looked which months are closed."""

    def __init__(self, engine, close):
        super().__init__(engine)
        self.close_now = close

    def closed(self):
        found = super().closed()
        if self.close_now:
            close, self.close_now = self.close_now, None
            close()
        return found


def hand_in(store, catalogue, books, bill=None):
    bill = bill or make_bill(store, catalogue, books, NoSpells(), "hall", "2026-03", now=NOW)
    books.close("hall", "2026-03", BILL.dump_python(bill, mode="json"), based_on=0, by="li", at=NOW)
    return bill


def late_end_of_march(store):
    """Fifty units more in the last hour of March, which is heard of after the first pass."""
    t_ms, x = steady("2026-03-02T00:00", "2026-04-01T00:00")
    store.write(batch(POINT, t_ms[-1:], x[-1:] + 50))
    return {POINT: (int(t_ms[-1]),) * 2}, round(NOW.timestamp() * 1000)


@pytest.mark.parametrize("when", ["amid the pass", "after the pass, with figures from before it"])
def test_a_month_that_is_closed_while_analytics_writes_it_is_adjusted_to_what_was_handed_in(records, when):
    catalogue = priced(FIVE)
    store, books = fed(catalogue, batch(POINT, *steady("2026-03-02T00:00", "2026-04-01T00:00"))), ClosedMonths(records)
    before = make_bill(store, catalogue, books, NoSpells(), "hall", "2026-03", now=NOW)
    ranges, now_ms = late_end_of_march(store)
    writer = RollupWriter(store, catalogue, books)
    if when == "amid the pass":
        writer = RollupWriter(store, catalogue, books := InterruptedBooks(records, None))
        books.close_now = lambda: hand_in(store, catalogue, books, before)
    writer.update(ranges, now_ms=now_ms)
    if when != "amid the pass":
        hand_in(store, catalogue, books, before)
    for _ in range(2):
        writer.update(ranges, now_ms=now_ms)
    (entry,) = books.adjustments("hall", BEGINNING, datetime(2027, 1, 1, tzinfo=UTC))
    assert entry.sum_of("qty") == pytest.approx(50)
    assert entry.sum_of("cost") == pytest.approx(50 * 0.4)  # before midnight it is valley
    assert set(entry.differences) == {"2026-03-31"}


def test_open_months_beside_a_closed_one_are_written(records):
    catalogue, books = priced(FIVE), ClosedMonths(records)
    store = fed(catalogue, batch(POINT, *steady("2026-03-25T00:00", "2026-04-03T00:00")))
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    dearer = priced(replace(FIVE, prices=tuple((p, 2 * price) for p, price in FIVE.prices)))
    before = rows(store, "usage_1d", METER).fields["cost"]
    ask(records, BEGINNING)
    do_all(store, dearer, records, books)
    after = rows(store, "usage_1d", METER).fields["cost"]
    assert after[:7].tolist() == before[:7].tolist()
    assert after[7:].tolist() == pytest.approx((2 * before[7:]).tolist())
    (entry,) = books.adjustments("hall", BEGINNING, datetime(2027, 1, 1, tzinfo=UTC))
    assert entry.sum_of("cost") == pytest.approx(before[:7].sum())
    assert entry.sum_of("qty") == 0
    assert entry.reason == "type plate read: changed"
    assert (entry.at - NOW).total_seconds() == 0


def test_a_month_is_closed_once_and_kept_as_it_was(records):
    books = ClosedMonths(records)
    books.close("hall", "2026-03", {"total": "12.50"}, based_on=0, by="li", at=NOW)
    with pytest.raises(Exception, match="hall 2026-03 is closed already"):
        books.close("hall", "2026-03", {"total": "99"}, based_on=0, by="li", at=NOW)
    assert books.closed_month("hall", "2026-03").bill == {"total": "12.50"}
    assert books.closed_month("hall", "2026-04") is None
    assert books.closed() == {("hall", "2026-03")}


def test_doing_it_again_changes_nothing(records):
    t_ms, x = swapped_readings()
    store = fed(swapped_estate(), batch(POINT, t_ms, x))
    before = everything(store)
    ask(records, BEGINNING, datetime(2026, 3, 21, tzinfo=UTC))
    do_all(store, swapped_estate(), records)
    assert_same(everything(store), before)
    assert t_ms[-1] - t_ms[0] > DAY_MS


@pytest.mark.parametrize("seed", range(4))
def test_a_swap_an_outage_a_roll_over_and_a_tariff_give_the_same_figures_in_every_order(seed):
    catalogue = swapped_estate()
    catalogue = replace(
        catalogue,
        site=replace(catalogue.site, tariffs=(FIVE,)),
        installations=tuple(replace(one, rolls_over_at=1_600.0) for one in catalogue.installations),
    )
    rng = np.random.default_rng(seed)
    t_ms = np.arange(ms("2026-03-16T09:00"), ms("2026-03-24T00:00") + 1, HOUR_MS)
    at = ms("2026-03-20T10:30")
    use = np.concatenate(([0.0], np.cumsum(20 + rng.random(len(t_ms) - 1))))
    at_swap = np.interp(at, t_ms, use)
    x = np.where(t_ms <= at, (1_510 - at_swap + use) % 1_600, (7 + use - at_swap) % 1_600)
    heard = rng.random(len(t_ms)) > 0.2
    heard[(t_ms > ms("2026-03-21T03:00")) & (t_ms < ms("2026-03-21T15:00"))] = False
    heard[[0, -1, -2, -3, -4, -5]] = True
    t_ms, x = t_ms[heard], x[heard]
    in_order = fed(catalogue, batch(POINT, t_ms, x))
    order = rng.permutation(len(t_ms))
    pieces = [batch(POINT, t_ms[part], x[part]) for part in np.array_split(order, 9)]
    assert_same(everything(fed(catalogue, *pieces)), everything(in_order))
    total = rows(in_order, "usage_1d", METER).fields["qty"].sum()
    assert total == pytest.approx(use[heard][-1] - use[heard][0])


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Shanghai", "Australia/Lord_Howe"])
def test_a_corrected_time_zone_leaves_no_row_of_older_hours_and_days(records, zone):
    london = estate()
    t_ms, x = steady("2026-03-28T00:00", "2026-04-08T00:00", 900_000)
    store = fed(london, batch(POINT, t_ms, x))
    moved = replace(london, site=replace(london.site, timezone=zone))
    Recomputations(records).ask(dirty_between(london, moved), by="li", at=NOW, reason="wrong zone")
    do_all(store, moved, records)
    assert_same(everything(store), everything(fed(moved, batch(POINT, t_ms, x))))
    assert np.nansum(rows(store, "usage_1d", METER).fields["qty"]) == pytest.approx(x[-1] - x[0])


def test_the_rows_of_a_closed_month_stay_where_older_clocks_put_them(records):
    london, books = estate(), ClosedMonths(records)
    store = fed(london, batch(POINT, *steady("2026-03-28T00:00", "2026-04-08T00:00", 900_000)))
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    moved = replace(london, site=replace(london.site, timezone="Asia/Kolkata"))
    before = rows(store, "usage_1d", METER).t_ms
    Recomputations(records).ask(dirty_between(london, moved), by="li", at=NOW, reason="wrong zone")
    do_all(store, moved, records, books)
    april = SiteCalendar(moved.site).month_edges("2026-04")[0]
    after = rows(store, "usage_1d", METER).t_ms
    assert after[after < april].tolist() == before[before < april].tolist()
    assert np.diff(after[after >= april]).tolist() == [DAY_MS] * 7
