"""What every panel shows of the demo's recorded history is what its meters counted and what its bills say.

Ingest takes the history in from an agent's messages and stores it in real InfluxDBs, and analytics makes all of it, as
a start of the product does. Truth is of two kinds that know nothing of rollups: what the registers rose by, and the
bill of a month, which is made from readings.
"""

from collections import Counter
from datetime import datetime
from math import fsum
from zoneinfo import ZoneInfo

import pytest
from rigs.board_queries import choices_of, filled, rows_of
from rigs.board_times import period_of, step_of
from rigs.boards import boards
from rigs.demo_past import SEEN, DemoPast
from rigs.real_influx import VERSIONS, real_influx

from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import NoSpells
from facility.tariff import PERIODS
from reports.billing import make_bill
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.casebook import Casebook

pytestmark = [pytest.mark.long, pytest.mark.thorough]

ZONE = ZoneInfo("Europe/London")
LOOKED = SEEN.astimezone(ZONE)

RIGHTLY_EMPTY = {
    '"occ" = 4': "no day of the last fourteen was a holiday",
    '"qty_sharp" > 0': "the sharp period begins on 15 November",
    '"qty_deep" > 0': "the deep period is of long holidays",
}
"""Words of queries that find nothing on that day, and why: a figure that there is not is none, and never 0."""


def ms(*local):
    return round(datetime(*local, tzinfo=ZONE).timestamp() * 1000)


OCTOBER, SEPTEMBER = (ms(2026, 10, 1), ms(2026, 11, 1)), (ms(2026, 9, 1), ms(2026, 10, 1))
CLOCKS_CHANGE = ms(2026, 10, 25), ms(2026, 10, 26)


class Shown:
    """The history in one store, and what panels show of it."""

    def __init__(self, past, url):
        self.past, self.wire = past, connect(influx_address(url))

    def panel(self, board, title, *, period=None, word="", language="en", **choice):
        """Rows of the query of a panel that makes a column whose name ends in ``word``."""
        shown = boards()[f"{language}/{board}.json"]
        [panel] = [one for one in shown["panels"] if one["title"] == title]
        query = next(target["query"] for target in panel["targets"] if word in target["query"])
        period = period or period_of(shown, panel, LOOKED)
        return rows_of(self.wire, filled(query, period, {"utility": "electricity", **choice}, step_of(panel, period)))

    def figure(self, *where, **how):
        [[_, figure]] = self.panel(*where, **how)
        return figure

    def prices(self, **choice):
        """What a unit cost in each period that had use, in the order of the panel."""
        answers = (self.panel("cost", "What a unit cost, by period", word=f'"{one}"', **choice) for one in PERIODS)
        return [row[1] for rows in answers for row in rows]

    def counted(self, building, period, utility="electricity"):
        """What the head meters of a building rose by."""
        return fsum(self.past.rise(meter, *period) for meter in self.past.heads(building, utility))

    def bill(self, building, month, utility):
        made = make_bill(
            self.past.store, self.past.catalogue, ClosedMonths(self.past.records), NoSpells(), building, month, now=SEEN
        )
        return next(one for one in made.utilities if one.utility == utility)


@pytest.fixture(scope="module", params=VERSIONS)
def shown(request, tmp_path_factory):
    with real_influx(request.param, "demo-estate") as url:
        past = DemoPast(tmp_path_factory.mktemp("past"), url)
        yield Shown(past, url)
        past.close()


def is_known(rows):
    return any(value is not None for row in rows for value in row[1:])


@pytest.mark.parametrize("path", sorted(boards()))
def test_D1_every_query_of_every_panel_finds_figures_in_the_time_that_it_looks_at(shown, path):
    """For some choice of building and utility: no building has every utility."""
    board, empty = boards()[path], []
    for panel in board["panels"]:
        period = period_of(board, panel, LOOKED)
        for target in panel.get("targets", ()):
            asked = (filled(target["query"], period, one, step_of(panel, period)) for one in choices_of(board))
            if not any(is_known(rows_of(shown.wire, query)) for query in asked):
                empty.append(target["query"])
    assert [one for one in empty if not any(words in one for words in RIGHTLY_EMPTY)] == []
    asked = " ".join(target["query"] for panel in board["panels"] for target in panel.get("targets", ()))
    assert all(any(words in one for one in empty) for words in RIGHTLY_EMPTY if words in asked)


def test_whatever_the_agent_sent_is_stored_once(shown):
    totals = shown.past.store.totals()
    assert sum(one.count for one in totals.values()) == shown.past.sent > 100_000


def test_both_languages_show_the_same_figures(shown):
    for english, chinese in (("Used", "用量"), ("Cost", "费用")):
        both = [
            shown.panel("cost", title, building="b33", language=language)
            for language, title in (("en", english), ("zh-Hans", chinese))
        ]
        assert both[0] == both[1] != []


