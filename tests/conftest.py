"""What holds for every test: where the real servers are required, a skip is a failure; examples may take their time."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("meterhouse", deadline=None)  # how long one example takes says nothing on a shared machine
settings.load_profile("meterhouse")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    report = yield
    if report.skipped and os.environ.get("REQUIRE_SERVERS") == "1":
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_SERVERS=1 and a test did not run: {call.excinfo.value}"
    return report
