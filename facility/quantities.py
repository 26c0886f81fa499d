"""The closed vocabulary of what can be measured: one word, one unit, one plausible range each."""

from __future__ import annotations

from enum import Enum, StrEnum, unique
from typing import Self


class Kind(StrEnum):
    """How the values of a quantity behave over time."""

    GAUGE = "gauge"  # a level, sampled
    COUNTER = "counter"  # a register that only grows, until it rolls over or is replaced
    STATE = "state"  # 0 or 1, lasts until the next reading
    EVENT = "event"  # something that happened at an instant


class Utility(StrEnum):
    """What is delivered to a building and paid for."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    COOLING = "cooling"

    @property
    def unit(self) -> str:
        """The unit in which use of this utility is accounted: m³ for water and gas, kWh for the rest."""
        return "m3" if self in {Utility.WATER, Utility.GAS} else "kWh"


@unique
class Quantity(Enum):
    """A measurable quantity. ``BY_WORD["active_power"]`` finds one by its word.

    Each member holds: word, meaning, unit, kind, lowest and highest plausible value, utility.
    A value outside the range is quarantined; a profile or a point may narrow the range.
    """

    ACTIVE_POWER = ("active_power", "power drawn (+) or delivered (-)", "W", Kind.GAUGE, -5e6, 5e6, Utility.ELECTRICITY)
    ENERGY_IMPORT = ("energy_import", "energy taken from the grid", "kWh", Kind.COUNTER, 0.0, 1e9, Utility.ELECTRICITY)
    ENERGY_EXPORT = ("energy_export", "energy given to the grid", "kWh", Kind.COUNTER, 0.0, 1e9, Utility.ELECTRICITY)
    VOLTAGE = ("voltage", "voltage between conductors", "V", Kind.GAUGE, 0.0, 5e5, None)
    CURRENT = ("current", "current in a conductor", "A", Kind.GAUGE, -1e5, 1e5, None)
    POWER_FACTOR = ("power_factor", "active over apparent power", "1", Kind.GAUGE, -1.0, 1.0, None)
    FREQUENCY = ("frequency", "mains frequency", "Hz", Kind.GAUGE, 0.0, 100.0, None)
    REACTIVE_POWER = ("reactive_power", "reactive power", "var", Kind.GAUGE, -5e6, 5e6, None)
    REACTIVE_ENERGY = ("reactive_energy", "reactive energy taken", "kvarh", Kind.COUNTER, 0.0, 1e9, None)
    WATER_VOLUME = ("water_volume", "water delivered", "m3", Kind.COUNTER, 0.0, 1e9, Utility.WATER)
    WATER_FLOW = ("water_flow", "water flowing now", "L/h", Kind.GAUGE, 0.0, 1e7, Utility.WATER)
    GAS_VOLUME = ("gas_volume", "gas delivered", "m3", Kind.COUNTER, 0.0, 1e9, Utility.GAS)
    GAS_FLOW = ("gas_flow", "gas flowing now", "m3/h", Kind.GAUGE, 0.0, 1e5, Utility.GAS)
    HEAT_ENERGY = ("heat_energy", "heat delivered", "kWh", Kind.COUNTER, 0.0, 1e9, Utility.HEAT)
    HEAT_POWER = ("heat_power", "heat flowing now", "W", Kind.GAUGE, -5e7, 5e7, Utility.HEAT)
    COOLING_ENERGY = ("cooling_energy", "cooling delivered", "kWh", Kind.COUNTER, 0.0, 1e9, Utility.COOLING)
    COOLING_POWER = ("cooling_power", "cooling flowing now", "W", Kind.GAUGE, -5e7, 5e7, Utility.COOLING)
    TEMPERATURE = ("temperature", "temperature", "degC", Kind.GAUGE, -60.0, 200.0, None)
    HUMIDITY = ("humidity", "relative humidity", "%", Kind.GAUGE, 0.0, 105.0, None)
    CO2 = ("co2", "carbon dioxide in air", "ppm", Kind.GAUGE, 0.0, 40_000.0, None)
    DOOR_OPEN = ("door_open", "door or window stands open", "1", Kind.STATE, 0.0, 1.0, None)
    MOTION = ("motion", "somebody moves", "1", Kind.STATE, 0.0, 1.0, None)
    SMOKE = ("smoke", "smoke detected", "1", Kind.STATE, 0.0, 1.0, None)
    LEAK = ("leak", "water on the floor", "1", Kind.STATE, 0.0, 1.0, None)
    TAMPER = ("tamper", "device opened or removed", "1", Kind.STATE, 0.0, 1.0, None)
    GLASS_BREAK = ("glass_break", "glass was heard breaking", "1", Kind.STATE, 0.0, 1.0, None)
    INTRUSION = (
        "intrusion",
        "contact of an alarm panel: somebody is where nobody should be",
        "1",
        Kind.STATE,
        0.0,
        1.0,
        None,
    )
    MAINS_LOST = ("mains_lost", "the supply has failed: what runs, runs on battery", "1", Kind.STATE, 0.0, 1.0, None)
    BATTERY = ("battery", "battery charge left", "%", Kind.GAUGE, 0.0, 100.0, None)
    SIGNAL = ("signal", "radio signal strength", "dBm", Kind.GAUGE, -150.0, 20.0, None)

    word: str
    meaning: str
    unit: str
    kind: Kind
    low: float
    high: float
    utility: Utility | None

    def __new__(
        cls, word: str, meaning: str, unit: str, kind: Kind, low: float, high: float, utility: Utility | None
    ) -> Self:
        """Make ``value`` the word, so that a quantity is found, written and compared by its word."""
        member = object.__new__(cls)
        member._value_ = word
        member.word = word
        member.meaning, member.unit, member.kind = meaning, unit, kind
        member.low, member.high, member.utility = low, high, utility
        return member

    @property
    def is_counter(self) -> bool:
        """Whether use is the difference of two readings."""
        return self.kind is Kind.COUNTER


BY_WORD: dict[str, Quantity] = {quantity.word: quantity for quantity in Quantity}
"""Every quantity by its word."""

WORDS: tuple[str, ...] = tuple(BY_WORD)
"""Every quantity's word, for messages that say what is allowed."""

