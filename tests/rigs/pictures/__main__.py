"""Draws the pictures of docs/dashboards.md again: ``PYTHONPATH=tests python -m rigs.pictures``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from rigs.boards import boards
from rigs.demo_past import SEEN, DemoPast
from rigs.pictures import CHOICE, DRAWN, FOLDER
from rigs.pictures.board import picture
from rigs.real_influx import real_influx
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect


def main() -> None:
    """Seed an InfluxDB 1.8 with the demo's past, and draw."""
    with real_influx("1.8", "demo-estate") as url, tempfile.TemporaryDirectory() as folder:
        past, wire = DemoPast(Path(folder), url), connect(influx_address(url))
        now = SEEN.astimezone(ZoneInfo(past.catalogue.site.timezone))
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path, name in DRAWN.items():
            drawn = picture(wire, boards()[path], path.partition("/")[0], CHOICE, now)
            (FOLDER / name).write_text(drawn, encoding="utf-8")
        past.close()


if __name__ == "__main__":
    main()
