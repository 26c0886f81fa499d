"""``python -m analytics``: settings, stores and registry put together, and the watch that runs on them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from analytics.estate_watch import EstateWatch
from analytics.metrics import Rounds
from analytics.settings import AnalyticsSettings
from process.health import HealthServer
from process.pulse import Pulse
from process.run import run
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from threading import Event


def main() -> int:
    """Run until SIGTERM or SIGINT (0), or until a person must change something (2).

    It is ended wherever it is: everything that is written is written whole, and is found again at the next start.
    """
    return run(AnalyticsSettings, _run, told="it is ended")


def _run(settings: AnalyticsSettings, stop: Event) -> bool:
    records = open_records(settings.records)
    store = open_readings(settings.store, Registry(records))
    rounds = Rounds(time.monotonic)
    watch = EstateWatch(settings, store, records, Pulse(settings.data, "analytics", time.monotonic))
    with HealthServer(settings.metrics, lambda: rounds.health(watch.alarms()), rounds):
        watch.run(rounds, stop)
    return True


if __name__ == "__main__":
    sys.exit(main())
