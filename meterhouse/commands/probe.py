"""``meterhouse edge probe``: what one device says right now, with no broker and no server."""

from __future__ import annotations

import time
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.devices import Device
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import AskingDriver, BusDownError, BusSeat, NoAnswerError
from facility.catalogue import Bus
from facility.errors import ConfigError, Problem, Rejected
from facility.model import Meter, Name
from facility.protocols import check_bus, check_protocol, check_unit, protocol_of
from facility.protocols.lines import NetworkLine
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.settings import Settings
from meterhouse.values import shown_value
from wording.texts import ABSENT
from wording.units import unit_sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.drivers.base import ListeningDriver
    from edge_agent.outbox.outbox import Sample
    from facility.profile import DeviceProfile

COLUMNS = ("cli.column.quantity", "cli.column.value", "cli.column.unit", "cli.column.why")
METER = "probe"

ADVICE = {
    1: "cli.probe.function",
    2: "cli.probe.address",
    3: "cli.probe.value",
    4: "cli.probe.failure",
    5: "cli.probe.busy",
    6: "cli.probe.busy",
    10: "cli.probe.gateway",
    11: "cli.probe.gateway",
}
"""By the code of an exception (MODBUS Application Protocol V1.1b3, section 7), what it means and what to try."""


@dataclass(frozen=True, slots=True)
class ProbedPoint:
    """A point of the profile, and what the device says of it."""

    point: Annotated[str, "quantity/channel"]
    value: Annotated[float | None, "in the quantity's unit, before transformer ratios"]
    unit: Annotated[str, "`1` where it has none"]
    why: Annotated[str, "why there is no value; empty where there is one, or the device has none to give"]


@dataclass(frozen=True, slots=True)
class ProbedDevice:
    """What a device says."""

    profile: Annotated[str, "the profile that it was read by"]
    points: list[ProbedPoint]


@answers(ProbedDevice)
def probe(
    url: Annotated[str, typer.Option("--url", help="The bus, as site.yaml writes it: modbus+tcp://10.0.0.7.")],
    profile: Annotated[str, typer.Option("--profile", help="What the device is: see meterhouse profiles.")],
    unit: Annotated[str, typer.Option("--unit", help="Its address on the bus.")] = "1",
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, max=60, help="Seconds to wait for an answer.")] = 2.0,
    listen: Annotated[float, typer.Option("--listen", min=1, max=600, help="Seconds to listen to MQTT.")] = 20.0,
) -> None:
    """Read every point of one device once, and print what it says."""
    model = _model(profile)
    bus = Bus("probe", url, timeout)
    line = check_bus(bus)
    check_protocol(bus, model)
    check_unit(bus, unit)
    places = {f"{METER}/{place.name}": place for place in model.points}
    device = Device(Meter(METER, Name(model.name), METER, model.id, METER, "probe", unit, poll_s=1.0), model, places)
    said: list[Sample] = []
    seat = BusSeat(bus, (device,), said.extend, lambda: (time.time_ns() // 1_000_000, 0), time.monotonic)  # type: ignore[arg-type,return-value]
    driver = DRIVERS[protocol_of(bus)](seat)
    is_wire = not isinstance(line, NetworkLine) or line.has_rtu_frames
    hint = "cli.probe.silent" if is_wire else "cli.probe.unheard"
    values, why = _asked(driver, device, hint) if isinstance(driver, AskingDriver) else _heard(driver, said, listen)
    points = [
        ProbedPoint(place.name, values.get(point), place.quantity.unit, why.get(point, ""))
        for point, place in places.items()
    ]
    answer(ProbedDevice(model.id, points), lambda: _table(points, device))
    if not values:
        raise Rejected("nothing_read", texts()("cli.probe.nothing"))


def _model(profile: str) -> DeviceProfile:
    known = Settings().known_profiles()
    if profile not in known:
        near = get_close_matches(profile, known, cutoff=0.4) or list(known)[:5]
        raise ConfigError(Problem("--profile", f"unknown profile '{profile}'", ", ".join(near)))
    return known[profile]


def _asked(driver: AskingDriver, device: Device, hint: str) -> tuple[dict[str, float], dict[str, str]]:  # type: ignore[type-arg]
    """Values, and why others were not read; what is refused as a whole is asked in parts."""
    values: dict[str, float] = {}
    why: dict[str, str] = {}
    pending = list(driver.plan(device, device.places))
    try:
        while pending:
            ask = pending.pop(0)
            try:
                got = driver.answer(ask)
            except NoAnswerError as error:
                why |= dict.fromkeys(ask.points, f"{error}: {texts()(hint)}")
                continue
            except BusDownError as error:
                raise Rejected("bus_down", f"{error}; {texts()('cli.probe.down')}") from None
            values |= got.values
            refused = {**got.unread, **got.put_off}
            if len(ask.points) > 1 and refused:
                pending[:0] = [one for point in refused for one in driver.plan(device, [point])]
            else:
                why |= {point: _in_words(text) for point, text in refused.items()}
    finally:
        driver.close()
    return values, why


def _heard(driver: ListeningDriver, said: list[Sample], seconds: float) -> tuple[dict[str, float], dict[str, str]]:
    """What a device says by itself meanwhile."""
    say("cli.probe.listening", seconds=f"{seconds:g}")
    driver.start()
    try:
        time.sleep(seconds)
    finally:
        driver.stop()
    unread: Callable[[], dict[str, str]] = getattr(driver, "unread", dict)
    return {point: x for point, _, x, _ in said}, dict(unread())


def _in_words(text: str) -> str:
    """``exception 2 for …`` with what it means and what to try."""
    code = text.partition("exception ")[2].partition(" ")[0]
    advice = ADVICE.get(int(code)) if code.isdecimal() else None
    return f"{text}: {texts()(advice)}" if advice else text


def _table(points: list[ProbedPoint], device: Device) -> str:
    rows = []
    for point in points:
        place = device.places[f"{METER}/{point.point}"]
        value = shown_value(place.quantity, point.value) if point.value is not None else ABSENT
        rows.append((point.point, value, unit_sign(point.unit), point.why))
    return table(COLUMNS, rows, right=(1,))
