"""A month with everything that a bill can show: five periods, a tier, capacity, demand, a swap, a silence, doubts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from accounting.local_time import HOUR_MS
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from facility.catalogue import Catalogue
from facility.ledger.installation import Installation, first_installation, swapped
from facility.model import Building, Meter, MeterRole, Name, Point, Price, ReadingBatch, Site
from facility.quantities import Quantity, Utility
from facility.tariff import PERIODS, Capacity, Demand, Period, Step, Tariff, TariffRule, Tiers
from reports.billing import make_bill
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import LATE, Adjustment

ZONE = ZoneInfo("Asia/Shanghai")
EARLY = datetime(2026, 10, 30, tzinfo=UTC)
FIVE = Tariff(
    "five",
    Utility.ELECTRICITY,
    date(2026, 1, 1),
    "notice 1093",
    tuple(zip(PERIODS, (1.6, 1.2, 0.8, 0.4, 0.2), strict=True)),
    (
        TariffRule(Period.PEAK, ((480, 660), (1020, 1260))),
        TariffRule(Period.VALLEY, ((1320, 360),)),
        TariffRule(Period.SHARP, ((600, 630),)),
        TariffRule(Period.DEEP, ((660, 720),), (), frozenset({"long_holiday"})),
    ),
    Period.FLAT,
)
RICH = replace(
    FIVE,
    tiers=Tiers("month", (Step(8_000, 0.1),)),
    capacity=Capacity(630, 20.0),
    demand=Demand(38.0, declared_kw=8),
    fixed_per_month=15,
)


def _ms(local):
    return round(datetime.fromisoformat(local).replace(tzinfo=ZONE).timestamp()) * 1000


SWAPPED_MS = _ms("2026-10-14T10:30")


def estate():
    """A hall whose electricity meter was swapped, and a water meter whose price began on the third."""
    main = Meter("main", Name("Main"), "hall", "p", "a", "bus", "1", utility=Utility.ELECTRICITY, role=MeterRole.HEAD)
    water = replace(main, id="water", unit="2", utility=Utility.WATER)
    price = Price(Utility.WATER, 4.0, date(2026, 10, 3), "contract")
    site = Site("town", Name("Town"), "Asia/Shanghai", "CNY", "CN", tariffs=(RICH,), prices=(price,))
    new = Installation("main", datetime.fromtimestamp(SWAPPED_MS / 1000, UTC), "B2", opening=3.0, closing=4_870.0)
    ledger = swapped((replace(first_installation(main), serial="A1"),), new)
    points = (Point("main", Quantity.ENERGY_IMPORT), Point("water", Quantity.WATER_VOLUME))
    return Catalogue(site, (), (Building("hall", Name("Hall", "市政厅")),), (), (), (main, water), points, ledger)


def readings():
    """Electricity with a silence of half a day; water from the second day on, which stands still from the sixth on."""
    t_ms = np.arange(_ms("2026-10-01T00:00"), _ms("2026-11-01T00:00") + 1, HOUR_MS // 4)
    hours = (t_ms - t_ms[0]) / HOUR_MS
    face = np.where(t_ms <= SWAPPED_MS, 1_000 + hours * 12, 3 + (t_ms - SWAPPED_MS) / HOUR_MS * 12)
    heard = (t_ms < _ms("2026-10-20T06:00")) | (t_ms > _ms("2026-10-20T18:00"))
    yield "main/energy_import/total", t_ms[heard], face[heard]
    wet = t_ms > _ms("2026-10-02T00:00")
    yield "water/water_volume/total", t_ms[wet], 50 + np.minimum(hours * 0.2, 30)[wet]


def rich_bill(books):
    """The bill of October, made before the month is over, with an entry that adjusts September."""
    store, catalogue = MemoryStore(), estate()
    for point, t_ms, x in readings():
        store.write(ReadingBatch([point], [0] * len(t_ms), t_ms.tolist(), x.tolist()))
    RollupWriter(store, catalogue).update(store.changes(0).ranges)
    less = {"2026-09-03": {"qty": -5.5, "cost": -6.6}}
    found = datetime(2026, 10, 9, tzinfo=UTC)
    late = Adjustment("hall", "electricity", "main", "energy_import", "2026-09", found, LATE, less)
    books.adjust([late], based_on=books.newest_entry())
    return make_bill(store, catalogue, books, NoSpells(), "hall", "2026-10", now=EARLY)