@pytest.mark.parametrize("building", ["b33", "b35", "b57", "b62", "b77", "b105"])
@pytest.mark.parametrize(("month", "period"), [("2026-09", SEPTEMBER), ("2026-10", OCTOBER)])
def test_use_and_cost_of_a_month_are_what_the_register_rose_by_and_the_bill_asks_for(shown, building, month, period):
    """b105 is swapped in September, b62 and b57 are silent in October, b57's register stands still for two days."""
    used = shown.figure("cost", "Used", period=period, word="qty_kwh", building=building)
    assert used == pytest.approx(shown.counted(building, period), abs=1e-6)
    bill = shown.bill(building, month, "electricity")
    assert used == pytest.approx(float(bill.quantity), abs=1e-3), "a bill says thousandths"
    cost = shown.figure("cost", "Cost", period=period, building=building)
    assert cost == pytest.approx(float(bill.amount), abs=0.05), "its lines are rounded to the penny"


@pytest.mark.parametrize("building", ["b35", "b62", "b77"])
@pytest.mark.parametrize("utility", ["gas", "water"])
def test_gas_and_water_are_what_their_registers_rose_by_and_their_bills_ask_for(shown, building, utility):
    choice = {"building": building, "utility": utility, "period": OCTOBER}
    used = shown.figure("cost", "Used", word="qty_m3", **choice)
    assert used == pytest.approx(shown.counted(building, OCTOBER, utility), abs=1e-6)
    bill = shown.bill(building, "2026-10", utility)
    assert used == pytest.approx(float(bill.quantity), abs=1e-3)
    assert shown.figure("cost", "Cost", **choice) == pytest.approx(float(bill.amount), abs=0.05)
    assert shown.panel("cost", "Used", word="qty_kwh", **choice) == [], "cubic metres are no kilowatt-hours"


