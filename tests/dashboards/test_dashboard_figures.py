"""What panels show is what was used: registers of the demo's estate, accounted by the product, in real InfluxDBs.

October 2026 in London: the 25th has 25 hours; b33's device is swapped on the 14th and silent for half of the 20th.
"""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rigs.board_queries import filled, rows_of
from rigs.boards import boards, estate
from rigs.influx_town import Registry
from rigs.real_influx import VERSIONS, real_influx

from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING, Installation
from facility.model import ReadingBatch
from reports.billing import make_bill
from stores.readings import open_readings
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.database import open_records

ZONE = ZoneInfo("Europe/London")
QUARTER = HOUR_MS // 4
MAIN, WATER = "b33-electricity/energy_import/total", "b35-water/water_volume/total"
SWAPPED = datetime(2026, 10, 14, 10, 30, tzinfo=ZONE)
CLOSING, OPENING = 9_000.0, 40.0


def ms(*local):
    return round(datetime(*local, tzinfo=ZONE).timestamp() * 1000)


MONTH = (ms(2026, 10, 1), ms(2026, 11, 1))
SILENT = (ms(2026, 10, 20, 6), ms(2026, 10, 20, 18))


def used(t_ms):
    """Use of each quarter-hour: more by day, never twice the same, so that a figure at a wrong place is seen."""
    hour = (t_ms // HOUR_MS) % 24
    return 1.0 + 2.0 * ((hour >= 7) & (hour < 19)) + 0.25 * np.sin(t_ms / 7.7e6)


def registers():
    """Times, the register before and after the swap, and what was used in each quarter-hour."""
    t_ms = np.arange(ms(2026, 9, 28), ms(2026, 11, 3) + 1, QUARTER)
    each = used(t_ms[:-1])
    risen = np.concatenate([[0.0], np.cumsum(each)])
    k = int(np.searchsorted(t_ms, round(SWAPPED.timestamp() * 1000)))
    register = np.where(t_ms < t_ms[k], CLOSING - risen[k] + risen, OPENING + risen - risen[k])
    return t_ms, register, each


def estate_with_swap():
    first = Installation("b33-electricity", BEGINNING, "A1")
    then = Installation("b33-electricity", SWAPPED.astimezone(UTC), "B2", opening=OPENING, closing=CLOSING)
    return replace(estate(), installations=(first, then))


class Accounted:
    """An estate's month in a store, and how to ask what a panel shows of it."""

    def __init__(self, url, records):
        self.catalogue = estate_with_swap()
        self.store = open_readings(url, Registry(self.catalogue))
        self.wire = connect(influx_address(url))
        self.books = ClosedMonths(records)
        t_ms, register, self.each = registers()
        self.t_ms = t_ms
        heard = (t_ms <= SILENT[0]) | (t_ms >= SILENT[1])
        self._take_in(MAIN, t_ms[heard], register[heard])
        self._take_in(WATER, t_ms[::4], 100 + np.arange(len(t_ms[::4])) * 0.02)
        RollupWriter(self.store, self.catalogue).update(self.store.changes(0).ranges)

    def _take_in(self, point, t_ms, x):
        self.store.write(ReadingBatch([point], [0] * len(t_ms), t_ms.tolist(), x.tolist()))

    def truth(self, start, end):
        """What was used between two instants."""
        return float(self.each[(self.t_ms[:-1] >= start) & (self.t_ms[:-1] < end)].sum())

    def bill(self, building):
        now = datetime(2026, 11, 20, tzinfo=UTC)
        return make_bill(self.store, self.catalogue, self.books, NoSpells(), building, "2026-10", now=now)

    def panel(self, path, title, *, period=MONTH, word="", **choice):
        """Rows of the query of a panel that makes a column whose name ends in ``word``."""
        board = boards()[path]
        queries = [
            t["query"] for p in board["panels"] if p["title"] == title for t in p["targets"] if word in t["query"]
        ]
        return rows_of(self.wire, filled(queries[0], period, {"utility": "electricity", "building": "b33", **choice}))


@pytest.fixture(scope="module", params=VERSIONS)
def accounted(request, tmp_path_factory):
    records = open_records(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.db'}")
    with real_influx(request.param, estate().site.id) as url:
        yield Accounted(url, records)
    records.dispose()


def test_use_of_a_month_with_a_swap_and_a_silence_is_closing_less_opening_and_that_of_the_bill(accounted):
    shown = accounted.panel("en/cost.json", "Used", word="qty_kwh")[0][1]
    assert shown == pytest.approx(accounted.truth(*MONTH), abs=1e-6)
    assert shown == pytest.approx(float(accounted.bill("b33").utilities[0].quantity), abs=1e-3)


def test_days_sum_to_the_month_and_that_of_25_hours_is_one_day(accounted):
    rows = accounted.panel("en/signature.json", "The same days in time", word="qty_kwh")
    days = {t_ns // 1_000_000: qty for t_ns, qty in rows if qty is not None}
    assert len(days) == 31
    assert sum(days.values()) == pytest.approx(accounted.truth(*MONTH), abs=1e-6)
    start, end = ms(2026, 10, 25), ms(2026, 10, 26)
    assert end - start == DAY_MS + HOUR_MS
    assert days[start] == pytest.approx(accounted.truth(start, end), abs=1e-6)


def test_hours_sum_to_the_day_on_either_side_of_the_edge_of_the_month(accounted):
    for period in ((ms(2026, 9, 30), ms(2026, 10, 1)), (ms(2026, 10, 31), ms(2026, 11, 1))):
        rows = accounted.panel("en/building.json", "Used against the expected band", period=period, word="qty_kwh")
        loads = [row[-1] for row in rows if row[-1] is not None]
        assert len(loads) == 24
        assert sum(loads) == pytest.approx(accounted.truth(*period), abs=1e-6), "a mean over an hour in kW is its kWh"


def test_what_a_silent_day_lacks_is_said_and_not_drawn_as_zero(accounted):
    period = (ms(2026, 10, 20), ms(2026, 10, 21))
    known = accounted.panel("en/quality.json", "Estimated", period=period)[0][1]
    assert known == pytest.approx(0.5, abs=0.01), "half of the day was spread over a gap"
    rows = accounted.panel("en/building.json", "Used against the expected band", period=period, word="qty_kwh")
    assert min(row[-1] for row in rows if row[-1] is not None) > 0.5


def test_money_is_that_of_the_bill(accounted):
    shown = accounted.panel("en/cost.json", "Cost")[0][1]
    bill = accounted.bill("b33")
    assert shown == pytest.approx(float(bill.utilities[0].amount), abs=0.05), "lines of a bill are rounded to the penny"
    rows = accounted.panel("en/cost.json", "Cost, day by day", word="cost_sharp")
    by_period = sum(x for row in rows for x in row[1:] if x is not None)
    assert by_period == pytest.approx(shown, abs=1e-6)


def test_water_is_told_in_its_own_unit_and_its_money_beside_it(accounted):
    choice = {"building": "b35", "utility": "water"}
    assert accounted.panel("en/cost.json", "Used", word="qty_kwh", **choice) == []
    litres = accounted.panel("en/cost.json", "Used", word="qty_m3", **choice)[0][1]
    assert litres == pytest.approx(0.02 * (MONTH[1] - MONTH[0]) / HOUR_MS, abs=1e-6)
    water = next(one for one in accounted.bill("b35").utilities if one.utility == "water")
    assert accounted.panel("en/cost.json", "Cost", **choice)[0][1] == pytest.approx(float(water.amount), abs=0.05)


def test_the_league_says_of_each_building_what_its_own_page_says(accounted):
    rows = accounted.panel("en/estate.json", "Buildings, by money above expected", word="qty_kwh")
    assert [row[1] for row in rows] == [accounted.panel("en/cost.json", "Used", word="qty_kwh")[0][1]]
