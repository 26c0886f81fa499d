"""Meters that people read, at the terminal: told as due, never as silent."""

import json
import time

from rigs.command_line import meterhouse

from facility.model import Quality, ReadingBatch
from stores.readings import open_readings

SITE = """
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
buildings: [{id: hall, name: Hall}]
meters:
  - {id: water, name: Water, building: hall, utility: water, role: head, read_every_days: 7}
  - {id: gas, name: Gas, building: hall, utility: gas, role: head}
"""
POINTS = ["water/water_volume/total", "gas/gas_volume/total"]


def test_status_names_what_people_should_have_read_by_now(tmp_path):
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    done = meterhouse("site", "apply", tmp_path / "site.yaml", data=tmp_path)
    assert done.returncode == 0, done.stderr
    store = open_readings(f"sqlite:///{tmp_path}/readings.db")
    days_ago = [time.time_ns() // 1_000_000 - days * 86_400_000 for days in (8, 8)]
    store.write(ReadingBatch(POINTS, [0, 1], days_ago, [10.0, 20.0], [Quality.MANUAL.value] * 2))
    store.close()
    said = meterhouse("status", data=tmp_path)
    assert "A meter waits to be read by hand: water." in said.stdout, "gas is read every month"
    assert json.loads(meterhouse("status", "--json", data=tmp_path).stdout)["due"] == ["water"]
