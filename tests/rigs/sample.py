"""A small estate with thirty days behind it: rollups, live readings, one alert of every kind, in temporary SQLite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import ReadingBatch
from facility.quantities import Kind, Quantity, Utility
from facility.status import Instance, ProcessStatus
from facility.work import Cause, Evidence, Excess, Finding, Money, Severity, Verdict
from rigs.rights import everything
from stores.readings.port import RollupSeries
from stores.readings.sqlite.store import SqliteStore
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine, QuarantineItem
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.work import Alert

SITE = Path(__file__).parent / "site.yaml"
INGEST = Instance("ingest", "here", "/data", 1)
ANALYTICS = Instance("analytics", "here", "/data", 2)
HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
DAYS = 31
NIGHT_KW = {"lib": 38.0, "office": 21.0, "lab": 96.0, "hall": 14.0}
DAY_KW = {"lib": 92.0, "office": 64.0, "lab": 145.0, "hall": 55.0}
LEVELS = {
    Quantity.TEMPERATURE: 20.6,
    Quantity.CO2: 684.0,
    Quantity.BATTERY: 98.0,
    Quantity.DOOR_OPEN: 0.0,
    Quantity.LEAK: 0.0,
}


@dataclass
class Sample:
    """The stores and what lies in them."""

    folder: Path
    now: datetime
    store: SqliteStore
    records: object
    catalogue: Catalogue
    alerts: dict[str, Alert]

    def session(self, name: str = "Kim", later: timedelta = timedelta()) -> str:
        people, at = People(self.records), self.now + later
        link = people.invite(name, at)
        everything(self.records, name, at)
        return people.redeem(link, at, 86_400)

    def session_now(self, name: str = "Kim") -> str:
        """A session for a console whose clock is the machine's: it begins now, whatever the time of day."""
        return self.session(name, later=utc_now() - self.now)

    def say(self, point: str, x: float, at: datetime) -> None:
        """Write one live reading."""
        self.store.write(ReadingBatch(points=[point], p=[0], t_ms=[round(at.timestamp() * 1000)], x=[x], q=[]))


def make_sample(folder: Path, now: datetime, records_url: str = "") -> Sample:
    """Build everything as it would stand at ``now``; records in SQLite unless an address says where."""
    catalogue = load_site(SITE.read_text(), SITE.name, load_profiles())
    store = SqliteStore(folder / "readings.db")
    records = open_records(records_url or f"sqlite:///{folder / 'records.db'}")
    Registry(records).apply(catalogue, by="test", at=now)
    for process in (INGEST, ANALYTICS):
        StatusBoard(records).tell(process, ProcessStatus(), 500.0)
    _write_use(store, catalogue, now)
    _write_readings(store, catalogue, now)
    alerts = _raise_alerts(Casebook(records), now)
    Quarantine(records).put(*refused(now))
    return Sample(folder, now, store, records, catalogue, alerts)


def load_kw(building: str, hour: int, weekday: int) -> float:
    """A plausible building: a plateau in the day, little at night and on Sundays."""
    night, day = NIGHT_KW[building], DAY_KW[building]
    busy = math.exp(-(((hour - 13.0) / 4.6) ** 4)) * (1.0 if weekday < 5 else 0.35 if weekday == 5 else 0.12)
    return night + (day - night) * busy


