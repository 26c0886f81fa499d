"""Small estates with made-up readings, for tests of baselines, detectors and cases."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import numpy as np

from accounting.calendars import Occupancy, SiteCalendar
from accounting.local_time import HOUR_MS
from analytics.models import Models
from analytics.scene import CounterUse, Window
from facility.catalogue import Agent, Bus, Catalogue
from facility.ledger.installation import BEGINNING, Installation
from facility.levels import Level
from facility.model import Building, DayHours, Meter, MeterRole, Name, Point, Price, Site, Space, SpaceKind
from facility.quantities import Quantity, Utility
from rigs.odd_registers import shown, spells_of
from stores.readings.port import Series

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
START_MS = round(START.timestamp() * 1000)
DAY_H = 24
DAYS = 105
HOURS = DAYS * DAY_H
FIRST = 45 * DAY_H
REGISTER_FROM = 60 * DAY_H
FRIDAY_EVENING = 95 * DAY_H + 17  # 18:00 in London, summer time
PRICES = {Utility.ELECTRICITY: 0.3, Utility.WATER: 3.0, Utility.GAS: 0.9}


def meter(meter_id, utility=None, role=MeterRole.SUB, enduse="total", space=""):
    return Meter(
        meter_id,
        Name(meter_id),
        "hall",
        "p",
        "edge-1",
        "bus",
        meter_id,
        space,
        utility=utility,
        role=role,
        enduse=enduse,
    )


METERS = (
    meter("main", Utility.ELECTRICITY, MeterRole.HEAD),
    meter("lights", Utility.ELECTRICITY, MeterRole.SUB, "lighting"),
    meter("water", Utility.WATER, MeterRole.HEAD),
    meter("door"),
    meter("floor"),
    meter("outdoor", space="outside"),
)
SERVERS = (
    meter("room", Utility.ELECTRICITY, MeterRole.SUB, "server_room"),
    meter("racks", Utility.ELECTRICITY, MeterRole.SUB, "server_it"),
)
"""Of an estate with a server room (``WITH_SERVERS``); ``room`` is all that it draws."""

QUANTITIES = {
    "main": Quantity.ENERGY_IMPORT,
    "lights": Quantity.ENERGY_IMPORT,
    "water": Quantity.WATER_VOLUME,
    "door": Quantity.DOOR_OPEN,
    "floor": Quantity.LEAK,
    "outdoor": Quantity.TEMPERATURE,
}
POINTS = tuple(Point(m, q, level=Level.INTERNAL) for m, q in QUANTITIES.items())
POINT = {point.meter: point.id for point in POINTS}
CATALOGUE = Catalogue(
    site=Site(
        "town",
        Name("Town"),
        "Europe/London",
        "GBP",
        prices=tuple(Price(utility, per_unit, date(2020, 1, 1)) for utility, per_unit in PRICES.items()),
    ),
    departments=(),
    buildings=(Building("hall", Name("Hall"), hours={day: DayHours(time(8), time(18)) for day in range(5)}),),
    spaces=(Space("outside", "hall", Name("Outside"), SpaceKind.OUTDOORS),),
    agents=(Agent("edge-1", (Bus("bus", "modbus+tcp://127.0.0.1:5020"),)),),
    meters=METERS,
    points=POINTS,
)

_RACKS = tuple(Point(one.id, Quantity.ENERGY_IMPORT, level=Level.INTERNAL) for one in SERVERS)
WITH_SERVERS = replace(CATALOGUE, meters=METERS + SERVERS, points=POINTS + _RACKS)
POINT |= {point.meter: point.id for point in _RACKS}

GAUGES = {
    "freezer": (Quantity.TEMPERATURE, "total", "cold", -20.0),
    "air": (Quantity.TEMPERATURE, "total", "office", 27.0),
    "outdoor": (Quantity.TEMPERATURE, "total", "outside", 32.0),
    **{f"main-{phase}": (Quantity.CURRENT, phase, "", 40.0) for phase in ("l1", "l2", "l3")},
}
"""Name → quantity, channel, space and usual level of gauges of a hall in China, in a hot week."""


SENSORS = {
    "smoke_detected": Quantity.SMOKE,
    "intrusion_alarm": Quantity.INTRUSION,
    "glass_broken": Quantity.GLASS_BREAK,
    "mains_lost": Quantity.MAINS_LOST,
    "device_tampered": Quantity.TAMPER,
}
"""Detector → what contacts of the hall's alarm panel say."""

PANEL = {name: Point("panel", quantity, level=Level.INTERNAL) for name, quantity in SENSORS.items()}


def gauge_point(name):
    quantity, channel, _, _ = GAUGES[name]
    return Point(name.partition("-")[0], quantity, channel, level=Level.INTERNAL)


