"""A hall in Shanghai with one or two head meters, its readings of October 2026, and its bill."""

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from accounting.local_time import HOUR_MS
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from facility.catalogue import Catalogue
from facility.model import Building, DayHours, Meter, MeterRole, Name, Point, ReadingBatch, Site
from facility.quantities import Quantity, Utility
from reports.billing import make_bill
from stores.readings.memory import MemoryStore
from wording.formats import Formats
from wording.remarks import remark_text

ZONE = ZoneInfo("Asia/Shanghai")
POINT = "main/energy_import/total"
QUARTER = HOUR_MS // 4
EN = Formats("en", "Asia/Shanghai", "CNY")
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def ms(text):
    """A local time in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def estate(*tariffs, prices=(), heads=1, installations=(), currency="CNY"):
    """One or two head meters of electricity."""
    meters = [
        Meter("main", Name("Main"), "hall", "p", "a", "bus", "1", utility=Utility.ELECTRICITY, role=MeterRole.HEAD)
    ]
    points = [Point("main", Quantity.ENERGY_IMPORT)]
    if heads == 2:
        meters.append(replace(meters[0], id="side"))
        points.append(Point("side", Quantity.ENERGY_IMPORT))
    hall = Building("hall", Name("Hall"), hours={day: DayHours(time(8), time(18)) for day in range(5)})
    site = Site("town", Name("Town"), "Asia/Shanghai", currency, "CN", tariffs=tariffs, prices=prices)
    return Catalogue(site, (), (hall,), (), (), tuple(meters), tuple(points), installations)


def steady(start="2026-10-01T00:00", end="2026-11-01T00:00", per_hour=12.0, begin=1_000.0, step=QUARTER):
    """Times and registers of a meter that is read every quarter-hour and always uses the same."""
    t_ms = np.arange(ms(start), ms(end) + 1, step)
    return t_ms, begin + (t_ms - t_ms[0]) / HOUR_MS * per_hour


def stored(catalogue, *columns, points=(POINT,)):
    """A store that took in columns of readings, one pair for each point, with its figures."""
    store = MemoryStore()
    for point, (t_ms, x) in zip(points, columns, strict=True):
        store.write(ReadingBatch([point], [0] * len(t_ms), t_ms.tolist(), np.asarray(x, float).tolist()))
    RollupWriter(store, catalogue).update(store.changes(0).ranges)
    return store


def bill_of(catalogue, books, *columns, month="2026-10", now=LATER, **more):
    """The bill of a month made from columns of readings."""
    return made(stored(catalogue, *columns, **more), catalogue, books, month, now=now)


def made(store, catalogue, books, month="2026-10", *, now=LATER, spells=None):
    """The bill of a month by what is stored."""
    return make_bill(store, catalogue, books, spells or NoSpells(), "hall", month, now=now)


def sentences(remarks):
    """What remarks say in English."""
    return [remark_text(remark, EN) for remark in remarks]


def amounts(bill):
    """Quantity and amount of each line of the first utility."""
    return {line.what: (line.quantity, line.amount) for line in bill.utilities[0].lines}