def _write_use(store: SqliteStore, catalogue: Catalogue, now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [hour - i * HOUR for i in range(DAYS * 24, -1, -1)]
    ahead = starts + [hour + i * HOUR for i in range(1, 24)]
    rng = np.random.default_rng(7)
    for building in catalogue.buildings:
        expected = np.array([load_kw(building.id, t.hour, t.weekday()) for t in ahead])
        use = expected[: len(starts)] * (1 + 0.05 * rng.standard_normal(len(starts)))
        for i, t in enumerate(starts):
            since = now - t
            if building.id == "lib" and since < 5 * 24 * HOUR and (t.hour < 6 or t.hour >= 21):
                use[i] += 26.0
            if building.id == "lab" and 9 * 24 * HOUR < since < 11 * 24 * HOUR:
                use[i] = math.nan
        use[-1] *= (now - hour) / HOUR
        head = catalogue.head_meters(building.id, Utility.ELECTRICITY)[0]
        _write_rollups(store, head.id, building.id, "electricity", Quantity.ENERGY_IMPORT, starts, ahead, use, expected)
    for meter, share in (
        ("lib-lights", 0.22),
        ("lib-kitchen-power", 0.16),
        ("office-servers-power", 0.7),
        ("office-it", 0.48),
    ):
        building = catalogue.meter[meter].building
        use = np.array([load_kw(building, t.hour, t.weekday()) * share for t in starts])
        _write_rollups(
            store, meter, building, "electricity", Quantity.ENERGY_IMPORT, starts, starts, use, use, role="sub"
        )
    water = np.array([0.02 + 0.5 * (load_kw("lib", t.hour, t.weekday()) - 38) / 54 for t in ahead])
    leaking = water[: len(starts)] + np.array([0.28 if now - t < 38 * HOUR else 0.0 for t in starts])
    _write_rollups(store, "lib-water", "lib", "water", Quantity.WATER_VOLUME, starts, ahead, leaking, water)
    gas = np.array([4.0 if 6 <= t.hour < 14 and t.weekday() < 5 else 0.0 for t in starts])
    _write_rollups(store, "lib-gas", "lib", "gas", Quantity.GAS_VOLUME, starts, starts, gas, gas)


def _write_rollups(store, meter, building, utility, quantity, starts, ahead, use, expected, role="head"):
    """The five measurements for one counter."""
    t = _ms(starts)
    ahead_ms = _ms(ahead)
    price = {"electricity": 0.25, "water": 3.2, "gas": 0.84}[utility]
    home = {"site": "test-estate", "building": building, "utility": utility}
    tags = home | {"meter": meter, "role": role, "enduse": "total", "quantity": quantity.word}
    store.write_rollup("usage_1h", [RollupSeries(tags, t, {"qty": use, "cost": use * price})])
    band = {"expected": expected, "lo": expected * 0.88, "hi": expected * 1.12}
    store.write_rollup("baseline_1h", [RollupSeries(tags, ahead_ms, band)])
    days, sums = _days(starts, use)
    complete = np.append(np.ones(len(days) - 1), 0.0)
    daily = {"qty": sums, "cost": sums * price, "complete": complete}
    store.write_rollup("usage_1d", [RollupSeries(tags, days, daily)])
    if role == "head":
        padded = np.full(len(ahead), np.nan)
        padded[: len(use)] = use
        store.write_rollup(
            "building_1h", [RollupSeries(home, ahead_ms, {"qty": padded, "cost": padded * price, **band})]
        )
        store.write_rollup("building_1d", [RollupSeries(home, days, daily)])


def _days(starts, use):
    """Sums by UTC day, which is the local day in a British winter."""
    sums: dict[datetime, float] = {}
    for t, x in zip(starts, use, strict=True):
        day = t.replace(hour=0)
        sums[day] = sums.get(day, 0.0) + (0.0 if math.isnan(x) else x)
    return _ms(sums), np.array(list(sums.values()))


def _ms(times) -> np.ndarray:
    return np.array([round(t.timestamp() * 1000) for t in times], np.int64)


def _write_readings(store: SqliteStore, catalogue: Catalogue, now: datetime) -> None:
    """The last day of every point: gauges every five minutes, counters growing, states standing."""
    times = [now - timedelta(minutes=5 * i) for i in range(288, 0, -1)] + [now - timedelta(seconds=3)]
    rng = np.random.default_rng(3)
    for point in catalogue.points:
        meter = catalogue.meter[point.meter]
        if point.quantity is Quantity.DOOR_OPEN:
            continue
        if point.quantity is Quantity.ACTIVE_POWER:
            share = 0.2 if meter.role != "head" else 1.0
            share = {"office-servers-power": 0.62, "office-it": 0.43, "office-ups": 0.2}.get(meter.id, share)
            extra = [26.0 * (meter.id == "lib-power" and (t.hour < 6 or t.hour >= 21)) for t in times]
            x = [
                1000 * (e + share * load_kw(meter.building, t.hour, t.weekday())) * (1 + 0.02 * rng.standard_normal())
                for t, e in zip(times, extra, strict=True)
            ]
        elif point.quantity.is_counter:
            x = [5000.0 + 0.03 * i for i in range(len(times))]
        elif meter.id == "lib-freezer":
            x = [-19.4 + 0.4 * math.sin(i / 6) for i in range(len(times))]
        else:
            x = [LEVELS[point.quantity]] * len(times)
        store.write(ReadingBatch(points=[point.id], p=[0] * len(times), t_ms=_ms(times).tolist(), x=x, q=[]))
    door = catalogue.find_point("office-door", Quantity.DOOR_OPEN)
    opened = [now - timedelta(days=6, hours=3 * i) for i in range(16, 0, -1)] + [now - timedelta(hours=14)]
    store.write(
        ReadingBatch(
            points=[door.id], p=[0] * len(opened), t_ms=_ms(opened).tolist(),
            x=[float(i % 2 == 0) for i in range(len(opened))], q=[],
        )
    )  # fmt: skip
    assert door.quantity.kind is Kind.STATE


def _raise_alerts(casebook: Casebook, now: datetime) -> dict[str, Alert]:
    """One of every kind; the meter that was silent has been heard again, the stuck one is closed."""
    raised = {}
    for finding, money in _findings(now.replace(second=0, microsecond=0)):
        raised[finding.detector] = casebook.record(finding, money=money, notify=False)
    casebook.resolve(raised["silent_meter"].key, now - timedelta(minutes=10))
    casebook.close(
        raised["stuck_meter"].id,
        Verdict.FIXED,
        Cause.EQUIPMENT,
        "Pulse lead was loose",
        "Ada",
        now - timedelta(minutes=10),
        based_on=0,
    )
    return {name: casebook.alert(alert.id) for name, alert in raised.items()}


def _findings(now: datetime) -> list[tuple[Finding, Money | None]]:
    def finding(detector, point, building, hours, severity, sure, excess, utility, **params):
        meter, since = point.split("/")[0], now - timedelta(hours=hours)
        shown = (Evidence(point, since, now, "usage" if utility else "reading"),)
        if detector == "door_left_open":
            shown += (Evidence("office-power/energy_import/total", since, now, "usage"),)
        return Finding(
            detector, point, meter, building, since, now - timedelta(minutes=20), severity, sure, shown,
            params, excess, utility,
        )  # fmt: skip

    return [
        (
            finding(
                "continuous_flow", "lib-water/water_volume/total", "lib", 38, Severity.ACT, 0.95,
                Excess(10.6, "m3", 6.7), Utility.WATER, hours_h=38, rate_qty=0.28, excess_qty=10.6, per_day_qty=6.7,
                unit="m3",
            ),
            Money(33.9, 21.5, "GBP"),
        ),
        (
            finding(
                "night_waste", "lib-power/energy_import/total", "lib", 110, Severity.ACT, 0.92,
                Excess(1170.0, "kWh", 234.0), Utility.ELECTRICITY, per_hour_qty=10.6, excess_qty=1170.0, unit="kWh",
            ),
            Money(292.5, 58.5, "GBP"),
        ),
        (
            finding(
                "door_left_open", "office-door/door_open/door", "office", 14, Severity.WATCH, 0.81,
                Excess(18.0, "kWh", 31.0), None, hours_h=14, excess_qty=18.0, unit="kWh",
            ),
            Money(4.5, 7.7, "GBP"),
        ),
        (
            finding(
                "silent_meter", "lab-power/energy_import/total", "lab", 264, Severity.WATCH, 0.99, None,
                Utility.ELECTRICITY, hours_h=48,
            ),
            None,
        ),
        (
            finding(
                "stuck_meter", "hall-power/energy_import/total", "hall", 90, Severity.WATCH, 0.72, None,
                Utility.ELECTRICITY, hours_h=30, expected_qty=830.0, unit="kWh",
            ),
            None,
        ),
    ]  # fmt: skip


def refused(now: datetime) -> list[QuarantineItem]:
    """A hostile message, one that is only damaged, and readings of a point that nobody has told the estate of."""

    def item(reason, first, count, payload, agent="edge-lib"):
        kind = "reading" if count else "message"
        return QuarantineItem(
            received_at=now - timedelta(minutes=first),
            stage="check" if count else "decode",
            kind=kind,
            reason=reason,
            detail="lib-heat/heat_power/total = 41.5 at 1764150000000, and 2 more",
            topic=f"meterhouse/1/up/{agent}/live",
            agent=agent,
            epoch="e1" if count else "",
            first_seq=first if count else None,
            last_seq=first + count - 1 if count else None,
            count=count,
            payload=payload,
        )

    readings = b'{"seq":[50,51,52],"points":["lib-heat/heat_power/total"],"p":[0,0,0],"x":[41.5,41.6,41.7],"q":[]}'
    return [
        item("malformed", 90, 0, b"<script>alert(1)</script>\x1b[2J{not json", agent="edge-<b>lab</b>"),
        item("unknown_point", 50, 3, readings),
        item("unknown_point", 20, 400, readings * 40),
        item("out_of_range", 10, 1, b'{"seq":[10],"points":["lib-power/active_power/total"],"p":[0],"x":[9e9],"q":[]}'),
        item("not_yet_known_reason", 5, 1, b"{}"),
    ]


def utc_now() -> datetime:
    return datetime.now(UTC)


NOW = utc_now().replace(hour=14, minute=20, second=30, microsecond=0)
"""The instant at which tests look at the sample: an afternoon, so that today has both past and future."""