WITH_GAUGES = replace(
    CATALOGUE,
    site=replace(CATALOGUE.site, holiday_country="CN"),
    spaces=(
        *CATALOGUE.spaces,
        Space("cold", "hall", Name("Cold store"), SpaceKind.COLD_STORE),
        Space("office", "hall", Name("Office"), SpaceKind.OFFICE),
    ),
    meters=(*METERS, meter("freezer", space="cold"), meter("air", space="office"), meter("panel")),
    points=(*POINTS, *(gauge_point(name) for name in GAUGES if name != "outdoor"), *PANEL.values()),
)


def hours_ms(hours):
    return START_MS + HOUR_MS * np.arange(hours, dtype=np.int64)


def calendar_hours(hours, site=CATALOGUE.site):
    return SiteCalendar(site).local_hours(hours_ms(hours), CATALOGUE.buildings[0])


def normal_use(hours, seed=0, site=CATALOGUE.site):
    """Hourly use of a quiet office: meter id → (hours,)."""
    rng = np.random.default_rng(seed)
    work = calendar_hours(hours, site).occ == Occupancy.WORK
    noise = lambda: 1 + 0.05 * rng.standard_normal(hours)  # noqa: E731
    lights = np.where(work, 12.0, 0.6) * noise()
    return {
        "main": np.where(work, 60.0, 25.0) * noise() + lights,
        "lights": lights,
        "water": np.where(work, 0.4 * noise(), 0.0),
    }


def use_of_servers(hours, seed=1):
    """Hourly use of a server room: its computers, and half as much again to cool them."""
    racks = 5.0 * (1 + 0.05 * np.random.default_rng(seed).standard_normal(hours))
    return {"room": 1.5 * racks, "racks": racks}


def normal_levels(hours):
    """Mean of each hour of gauges that are as they should be: name → (hours,)."""
    return {name: np.full(hours, usual) for name, (_, _, _, usual) in GAUGES.items()}


def gauge_window(levels):
    """A window on these levels of gauges, with use as always."""
    window = make_window(normal_use(len(levels["air"])), FIRST)
    return replace(
        window, catalogue=WITH_GAUGES, levels={gauge_point(name).id: level for name, level in levels.items()}
    )


def register_window(register, meter_id="main"):
    """A window on an office as always, one of whose meters shows what ``register`` says (``rigs.odd_registers``)."""
    window, first = make_window(normal_use(HOURS), FIRST, models=Models(are_on=False)), REGISTER_FROM
    swap = register.get("swap")
    entries = [Installation(meter_id, BEGINNING, digits=register.get("digits"))]
    if swap:
        entries.append(Installation(meter_id, at(swap["hour"]), opening=swap["opening"], closing=swap["closing"]))
    catalogue = replace(CATALOGUE, installations=tuple(entries))
    x = shown(window.uses[POINT[meter_id]].qty[first:], first, register)
    found = spells_of(catalogue, catalogue.point[POINT[meter_id]], hours_ms(HOURS + 1)[first:], x)
    return replace(window, catalogue=catalogue, spells={POINT[meter_id]: found} if found else {})


def make_window(use, first, *, seen=None, states=None, models=None, site=CATALOGUE.site):
    """A window on these hours of use, with expectations causal from hour ``first`` on."""
    hours = len(next(iter(use.values())))
    local, t_ms = calendar_hours(hours, site), hours_ms(hours)
    closed, models = local.occ != Occupancy.WORK, models or Models()
    uses, catalogue = {}, replace(WITH_SERVERS if "room" in use else CATALOGUE, site=site)
    for name, qty in use.items():
        one = catalogue.meter[name]
        band = models.expectation(POINT[name], t_ms, local.hour_of_week_closed, None, qty, first, utility=one.utility)
        price = np.full(hours, PRICES[one.utility])
        leaks, flow = models.leaks(POINT[name], t_ms, qty, first) if one.utility is Utility.WATER else ((), band.score)
        troubles = (*band.troubles, *leaks)
        uses[POINT[name]] = CounterUse(
            one, POINT[name], one.utility, t_ms, qty, band.expected, band.lo, band.hi, price, closed, 0, troubles, flow
        )
    always = {m.id: t_ms + HOUR_MS - 10_000 for m in catalogue.meters}
    return Window(catalogue, hours_ms(hours + 1), uses, always | (seen or {}), states or {}, {"hall": ~closed})


def state_series(*changes):
    """Readings of a state from (hour, value) pairs."""
    t_ms = np.array([START_MS + round(hour * HOUR_MS) for hour, _ in changes], np.int64)
    x = np.array([value for _, value in changes], np.float64)
    return Series(t_ms, x, np.zeros(len(x), np.uint8))


def at(hour):
    return datetime.fromtimestamp(START_MS / 1000 + hour * 3600, UTC)