def test_the_day_on_which_clocks_change_has_25_hours_and_days_sum_to_the_month(shown):
    rows = shown.panel("signature", "The same days in time", period=OCTOBER, word="qty_kwh", building="b33")
    days = {t_ns // 1_000_000: qty for t_ns, qty in rows}
    start, end = CLOCKS_CHANGE
    assert end - start == DAY_MS + HOUR_MS
    assert len(days) == 31
    assert days[start] == pytest.approx(shown.counted("b33", CLOCKS_CHANGE), abs=1e-6)
    assert fsum(days.values()) == pytest.approx(shown.counted("b33", OCTOBER), abs=1e-6)


def test_hours_on_both_sides_of_an_edge_of_months_are_what_the_register_rose_by(shown):
    for period in ((ms(2026, 9, 30), ms(2026, 10, 1)), (ms(2026, 10, 1), ms(2026, 10, 2))):
        rows = shown.panel("building", "Used against the expected band", period=period, word="qty_kwh", building="b77")
        hours = {row[0] // 1_000_000: row[-1] for row in rows if row[-1] is not None}
        assert len(hours) == 24
        for t_ms, load in hours.items():
            assert load == pytest.approx(shown.counted("b77", (t_ms, t_ms + HOUR_MS)), abs=1e-6), t_ms


def test_a_swap_is_a_mark_and_no_use(shown):
    day = ms(2026, 9, 23), ms(2026, 9, 24)
    used = shown.figure("cost", "Used", period=day, word="qty_kwh", building="b105")
    assert 0 < used == pytest.approx(shown.counted("b105", day), abs=1e-6)
    changes = shown.panel("savings", "What was changed", period=SEPTEMBER, building="b105")
    assert [row[1] for row in changes] == ["Device changed: Electricity main, now 105-B"]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_mark_lacks_none_of_the_columns_that_it_is_read_by(shown, language):
    """Grafana drops a row in which one is null, and knows title and end again by ``rollup.field``."""
    found = Counter()
    asked = {"alert": "b35", "config": "b35", "holiday": "b35", "swap": "b105"}
    marks = boards()[f"{language}/building.json"]["annotations"]["list"]
    for mark, building in zip(marks, asked.values(), strict=True):
        target = mark["target"]
        query = filled(target["query"], (ms(2025, 11, 10), ms(2026, 11, 11)), {"building": building})
        [answer] = shown.wire.ask_json(query)
        columns = {f"events.{name}": k for k, name in enumerate(answer.columns)}
        assert {target["titleColumn"], target["timeEndColumn"]} <= columns.keys()
        assert {f"events.{target[one]}" for one in ("textColumn", "tagsColumn")} <= columns.keys()
        assert all(value is not None for row in answer.values for value in row)
        assert all(row[columns[target["timeEndColumn"]]] >= row[0] // 1_000_000 for row in answer.values)
        found += Counter(row[columns["events.kind"]] for row in answer.values)
    assert found.keys() == asked.keys()
    assert found["swap"] == 1


def test_the_cloud_of_days_stands_over_the_temperature(shown):
    """Grafana takes the first number of an answer for the axis below."""
    [cloud] = [one for one in boards()["en/signature.json"]["panels"] if one["type"] == "xychart"]
    for target in cloud["targets"][:3]:
        query = filled(target["query"], OCTOBER, {"utility": "electricity", "building": "b33"})
        [answer] = shown.wire.ask_json(query)
        assert answer.columns[:2] == ["time", "t_out"]


def test_a_silent_meter_is_said_and_its_hours_are_estimated_not_zero(shown):
    """b62 answers nothing for forty hours from 26 October on."""
    period = ms(2026, 10, 26), ms(2026, 10, 28)
    rows = shown.panel("quality", "Meters by day", period=period, building="b62")
    heard = [row[1] for row in rows if row[1] is not None]
    assert min(heard) < 0.2
    estimated = shown.figure("quality", "Estimated", period=period, building="b62")
    assert estimated > 0.1
    rows = shown.panel("building", "Used against the expected band", period=period, word="qty_kwh", building="b62")
    assert len([row for row in rows if row[-1]]) == 48
    used = shown.figure("cost", "Used", period=period, word="qty_kwh", building="b62")
    assert used == pytest.approx(shown.counted("b62", period), abs=1e-6)


def test_money_by_tariff_period_is_the_money_and_its_prices_are_the_tariff_s(shown):
    choice = {"period": OCTOBER, "building": "b35"}
    rows = shown.panel("cost", "Cost, day by day", word="cost_sharp", **choice)
    by_period = fsum(value for row in rows for value in row[1:] if value is not None)
    assert by_period == pytest.approx(shown.figure("cost", "Cost", **choice), abs=1e-6)
    prices = shown.prices(**choice)
    assert [round(one, 6) for one in prices] == [0.33, 0.25, 0.17], "no use in October was sharp or deep"
    daily = shown.panel("cost", "Cost so far", **choice)
    assert daily[-1][1] == pytest.approx(by_period, abs=1e-6)


def test_the_league_of_buildings_says_what_each_page_says(shown):
    rows = shown.panel("estate", "Buildings, by money above expected", period=OCTOBER, word="qty_kwh")
    buildings = sorted(shown.past.catalogue.building)
    assert len(rows) == len(buildings)
    assert [row[1] for row in rows] == pytest.approx(
        [shown.counted(building, OCTOBER) for building in buildings], abs=1e-6
    )
    assert shown.figure("estate", "Used", period=OCTOBER, word="qty_kwh") == pytest.approx(
        fsum(row[1] for row in rows), abs=1e-6
    )


def test_what_sub_meters_lack_is_the_head_less_them(shown):
    rows = shown.panel("meter", "Not accounted for", period=OCTOBER, building="b33")
    lights = shown.past.rise("b33-lights", *OCTOBER)
    head = shown.counted("b33", OCTOBER)
    shares = [row[1] for row in rows if row[1] is not None]
    assert len(shares) == 31
    assert min(shares) < (head - lights) / head < max(shares)
    siblings = shown.panel("meter", "Meters of the building", period=OCTOBER, building="b33")
    assert sorted(row[1] for row in siblings) == pytest.approx(sorted([lights, head]), abs=1e-6)


def test_emissions_intensity_and_rating_follow_from_use(shown):
    catalogue = shown.past.catalogue
    emitted = shown.figure("estate", "CO₂ emitted", period=OCTOBER)
    estate = fsum(shown.counted(building, OCTOBER) for building in catalogue.building)
    assert emitted == pytest.approx(estate * 0.19 / 1000, abs=1e-6)
    # A year that ends with the ninth of November; of buildings that were heard all of it.
    year = ms(2025, 11, 10), ms(2026, 11, 10)
    intensity = shown.counted("b33", year) / catalogue.building["b33"].floor_area_m2
    rating = shown.figure("lobby-b33", "Rating")
    assert rating == pytest.approx(intensity, abs=1e-6), "typical are 100 kWh/m², so both are one number"


def test_a_night_s_least_flow_is_that_of_its_stillest_hour(shown):
    rows = shown.panel("water", "Minimum night flow", building="b35")
    nights = {row[0] // 1_000_000: row[1] for row in rows}
    night = ms(2026, 11, 9)
    hours = [shown.counted("b35", (night + h * HOUR_MS, night + (h + 1) * HOUR_MS), "water") for h in range(1, 5)]
    assert nights[night] == pytest.approx(min(hours) * 1000, abs=1e-6)
    assert nights[night] > 279, "the injected leak runs"


def test_alerts_are_the_casebook_s(shown):
    """Those of the thirty days that are looked at: a case may be older."""
    kept = Counter(one.building for one in Casebook(shown.past.records).alerts())
    rows = Counter(row[3] for row in shown.panel("alerts", "Newest alerts"))
    assert {"b33", "b35", "b57", "b62", "b77"} <= rows.keys(), "all injected faults are found"
    assert rows <= kept
    assert 0 < shown.figure("alerts", "Began") <= kept.total()
    assert 0 < shown.figure("alerts", "Open now") == shown.figure("estate", "Open alerts")
