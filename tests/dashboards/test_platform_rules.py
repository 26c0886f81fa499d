"""The five rules about ourselves, held to real InfluxDBs as Grafana holds them: each fires for its own ill alone."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from rigs.board_queries import filled
from rigs.real_influx import VERSIONS, real_influx
from ruamel.yaml import YAML

from accounting.local_time import DAY_MS, MINUTE_MS
from stores.readings import open_readings
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect
from stores.readings.port import RollupSeries

RULES_FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "provisioning" / "alerting" / "platform.yaml"
RULES = {
    rule["uid"].removeprefix("meterhouse-"): rule
    for rule in YAML(typ="safe").load(RULES_FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]
}
SITE, START_MS, LOOKED_MS = "town", 1_767_225_600_000, 15 * MINUTE_MS
DAYS = count()

WELL = {
    ("platform_1m", "ingest"): {"latency_p95_s": 2.0, "store_errors": 0.0, "age_s": 5.0},
    ("platform_1m", "analytics"): {"rollups_behind_s": 30.0, "store_errors": 0.0, "age_s": 5.0},
    ("platform_1m", "console"): {"store_errors": 0.0, "age_s": 5.0},
    ("device_health", "hall"): {"age_s": 10.0},
    ("device_health", "annex"): {"age_s": 20.0},
}
ILLS = {
    "ingest-lag": (("platform_1m", "ingest"), "latency_p95_s", 300.0),
    "gateway-silent": (("device_health", "annex"), "age_s", 900.0),
    "rollups-late": (("platform_1m", "analytics"), "rollups_behind_s", 7200.0),
    "store-errors": (("platform_1m", "console"), "store_errors", 0.0),
    "analytics-silent": (("platform_1m", "analytics"), "age_s", 600.0),
}
"""Of each rule whose figure it is about, and the last value that is no reason to call anybody."""


class Platform:
    """What processes and agents told in the quarter of an hour before an instant, each time on a day of its own."""

    def __init__(self, url):
        self.store, self.wire = open_readings(url), connect(influx_address(url))
        self.now_ms = START_MS

    def tells(self, *minutes):
        """The figures of some minutes, the newest last."""
        self.now_ms = START_MS + next(DAYS) * DAY_MS
        for k, figures in enumerate(reversed(minutes)):
            t_ms = np.array([self.now_ms - (k + 1) * MINUTE_MS], np.int64)
            for (rollup, who), fields in figures.items():
                about = {"process": who} if rollup == "platform_1m" else {"gateway": who, "device": ""}
                columns = {name: np.array([value]) for name, value in fields.items()}
                self.store.write_rollup(rollup, [RollupSeries({"site": SITE, **about}, t_ms, columns)])
        return {name for name, rule in RULES.items() if self.fires(rule)}

    def fires(self, rule):
        """As Grafana's expressions work: the newest number of each series, held against the threshold."""
        asked, reduced, held = rule["data"]
        assert (reduced["model"]["reducer"], reduced["model"]["settings"]["mode"]) == ("last", "dropNN")
        assert (reduced["model"]["expression"], held["model"]["expression"]) == (asked["refId"], reduced["refId"])
        assert rule["condition"] == held["refId"]
        [condition] = held["model"]["conditions"]
        assert condition["evaluator"]["type"] == "gt"
        reach_ms = asked["relativeTimeRange"]["from"] * 1000
        query = filled(asked["model"]["query"], (self.now_ms - reach_ms, self.now_ms), {})
        known = [[row[1] for row in one.values if row[1] is not None] for one in self.wire.ask_json(query)]
        newest = [values[-1] for values in known if values]
        return any(one > condition["evaluator"]["params"][0] for one in newest) if newest else self.no_data(rule)

    def no_data(self, rule):
        return rule["noDataState"] == "Alerting"


def ill(rule, value):
    """All is well but one figure."""
    whose, field, _ = ILLS[rule]
    return {**WELL, whose: {**WELL[whose], field: value}}


@pytest.fixture(scope="module", params=VERSIONS)
def platform(request):
    with real_influx(request.param, SITE) as url:
        one = Platform(url)
        yield one
        one.store.close()


def test_all_five_are_silent_while_all_is_well(platform):
    assert set(RULES) == set(ILLS)
    assert platform.tells(*[WELL] * 5) == set()


@pytest.mark.parametrize("rule", ILLS)
def test_a_rule_fires_for_its_own_ill_alone_and_not_at_its_limit(platform, rule):
    most = ILLS[rule][2]
    assert platform.tells(*[WELL] * 3, ill(rule, most + 1)) == {rule}
    assert platform.tells(*[WELL] * 3, ill(rule, most)) == set()


@pytest.mark.parametrize("rule", ILLS)
def test_a_rule_is_silent_again_once_its_ill_is_over(platform, rule):
    assert platform.tells(*[ill(rule, ILLS[rule][2] + 1)] * 3, WELL) == set()


def test_nobody_telling_anything_is_an_ill_too(platform):
    assert platform.tells() == set(RULES)


def test_an_ill_whose_figure_is_missing_in_the_newest_minute_is_one_still(platform):
    """Rows of a minute may come apart: what is not known says nothing."""
    whose, field, most = ILLS["ingest-lag"]
    seen = {**WELL, whose: {"store_errors": 0.0, "age_s": 5.0}}
    assert field not in seen[whose]
    assert platform.tells(ill("ingest-lag", most + 1), seen) == {"ingest-lag"}
