"""A hall with one meter whose device was swapped in September 2026: its site.yaml and two months of readings."""

from datetime import datetime

import numpy as np

from accounting.local_time import HOUR_MS
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import ReadingBatch

POINT = "main/energy_import/total"
SITE = """\
version: 1
site:
  id: town
  name: Town
  timezone: Asia/Shanghai
  currency: CNY
  holidays: {country: CN}
  tariffs:
    - id: five
      utility: electricity
      valid_from: 2026-01-01
      basis: notice 1093
      prices: {peak: 1.2, flat: 0.8, valley: 0.4}
      otherwise: flat
      rules:
        - {period: peak, slots: ["08:00-11:00"]}
        - {period: valley, slots: ["22:00-06:00"]}
buildings: [{id: hall, name: Hall}]
agents: [{id: edge-1, buses: [{id: b, url: "modbus+tcp://127.0.0.1:502"}]}]
meters:
  - {id: main, name: Main, building: hall, profile: acrel/adl3000-e, agent: edge-1, bus: b, unit: 1,
     utility: electricity, role: head, serial: A1, ct_ratio: 40, points: [{quantity: energy_import}]}
"""


def at(local):
    """The instant of a local time."""
    return datetime.fromisoformat(f"{local}+08:00")


def ms(local):
    """The same in milliseconds."""
    return round(at(local).timestamp() * 1000)


SWAPPED_AT = "2026-09-14T10:30"


def estate(*changes):
    """The estate, with words of its document replaced: old, new."""
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load_site(text, "site.yaml", load_profiles())


def readings():
    """Hourly readings as the agent sent them, 40 times the face: the old device to 580.625, the new one from 2 on."""
    t_ms = np.arange(ms("2026-09-01T00:00"), ms("2026-10-02T00:00") + 1, HOUR_MS)
    swapped = ms(SWAPPED_AT)
    face = np.where(t_ms < swapped, 500 + (t_ms - t_ms[0]) / HOUR_MS / 4, 2 + (t_ms - swapped) / HOUR_MS / 4)
    return ReadingBatch([POINT], [0] * len(t_ms), t_ms.tolist(), (40 * face).tolist())
