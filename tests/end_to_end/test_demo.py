"""The whole path with real processes: from simulated registers to a page and to true alerts."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from servers import free_port

from demo.shift import ZONE, read_shift
from demo.upkeep import silence_ms, swap_of
from meterhouse.demo_report import conservation
from meterhouse.settings import Settings
from reports.bill import make_bill
from stores.readings import open_readings
from stores.records.accounts import Accounts
from stores.records.database import open_records
from stores.records.registry import Registry

READY_TIMEOUT_S = 300


def start(folder, *words):
    command = [sys.executable, "-m", "meterhouse", "demo", "--headless", "--data", str(folder)]
    return subprocess.Popen(
        [*command, "--port", str(free_port()), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder, "--until", "ready", "--report", str(folder / "report.json"))
    told, _ = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 0, told
    return folder, json.loads((folder / "report.json").read_text()), told


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
    _, report, told = run
    assert f"{report['produced']:,}" in told
    assert "injected faults found" in told


def left_running(folder):
    still = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout.split()
    return [pid for pid in still if int(pid) != os.getpid()]


def test_nothing_was_left_running(run):
    folder, _, _ = run
    assert left_running(folder) == []


def test_a_second_start_resumes_and_stops_cleanly(run):
    folder, report, _ = run
    history = folder / "history.json"
    history.unlink()
    process = start(folder)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (history.exists() and json.loads(history.read_text())["complete"]):
        assert process.poll() is None
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)  # as impatient people do
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "the same command resumes" in told
    assert left_running(folder) == []
    settings = Settings(data=folder)
    kept = conservation(folder / "outbox.db", settings.store_url, open_records(settings.records_url))
    assert report["stored"] <= kept.stored <= kept.produced < 1.1 * report["produced"], "resumed, not repeated"


def test_bills_prove_that_a_swap_and_a_silence_of_twelve_hours_lose_nothing(run):
    folder, _, _ = run
    settings, shift = Settings(data=folder), read_shift(folder)
    swap, silence = swap_of(shift), [datetime.fromtimestamp(t_ms / 1000, ZONE) for t_ms in silence_ms(shift)]
    records, store = open_records(settings.records_url), open_readings(settings.store_url)
    estate, books = Registry(records).load(), Accounts(records)
    months = sorted({f"{at.astimezone(ZONE):%Y-%m}" for at in (swap.at, *silence)})
    bills = [make_bill(store, estate, books, "b105", month, now=datetime.now(UTC)).utilities[0] for month in months]
    assert all(bill.residual == 0 and bill.counted == bill.quantity > 0 for bill in bills)
    assert all(sum(line.amount for line in bill.lines) == bill.amount for bill in bills)
    first, second = bills[0].registers[:2]
    assert (first.closing, second.opening) == (swap.closing, swap.opening)
    assert 12 <= sum(bill.shares.estimated_h for bill in bills) <= 13
    store.close()
    records.dispose()