def faulty():
    """Everything wrong at once from hour ``FRIDAY_EVENING``: use, window parts and states."""
    use = normal_use(HOURS)
    night = slice(FRIDAY_EVENING, FRIDAY_EVENING + 60)
    use["lights"][night] += 12.0
    use["main"][night] += 12.0
    use["water"][FRIDAY_EVENING:] += 0.25
    use["main"][FRIDAY_EVENING + 100 : FRIDAY_EVENING + 150] = 0.0
    times = hours_ms(HOURS) + HOUR_MS - 10_000
    silent = times.copy()
    silent[FRIDAY_EVENING : FRIDAY_EVENING + 40] = times[FRIDAY_EVENING - 1]
    states = {
        POINT["door"]: state_series((0, 0), (FRIDAY_EVENING, 1), (FRIDAY_EVENING + 14, 0)),
        POINT["floor"]: state_series((0, 0), (FRIDAY_EVENING, 1), (FRIDAY_EVENING + 3, 0)),
    }
    return use, {"lights": silent}, states


def _hours_from(hour, days, use, **sizes):
    """Use of the lighting with so much more in hours of each kind of day from an hour on."""
    local, later = calendar_hours(HOURS), np.arange(HOURS)
    chosen = (later >= hour) & (later < hour + days * DAY_H)
    off = local.weekday >= 5
    early, late = (~off & (local.hour >= first) & (local.hour < last) for first, last in ((4, 8), (18, 21)))
    kinds = {"off": off, "always": np.ones(HOURS, bool), "early": early, "late": late}
    for kind, size in sizes.items():
        use["lights"] = use["lights"] + np.where(chosen & kinds[kind], size, 0.0)
    return use


def excess_of(kind):
    """Hourly use with one kind of excess in the lighting, some days before the end."""
    use, saturday = normal_use(HOURS), 96 * DAY_H
    if kind == "spike":
        use["lights"][FRIDAY_EVENING - 5 : FRIDAY_EVENING - 3] += 40.0
        return use
    if kind in SHORT:
        name, hours, times, add = SHORT[kind]
        use[name][FRIDAY_EVENING - 5 : FRIDAY_EVENING - 5 + hours] *= times
        use[name][FRIDAY_EVENING - 5 : FRIDAY_EVENING - 5 + hours] += add
        return use
    if kind == "night_flow_rise":
        cooling = 0.2 * np.exp(0.8 * np.random.default_rng(3).standard_normal(HOURS))
        use["water"] = use["water"] + cooling + np.where(np.arange(HOURS) >= 90 * DAY_H, 0.06, 0.0)
        return use
    if kind == "drift":
        rising = np.clip((np.arange(HOURS) - 80 * DAY_H) / (20 * DAY_H), 0, 1)
        use["lights"] = use["lights"] + 0.25 * rising
        return use
    sizes = {
        "night_waste": {"hour": FRIDAY_EVENING, "days": 2, "always": 12.0},
        "weekend_or_holiday_waste": {"hour": saturday, "days": 2, "off": 12.0},
        "base_load_step": {"hour": 93 * DAY_H + 10, "days": 9, "always": 4.0},
        "early_start": {"hour": 91 * DAY_H, "days": 5, "early": 11.0},
        "late_stop": {"hour": 91 * DAY_H, "days": 5, "late": 8.0},
    }
    return _hours_from(use=use, **sizes[kind])


SHORT = {
    "peak_demand": ("main", 1, 1.6, 0.0),
    "burst": ("water", 3, 1.0, 5.0),
    "dropout": ("main", 20, 0.2, 0.0),
    "residual_loss": ("main", 120, 1.0, 12.0),
}
"""Meter, hours, and by how much and what its use rises."""

LEVELS_WRONG = {"cold_chain": ("freezer", -5.0), "room_out_of_range": ("air", 22.0), "phase_loss": ("main-l2", 0.0)}

EXCESSES = (
    "night_waste", "weekend_or_holiday_waste", "base_load_step", "early_start", "drift", "spike", "night_flow_rise",
    "late_stop", *SHORT,
)  # fmt: skip


def broken_window(kind):
    """A window in which this kind of trouble is to be found."""
    if kind in EXCESSES:
        return make_window(excess_of(kind), FIRST)
    if kind in LEVELS_WRONG:
        levels, (name, level) = normal_levels(HOURS), LEVELS_WRONG[kind]
        levels[name][FRIDAY_EVENING - 8 : FRIDAY_EVENING - 2] = level
        return gauge_window(levels)
    if kind in SENSORS:
        raised = {PANEL[kind].id: state_series((0, 0), (FRIDAY_EVENING, 1), (FRIDAY_EVENING + 3, 0))}
        return replace(gauge_window(normal_levels(HOURS)), states=raised)
    if kind == "counter_fault":
        return register_window({"changes": [{"hour": FRIDAY_EVENING, "add": -30_000.0}]})
    use, more = use_of_servers(HOURS) if kind == "pue_high" else normal_use(HOURS), {}
    if kind == "pue_high":
        use["room"][FRIDAY_EVENING:] += 4.0
    elif kind == "lights_while_armed":
        use["lights"][FRIDAY_EVENING : FRIDAY_EVENING + 10], more = 12.0, {"models": Models(are_on=False)}
    else:
        use, seen, states = faulty()
        more = {"seen": seen, "states": states}
    return make_window(use, FIRST, **more)
