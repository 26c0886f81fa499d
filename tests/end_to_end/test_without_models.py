"""The real process with ``METERHOUSE_MODELS=off``: rules tell as ever, and a bill is the same to the byte."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from rigs.patience import until
from rigs.worlds import CATALOGUE, POINT

from accounting.calendars import Occupancy, SiteCalendar
from accounting.local_time import HOUR_MS
from facility.model import ReadingBatch
from reports.bill_files import bill_csv, bill_xlsx
from reports.billing import make_bill
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.spells import Spells
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from wording.formats import Formats

DAYS = 100
WASTED_DAYS, LEAKING_DAYS = 3, 6
BY_RULES = {"continuous_flow", "counter_fault", "water_on_floor"}
"""What rules tell of the faults below, models or none."""


@pytest.fixture(scope="module")
def found(migrated, tmp_path_factory):
    """What two processes made of the same readings, one with models and one without: cases, and the bill's files."""
    now, folder = datetime.now(UTC), tmp_path_factory.mktemp("models") / "on"
    folder.mkdir(mode=0o700)
    shutil.copy(migrated, folder / "records.db")
    fill(folder, now)
    without = shutil.copytree(folder, folder.parent / "off")
    with ExitStack() as running:
        for one in (folder, without):
            running.enter_context(analytics(one, models=one.name))
    return {one.name: (findings(one), bill(one, now)) for one in (folder, without)}


def fill(folder, now):
    """Hourly registers of an office in which lights burn, water runs, a floor is wet and a register fell."""
    records = open_records(f"sqlite:///{folder}/records.db")
    Registry(records).apply(CATALOGUE, by="test", at=now - timedelta(days=DAYS))
    records.dispose()
    end_ms = round(now.timestamp() * 1000) // HOUR_MS * HOUR_MS
    t_ms = end_ms - HOUR_MS * np.arange(DAYS * 24, -1, -1, dtype=np.int64)
    use = used(t_ms[:-1])
    x = {name: 50_000.0 + np.concatenate([[0.0], np.cumsum(qty)]) for name, qty in use.items()}
    x["main"][-30:] -= 30_000.0
    store = SqliteStore(folder / "readings.db")
    for name, column in x.items():
        store.write(ReadingBatch([POINT[name]], [0] * len(t_ms), t_ms.tolist(), column.tolist()))
    store.write(ReadingBatch([POINT["floor"]], [0, 0], [int(t_ms[0]), end_ms - HOUR_MS], [0.0, 1.0]))
    store.close()


def used(t_ms):
    hours = len(t_ms)
    work = SiteCalendar(CATALOGUE.site).local_hours(t_ms, CATALOGUE.buildings[0]).occ == Occupancy.WORK
    noise = 1 + 0.05 * np.random.default_rng(0).standard_normal(hours)
    use = {
        "lights": np.where(work, 12.0, 0.6) * noise,
        "main": np.where(work, 72.0, 26.0) * noise,
        "water": np.where(work, 0.4, 0.0) * noise,
    }
    use["lights"][-WASTED_DAYS * 24 :] += 12.0
    use["water"][-LEAKING_DAYS * 24 :] += 0.3
    return use


@contextmanager
def analytics(folder, *, models):
    """The real process over a folder, until it has looked through every hour."""
    settings = {
        "METERHOUSE_DATA": f"{folder}",
        "METERHOUSE_STORE": f"sqlite://{folder}/readings.db",
        "METERHOUSE_RECORDS": f"sqlite:///{folder}/records.db",
        "METERHOUSE_MODELS": models,
        "METERHOUSE_STEP_DAYS": "10",
        "METERHOUSE_TICK_S": "0.5",
    }
    log = folder.parent / f"{models}.log"
    command = [sys.executable, "-m", "analytics"]
    with log.open("w") as out, subprocess.Popen(command, env=os.environ | settings, stdout=out, stderr=out) as process:
        try:
            yield
            records = open_records(settings["METERHOUSE_RECORDS"])
            until(lambda: is_live(records), says=log.read_text)
            records.dispose()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()


def is_live(records):
    seen = [one.status for one in StatusBoard(records).overview().processes if one.instance.process == "analytics"]
    return any(one.state == "live" and "through" in one.facts for one in seen)


def findings(folder):
    records = open_records(f"sqlite:///{folder}/records.db")
    detectors = {alert.detector for alert in Casebook(records).alerts()}
    records.dispose()
    return detectors


def bill(folder, now):
    """Last month's bill as files in both languages."""
    records = open_records(f"sqlite:///{folder}/records.db")
    store, catalogue = SqliteStore(folder / "readings.db"), Registry(records).load()
    month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    made = make_bill(store, catalogue, ClosedMonths(records), Spells(records), "hall", month, now=now)
    site = catalogue.site
    formats = [Formats(language, site.timezone, site.currency) for language in ("en", "zh-Hans")]
    store.close()
    records.dispose()
    assert made.total > 0
    return [file for one in formats for file in (bill_csv(made, one).encode(), bill_xlsx(made, one))]


def test_a_bill_is_the_same_to_the_byte_with_models_and_without(found):
    assert found["on"][1] == found["off"][1]


def test_rules_tell_as_ever_and_models_alone_tell_of_waste(found):
    by_models = found["on"][0] - found["off"][0]
    assert found["off"][0] >= BY_RULES
    assert found["on"][0] >= BY_RULES
    assert by_models & {"night_waste", "base_load_step", "weekend_or_holiday_waste"}
