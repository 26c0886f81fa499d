"""What a site, building, meter, point and reading are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, unique
from typing import TYPE_CHECKING

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, time

    from facility.factors import Co2Factor, FactorSet, TypicalUse
    from facility.levels import Level
    from facility.quantities import Quantity, Utility
    from facility.tariff import Tariff

TOTAL = "total"
"""The channel of a point that is not split by phase, door or sensor."""

READ_EVERY_DAYS = 31  # of a meter that people read, where nothing is said


@unique
class MeterRole(StrEnum):
    """How a meter enters a building's total. Only head meters are summed; check meters never are."""

    HEAD = "head"
    SUB = "sub"
    CHECK = "check"
    VIRTUAL = "virtual"


@unique
class Provenance(StrEnum):
    """Where a meter's readings come from; shown wherever its figures are."""

    METERED = "metered"  # an installed device
    RECORDED = "recorded"  # real readings of another time, played as if now
    SYNTHETIC = "synthetic"  # computed, no building behind them


@unique
class Ratio(StrEnum):
    """By which transformer ratios a secondary value must be multiplied."""

    NONE = "none"
    CT = "ct"
    PT = "pt"
    CT_PT = "ct_pt"


@unique
class SpaceKind(StrEnum):
    """What a space is for, where that changes how its sensors are read."""

    FLOOR = "floor"
    ROOM = "room"
    OFFICE = "office"
    MEETING_ROOM = "meeting_room"
    PLANT_ROOM = "plant_room"
    SERVER_ROOM = "server_room"
    CANTEEN = "canteen"
    COLD_STORE = "cold_store"
    ENTRANCE = "entrance"
    ROOF = "roof"
    OUTDOORS = "outdoors"


@unique
class Quality(IntEnum):
    """Quality code of a reading on the wire and in the store. ``RETRACTED`` is the store's alone: none any more."""

    GOOD = 0
    TIME_ESTIMATED = 1
    SUSPECT = 2
    MANUAL = 3
    SUBSTITUTED = 4
    RETRACTED = 5


@dataclass(frozen=True, slots=True)
class Name:
    """A display name in both languages. ``zh`` falls back to English."""

    en: str
    zh: str = ""

    def in_language(self, language: str) -> str:
        """The name for ``en`` or ``zh-Hans``."""
        return self.zh if language.startswith("zh") and self.zh else self.en


@dataclass(frozen=True, slots=True)
class Price:
    """A flat price per unit of a utility, in the site's currency, valid from a local date on."""

    utility: Utility
    per_unit: float
    valid_from: date
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Closure:
    """Local days, both included, on which a building is closed beside public holidays."""

    first: date
    last: date
    name: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the document ``basis`` says of a year's days, over the holiday library: days worked (调休), days off."""

    year: int
    basis: str
    workdays: tuple[date, ...] = ()
    days_off: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class DayHours:
    """Local hours of one day, ``start`` included, ``end`` excluded; armed hours may run over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Site:
    """One estate: everything that shares a time zone, a currency and a holiday calendar."""

    id: str
    name: Name
    timezone: str
    currency: str
    holiday_country: str = ""
    holiday_subdivision: str = ""
    holiday_shift_days: int = 0
    closures: tuple[Closure, ...] = ()
    prices: tuple[Price, ...] = ()
    banner: Name | None = None
    custodian: str = ""  # who decides about data levels
    tariffs: tuple[Tariff, ...] = ()
    notices: tuple[Notice, ...] = ()
    co2: tuple[Co2Factor, ...] = ()
    typical_use: tuple[TypicalUse, ...] = ()
    factor_sets: tuple[FactorSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """Who uses buildings and pays for them."""

    id: str
    name: Name
    cost_centre: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    """A room, floor or zone inside a building, or the outdoors beside it."""

    id: str
    building: str
    name: Name
    kind: SpaceKind = SpaceKind.ROOM


@dataclass(frozen=True, slots=True)
class Building:
    """A building with its use, area and opening ``hours`` (weekday 0 = Monday; a missing day is closed).

    Its security sensors are armed on closed days and in ``armed``: where none are stated, whenever it is not open.
    """

    id: str
    name: Name
    department: str = ""
    use: str = "office"
    floor_area_m2: float | None = None
    hours: dict[int, DayHours] = field(default_factory=dict)
    armed: dict[int, DayHours] = field(default_factory=dict)
    totals: dict[Utility, Level] = field(default_factory=dict)  # as the custodian graded them; else as what they sum


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter or sensor on a bus. ``connection`` names a bus of its agent, ``unit`` its address there.

    Without an agent people read it, every ``read_every_days`` days: no profile, no bus. Serial, ratios and where the
    register rolls over are those of the device that hangs there now; the ledger has the ones before it. Its feeder
    delivers ``most_per_hour`` at most. ``shares_device``: other meters are parts of the device at the same address.
    """

    id: str
    name: Name
    building: str
    profile: str
    agent: str
    connection: str
    unit: str
    space: str = ""
    utility: Utility | None = None
    role: MeterRole = MeterRole.SUB
    enduse: str = TOTAL
    serial: str = ""
    ct_ratio: float = 1.0
    pt_ratio: float = 1.0
    digits: int | None = None
    poll_s: float = 10.0
    provenance: Provenance = Provenance.METERED
    rolls_over_at: float | None = None
    most_per_hour: float | None = None
    shares_device: bool = False
    read_every_days: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One series: a quantity of a meter on a channel. Its ``id``, ``meter/quantity/channel``, is permanent everywhere.

    ``ratio`` says by which transformer ratios the agent multiplies what the device shows; None: by none.
    """

    meter: str
    quantity: Quantity
    channel: str = TOTAL
    level: Level | None = None
    low: float | None = None
    high: float | None = None
    ratio: Ratio | None = None
    id: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put the id together once: pages and passes ask for ten thousand of them."""
        object.__setattr__(self, "id", f"{self.meter}/{self.quantity.word}/{self.channel}")

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest plausible value, narrowed by the profile or the site."""
        low, high = self.quantity.low, self.quantity.high
        return low if self.low is None else self.low, high if self.high is None else self.high


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one point at one instant (aware time, finite value, the quantity's own unit)."""

    point: str
    time: datetime
    value: float
    quality: Quality = Quality.GOOD

    def __post_init__(self) -> None:
        """Refuse what is not a reading: a missing value is no reading at all."""
        if not math.isfinite(self.value):
            raise Rejected("not_finite", f"{self.point}: {self.value} is not a number to store")
        if self.time.tzinfo is None:
            raise Rejected("naive_time", f"{self.point}: {self.time} has no time zone")

    @property
    def t_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00Z."""
        return round(self.time.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings as columns of one length: the unit of work from the wire to the store.

    ``points`` are ids; row *i* is ``points[p[i]]`` at ``t_ms[i]``, of value ``x[i]`` and quality ``q[i]`` (none: good).
    """

    points: list[str]
    p: list[int]
    t_ms: list[int]
    x: list[float]
    q: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of readings."""
        return len(self.x)

    def chosen(self, rows: Sequence[int]) -> ReadingBatch:
        """Some rows, with only the points that they speak of."""
        used = sorted({self.p[i] for i in rows})
        place = {old: new for new, old in enumerate(used)}
        return ReadingBatch(
            points=[self.points[i] for i in used],
            p=[place[self.p[i]] for i in rows],
            t_ms=[self.t_ms[i] for i in rows],
            x=[self.x[i] for i in rows],
            q=[self.q[i] for i in rows] if self.q else [],
        )
