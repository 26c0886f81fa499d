"""What holds for every test: where the real servers are required, a skip is a failure; examples may take their time."""

from __future__ import annotations

import os
import subprocess

import pytest
import structlog
from hypothesis import settings
from rigs.chromium import browser_started
from rigs.influx_server import need_influxd

from stores.records.database import open_records

# How long one example takes says nothing on a shared machine. The same examples each time: a change is judged by what
# it does. Others are looked for by ``--hypothesis-profile=search``.
settings.register_profile("meterhouse", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("meterhouse")

os.environ["METERHOUSE_LANGUAGE"] = "en"  # whatever the terminal that runs the tests speaks
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # without cached bytecode each process that starts takes a second more

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))  # as the processes do


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    can_be_had = not item.get_closest_marker("grafana")
    if report.skipped and can_be_had and os.environ.get("REQUIRE_SERVERS") == "1":
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_SERVERS=1 and a test did not run: {call.excinfo.value}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files with a test that takes minutes come first: the last thing to run is a short one."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A database at the newest schema: copied, since the steps take longer than most tests."""
    path = tmp_path_factory.mktemp("records") / "records.db"
    open_records(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def chromium():
    """One browser for all: a second one in the same process is refused."""
    with browser_started() as browser:
        yield browser


@pytest.fixture
def logged():
    """Every log line from now on, whoever writes it, with what was bound around it."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        yield lines


@pytest.fixture
def small_disk(tmp_path):
    """24 MiB for an influxd's files, which can grow."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        how = "a disk of its own needs root"
        (pytest.fail if os.environ.get("REQUIRE_SERVERS") == "1" else pytest.skip)(how)
    need_influxd()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)
