"""A month that was closed before its end is adjusted once, when it is over, however often readings came meanwhile."""

from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.rollup_hall import NOW, batch, estate, ms, rows, steady

from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING
from reports.billing import make_bill
from reports.closing import close_month
from stores.readings.memory import MemoryStore
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounting.closed_months import ClosedMonths

POINTS = ("m0/energy_import/total", "m1/energy_import/total")
HALF = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    found = SqliteStore(tmp_path / "readings.db")
    yield found
    found.close()


def take(writer, store, batches, now_ms):
    """One pass of analytics over what has just come."""
    for one in batches:
        store.write(one)
    ranges = {one.points[0]: (min(one.t_ms), max(one.t_ms)) for one in batches}
    writer.update(ranges, now_ms=now_ms)


def pass_by_pass(store, books, last, restarts):
    """Two meters until ``last`` by passes of a day; the month is closed on the 20th; the second ends on the 25th."""
    catalogue = estate(heads=2)
    t_ms, x = steady("2026-03-01T00:00", last)
    writer = RollupWriter(store, catalogue, books)
    for day in range(ms("2026-03-01T00:00"), ms(last), 86_400_000):
        if not books.closed() and day > HALF.timestamp() * 1000:
            bill = make_bill(store, catalogue, books, NoSpells(), "hall", "2026-03", now=HALF)
            close_month(bill, books, based_on=0, by="li", at=HALF, accept_missing="the hall was given back")
        here = (t_ms >= day) & (t_ms < day + 86_400_000)
        heard = POINTS if day < ms("2026-03-25T00:00") else POINTS[:1]
        if restarts:
            writer = RollupWriter(store, catalogue, books)
        take(writer, store, [batch(point, t_ms[here], x[here]) for point in heard], day + 86_400_000)
    return bill


@pytest.mark.parametrize("restarts", [False, True])
def test_a_month_closed_early_is_adjusted_once_for_each_meter_when_it_is_over(store, records, restarts):
    books = ClosedMonths(records)
    bill = pass_by_pass(store, books, "2026-03-31T00:00", restarts)
    assert books.adjustments("hall", BEGINNING, NOW) == []
    pass_again = RollupWriter(store, estate(heads=2), books)
    t_ms, x = steady("2026-03-01T00:00", "2026-04-03T00:00")
    for day in ("2026-03-31T00:00", "2026-04-01T00:00", "2026-04-02T00:00"):
        here = (t_ms >= ms(day)) & (t_ms < ms(day) + 86_400_000)
        take(pass_again, store, [batch(POINTS[0], t_ms[here], x[here])], ms(day) + 86_400_000)
    entries = books.adjustments("hall", BEGINNING, NOW)
    assert sorted(one.meter for one in entries) == ["m0", "m1"]
    for one in entries:
        billed = sum(day.get("qty", 0.0) for day in bill.days[f"{one.meter}/energy_import"].values())
        until = ms("2026-04-01T00:00" if one.meter == "m0" else "2026-03-24T23:00")
        used = np.interp(until, t_ms, x) - x[0]
        assert billed + one.sum_of("qty") == pytest.approx(used)
        assert one.at.timestamp() * 1000 >= ms("2026-04-01T02:00")  # the last hour has been read by then


def test_rows_of_a_month_closed_early_are_not_written_meanwhile(store, records):
    books = ClosedMonths(records)
    pass_by_pass(store, books, "2026-03-31T00:00", restarts=False)
    assert rows(store, "usage_1d", {"meter": "m0"}).t_ms.max() <= HALF.timestamp() * 1000