GREATEST_RATES: dict[Quantity, float] = {
    Quantity.ENERGY_IMPORT: Quantity.ACTIVE_POWER.high / 1000,
    Quantity.ENERGY_EXPORT: Quantity.ACTIVE_POWER.high / 1000,
    Quantity.WATER_VOLUME: Quantity.WATER_FLOW.high / 1000,
    Quantity.GAS_VOLUME: Quantity.GAS_FLOW.high,
    Quantity.HEAT_ENERGY: Quantity.HEAT_POWER.high / 1000,
    Quantity.COOLING_ENERGY: Quantity.COOLING_POWER.high / 1000,
}
"""What a counter may grow in an hour: the greatest flow that would be accepted as a reading."""

ACCOUNTED: dict[Utility, Quantity] = {
    Utility.ELECTRICITY: Quantity.ENERGY_IMPORT,
    Utility.WATER: Quantity.WATER_VOLUME,
    Utility.GAS: Quantity.GAS_VOLUME,
    Utility.HEAT: Quantity.HEAT_ENERGY,
    Utility.COOLING: Quantity.COOLING_ENERGY,
}
"""The counter from which each utility's use and cost are computed."""

ALARM_STATES = (
    Quantity.LEAK,
    Quantity.SMOKE,
    Quantity.INTRUSION,
    Quantity.GLASS_BREAK,
    Quantity.MAINS_LOST,
    Quantity.TAMPER,
)
"""States in which a sensor says itself that something is wrong."""

GUARDING_STATES = (Quantity.DOOR_OPEN, *ALARM_STATES)
"""States that are followed as they change; a sensor of one that falls silent leaves something unguarded."""
