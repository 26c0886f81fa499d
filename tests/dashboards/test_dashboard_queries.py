"""Every query of every dashboard, asked of real InfluxDBs that hold a row of every rollup: each finds rows."""

from pathlib import Path

import numpy as np
import pytest
from rigs.board_queries import choices_of, filled, panel_queries, rows_of
from rigs.boards import boards, estate
from rigs.real_influx import VERSIONS, real_influx
from ruamel.yaml import YAML

from accounting.local_time import DAY_MS, HOUR_MS
from stores.readings import open_readings
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect
from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import FieldType
from stores.readings.rollups import ROLLUPS

RULES_FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "provisioning" / "alerting" / "platform.yaml"
RULES = YAML(typ="safe").load(RULES_FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]

START_MS = 1_767_225_600_000  # 2026-01-01
PERIOD = (START_MS - DAY_MS, START_MS + 9 * DAY_MS)

OTHERS = {
    "kind": ("alert", "holiday", "swap", "config"),
    "type": ("night_waste",),
    "gateway": tuple(estate().agent),
    "device": ("", "gateway"),
    "process": ("ingest", "analytics"),
    "period": ("month", "year"),
}


def series_of(rollup):
    """Tags of every series that the estate could have."""
    about = ROLLUPS[rollup]
    some = estate()
    if "meter" in about.tags and rollup != "events":
        for point in some.points:
            meter = some.meter[point.meter]
            known = {
                "site": some.site.id, "building": meter.building, "utility": str(some.utility_of(point) or ""),
                "meter": meter.id, "role": meter.role.value, "enduse": meter.enduse, "quantity": point.quantity.word,
                "channel": point.channel,
            }  # fmt: skip
            if point.quantity.is_counter != (rollup == "live"):
                yield {tag: known[tag] for tag in about.tags}
        return
    buildings = tuple(some.building) if "building" in about.tags else ("",)
    utilities = ("electricity", "water", "gas", *[""][: rollup == "quota"]) if "utility" in about.tags else ("",)
    for building in buildings:
        for utility in utilities:
            for tag in [one for one in OTHERS if one in about.tags] or [""]:
                for value in OTHERS.get(tag, ("",)):
                    base = {one: OTHERS[one][0] if one in OTHERS else "" for one in about.tags}
                    mine = {"site": some.site.id, "building": building, "utility": utility, tag: value}
                    yield {**base, **{one: word for one, word in mine.items() if one in about.tags}}


def rows(rollup):
    about = ROLLUPS[rollup]
    step = max(about.step_ms, HOUR_MS)
    t_ms = START_MS + np.arange(0, 8 * DAY_MS, max(step, 6 * HOUR_MS), dtype=np.int64)
    columns = {
        name: np.full(len(t_ms), "text", object) if one.type is FieldType.TEXT
        else np.array([1] * len(t_ms), object) if one.type is FieldType.INTEGER
        else (name != "occ") + np.arange(len(t_ms)) % 5.0
        for name, one in about.said.items()
    }  # fmt: skip
    return [RollupSeries(tags, t_ms, columns) for tags in {tuple(t.items()): t for t in series_of(rollup)}.values()]


@pytest.fixture(scope="module", params=VERSIONS)
def wire(request):
    with real_influx(request.param, estate().site.id) as url:
        store = open_readings(url)
        store.write_rollups([(name, rows(name)) for name in ROLLUPS])
        yield connect(influx_address(url))
        store.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_every_rule_about_ourselves_finds_a_figure(wire, rule):
    query = filled(rule["data"][0]["model"]["query"], PERIOD, {})
    assert [row for row in rows_of(wire, query) if row[1] is not None]


@pytest.mark.parametrize("path", sorted(boards()))
def test_every_query_finds_rows(wire, path):
    """For some choice of building and utility: an estate has not every utility everywhere."""
    board = boards()[path]
    choices = choices_of(board)
    empty = [
        (title, query)
        for title, query in panel_queries(board)
        if not any(rows_of(wire, filled(query, PERIOD, choice)) for choice in choices)
    ]
    assert empty == []
