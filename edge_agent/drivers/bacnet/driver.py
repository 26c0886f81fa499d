"""Asks a controller for several objects at once, or for one property after another where it knows no better."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from edge_agent.drivers.bacnet.datagrams import NoRouteError, apdus, datagram
from edge_agent.drivers.bacnet.values import AilingError, BusyError, object_value
from edge_agent.drivers.base import Answer, Ask, NoAnswerError
from edge_agent.drivers.framed.talk import TalkingDriver
from facility.errors import ConfigError, DriverError
from facility.protocols.bacnet import BacnetAddress, ObjectPoint, bacnet_address, bacnet_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import ModuleType

    from edge_agent.devices import Device
    from edge_agent.drivers.bacnet.codec import Facts, Refusal
    from edge_agent.drivers.base import BusSeat
    from facility.protocols.bacnet import BacnetProfile

MOST_OBJECTS = 10
"""What so many say fits into one datagram of most devices; one that has no room is asked for fewer."""

NUMBERS = 0x100
UNKNOWN_OBJECT, UNKNOWN_SERVICE = "unknown-object", "unrecognized-service"


@dataclass(frozen=True, slots=True)
class ObjectAsk(Ask):
    """Some objects of the device at an address."""

    address: BacnetAddress


class BacnetDriver(TalkingDriver):
    """With each request the device says its own number too: another one at that address is read by nobody."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no line, and where bacpypes3 is not installed."""
        super().__init__(seat, bacnet_line(seat.bus))
        self._codec, self._number = _codec(), 0
        self._plain: set[BacnetAddress] = set()

    def plan(self, device: Device, points: Collection[str]) -> Sequence[ObjectAsk]:
        """So many objects an ask."""
        address, each = bacnet_address(self._bus, device.meter.unit), list(points)
        most = 1 if address in self._plain else MOST_OBJECTS
        return [ObjectAsk(device, tuple(each[at : at + most]), address) for at in range(0, len(each), most)]

    def answer(self, ask: ObjectAsk) -> Answer:
        """Ask for all; what is refused as a whole is asked in parts, and at last property by property."""
        if ask.address not in self._plain:
            wanted = {_itself(ask): ("object-identifier",)} | {one.object: one.properties for one in _places(ask)}
            facts = self._asked(ask, self._codec.read_many(self._next(), wanted))
            if isinstance(facts, dict):
                return _answer(ask, facts)
            if facts.reason == UNKNOWN_SERVICE:
                self._plain.add(ask.address)
            elif facts.is_busy:
                return Answer(put_off=dict.fromkeys(ask.points, str(facts)))
            elif len(ask.points) > 1:
                return Answer(unread=dict.fromkeys(ask.points, str(facts)))
        return _answer(ask, self._one_by_one(ask))

    def _one_by_one(self, ask: ObjectAsk) -> Facts:
        facts: Facts = {}
        wanted = [
            (_itself(ask), "object-identifier"),
            *((one.object, p) for one in _places(ask) for p in one.properties),
        ]
        for of, name in dict.fromkeys(wanted):
            said = self._asked(ask, self._codec.read_one(self._next(), of, name))
            facts |= said if isinstance(said, dict) else {(of, name): said}
            if facts.get((_itself(ask), "object-identifier")) is not None:
                break  # it is another device
        return facts

    def _asked(self, ask: ObjectAsk, apdu: bytes) -> Facts | Refusal:
        number = self._number

        def find(heard: bytes) -> Facts | Refusal | None:
            each = (self._codec.answer_in(one, number) for one in apdus(heard, ask.address))
            return next((one for one in each if one is not None), None)

        who = f"device {ask.device.meter.unit}"
        try:
            return cast("Facts | Refusal", self._talk.ask(datagram(ask.address, apdu), find, who))
        except NoRouteError as error:
            raise NoAnswerError(f"{who}: {error}") from None

    def _next(self) -> int:
        self._number = (self._number + 1) % NUMBERS
        return self._number


def bacnet_example(profile: BacnetProfile, frame: bytes) -> dict[str, float]:
    """What the datagram of an example says, by ``quantity/channel``. Raises ``DriverError`` where it is no answer."""
    said = next((_codec().answer_in(one) for one in apdus(frame, BacnetAddress(0))), None)
    if not isinstance(said, dict):
        raise DriverError(f"is a refusal: {said}" if said else "is no answer with a right length")
    asked = {of for of, _ in said}
    values = {p.name: object_value(p, said) for p in profile.points if p.object in asked}
    return {name: value for name, value in values.items() if value is not None}


def _codec() -> ModuleType:
    if find_spec("bacpypes3") is None:
        raise ConfigError("BACnet needs the package bacpypes3: install meterhouse[bacnet]")
    from edge_agent.drivers.bacnet import codec  # noqa: PLC0415 - a quarter of a second to load, and optional

    return codec


def _itself(ask: ObjectAsk) -> str:
    return f"device,{ask.address.instance}"


def _places(ask: ObjectAsk) -> list[ObjectPoint]:
    return [place for point in ask.points if isinstance(place := ask.device.places[point], ObjectPoint)]


def _answer(ask: ObjectAsk, facts: Facts) -> Answer:
    """What is said of each point, behind transformers. Raises ``NoAnswerError`` if another device says it."""
    itself = facts.get((_itself(ask), "object-identifier"), 0.0)
    if itself is not None:
        is_other = getattr(itself, "reason", "") == UNKNOWN_OBJECT
        what = "another device is at its address" if is_other else f"it does not say who it is ({itself})"
        raise NoAnswerError(f"device {ask.device.meter.unit}: {what}")
    meter, values, unread, put_off = ask.device.meter, dict[str, float](), dict[str, str](), dict[str, str]()
    is_ailing = False
    for point, place in zip(ask.points, _places(ask), strict=True):
        try:
            value = object_value(place, facts)
        except BusyError as error:
            put_off[point] = str(error)
        except DriverError as error:
            unread[point], is_ailing = str(error), is_ailing or isinstance(error, AilingError)
        else:
            if value is not None:
                values[point] = value * place.factor(meter.ct_ratio, meter.pt_ratio)
    return Answer(values, unread, put_off, may_pass=is_ailing)
