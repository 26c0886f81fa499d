"""The whole path with real processes: from simulated registers to a page and to true alerts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.influx_server import InfluxServer, has_influxd, need_influxd
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port

from demo.shift import ZONE, read_shift
from demo.upkeep import silence_ms, swap_of
from facility.work import AlertState, Severity
from meterhouse.demo.report import conservation
from meterhouse.demo.run import PULSING
from meterhouse.servers.influxd import own_influxd
from meterhouse.settings import Settings
from reports.billing import make_bill
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.spells import Spells
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.orders.orders import Orders
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

READY_TIMEOUT_S = 6 * PATIENCE_S
"""A demo replays fifteen months before it is ready, and two run at once."""


def start(folder, *words):
    command = [sys.executable, "-m", "meterhouse", "demo", "--headless", "--data", str(folder)]
    return subprocess.Popen(
        [*command, "--port", str(free_port()), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start_to_ready(folder, *words):
    return start(folder, *words, "--until", "ready", "--report", str(folder / "report.json"))


def end_of(process, folder):
    printed, _ = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 0, printed
    return folder, json.loads((folder / "report.json").read_text()), printed


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The demo on its file and, beside it, on an influxd: most of a demo's minute is waiting."""
    folder, other = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("demo-influx")
    processes = [start_to_ready(folder)]
    if has_influxd():
        shift = folder / "demo.json"
        until(lambda: shift.exists() and shift.stat().st_size)
        shutil.copy(shift, other)  # the same day, if it is midnight meanwhile
        processes.append(start_to_ready(other, "--store", "influx"))
    return [end_of(*run) for run in zip(processes, (folder, other), strict=False)]


@pytest.fixture(scope="module")
def run(both):
    return both[0]


def test_every_reading_is_stored_or_quarantined(run):
    _, report, _ = run
    assert report["produced"] == report["stored"] + report["quarantined"] > 100_000
    assert report["sum_error"] == 0


def test_every_injected_fault_is_found(run):
    _, report, _ = run
    assert len(report["injected"]) >= 5
    assert [fault for fault in report["injected"] if not fault["found"]] == []
    assert all(fault["hours_to_alarm"] >= 0 for fault in report["injected"])


def test_few_other_alerts_are_raised(run):
    _, report, _ = run
    assert len([alert for alert in report["alerts"] if not alert["injected"]]) <= 3


def test_the_table_says_what_was_proved(run):
    _, report, printed = run
    assert f"{report['produced']:,}" in printed
    assert "injected faults found" in printed


def test_somebody_is_sent_to_each_case_that_is_to_be_acted_on(run):
    folder, _, _ = run
    records = open_records(Settings(data=folder).records_url)
    open_now = Casebook(records).alerts(states=[AlertState.OPEN])
    ordered = {one.wish.alert for one in Orders(records).of()}
    records.dispose()
    assert ordered
    assert {one.id for one in open_now if one.severity >= Severity.ACT} <= ordered


def left_running(folder):
    still = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout.split()
    return [pid for pid in still if int(pid) != os.getpid()]


def test_nothing_was_left_running(run):
    folder, _, _ = run
    assert left_running(folder) == []


def test_on_an_influxdb_the_demo_comes_to_the_same_figures(both):
    need_influxd()
    (folder, report, _), (influx_folder, other, printed) = both
    assert other["produced"] == other["stored"] + other["quarantined"] > 100_000
    assert other["sum_error"] == 0
    assert other["injected"] == report["injected"]
    assert told_of(other) == told_of(report)
    assert [name for name in PULSING if not (influx_folder / f"{name}.pulse").exists()] == []
    assert left_running(influx_folder) == []
    assert not (influx_folder / "readings.db").exists()
    assert own_influxd(influx_folder / "influxd").password not in printed
    hours_ms = month_before(folder / "history")
    with InfluxServer(folder=influx_folder / "influxd") as server:
        embedded, influx = open_readings(Settings(data=folder).store_url), open_readings(server.url)
        points = sorted(embedded.totals())
        one, two = (store.read(points, *hours_ms) for store in (embedded, influx))
        assert sum(map(len, one.values())) > 20_000
        assert [point for point in points if not same(one[point], two[point], "t_ms", "x", "q")] == []
        for name in ("usage_1h", "building_1h"):
            one, two = (by_tags(store.read_rollup(name, {}, *hours_ms, USE)) for store in (embedded, influx))
            assert one.keys() == two.keys()
            assert sum(map(len, one.values())) > 5_000
            for tags, series in one.items():
                assert same(series, two[tags], "t_ms"), tags
                for field in USE:
                    a, b = series.fields[field], two[tags].fields[field]
                    unlike = ~np.isclose(
                        a, b, rtol=1e-9, atol=0, equal_nan=True
                    )  # of what was computed in other pieces
                    assert not unlike.any(), (tags, field, series.t_ms[unlike], a[unlike], b[unlike])
        embedded.close()
        influx.close()


USE = ("qty", "est_qty", "complete", "cost", "peak_kw", "completeness")


def month_before(written):
    """Hours of the past that both runs were told alike: what came later each lived by itself."""
    end_ms = int(written.stat().st_mtime // 3600 - 1) * 3_600_000
    return end_ms - 30 * 86_400_000, end_ms


def told_of(report):
    return sorted((alert["key"], alert["injected"]) for alert in report["alerts"])


def by_tags(found):
    return {frozenset(series.tags.items()): series for series in found}


def same(one, two, *columns):
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in columns)


def is_complete(board):
    """Whether the agent says that all its recordings are stored."""
    return [agent.figures.get("history_open") for agent in board.overview().agents] == [0.0]


def test_a_second_start_resumes_and_stops_cleanly(run):
    folder, report, _ = run
    board = StatusBoard(open_records(Settings(data=folder).records_url))
    board.forget_all()
    process = start(folder)
    until(lambda: process.poll() is not None or is_complete(board), pause_s=0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)  # as impatient people do
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, printed
    assert "the same command resumes" in printed
    assert left_running(folder) == []
    settings = Settings(data=folder)
    kept = conservation(folder / "outbox.db", settings.store_url, open_records(settings.records_url))
    assert report["stored"] <= kept.stored <= kept.produced < 1.1 * report["produced"], "resumed, not repeated"


def test_bills_prove_that_a_swap_and_a_silence_of_twelve_hours_lose_nothing(run):
    folder, _, _ = run
    settings, shift = Settings(data=folder), read_shift(folder)
    swap, silence = swap_of(shift), [datetime.fromtimestamp(t_ms / 1000, ZONE) for t_ms in silence_ms(shift)]
    records, store = open_records(settings.records_url), open_readings(settings.store_url)
    estate, books, spells = Registry(records).load(), ClosedMonths(records), Spells(records)
    months = sorted({f"{at.astimezone(ZONE):%Y-%m}" for at in (swap.at, *silence)})
    bills = [
        make_bill(store, estate, books, spells, "b105", month, now=datetime.now(UTC)).utilities[0] for month in months
    ]
    assert all(bill.residual == 0 and bill.counted == bill.quantity > 0 for bill in bills)
    assert all(sum(line.amount for line in bill.lines) == bill.amount for bill in bills)
    first, second = bills[0].registers[:2]
    assert (first.closing, second.opening) == (swap.closing, swap.opening)
    assert 12 <= sum(bill.shares.estimated_h for bill in bills) <= 13
    store.close()
    records.dispose()
