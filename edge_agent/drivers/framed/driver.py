"""The two drivers: which frames ask for which points, and what their answers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.drivers.base import Answer, Ask, NoAnswerError
from edge_agent.drivers.framed.frames import WAKE, MeterFrame, cjt188_frame, cjt188_frames, dlt645_frame, dlt645_frames
from edge_agent.drivers.framed.talk import TalkingDriver, read_all
from edge_agent.drivers.framed.values import REFUSED, cjt188_value, dlt645_value
from facility.protocols.cjt188 import Cjt188Profile, ValuePoint, cjt188_address
from facility.protocols.dlt645 import Dlt645Profile, Edition, ItemPoint, dlt645_address

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat

READ = {Edition.OF_1997: 0x01, Edition.OF_2007: 0x11}
"""Control code of a request; an answer adds 80h, one that is continued 20h, a refusal 40h."""

ANSWERED, CONTINUED = 0x80, 0x20
CJT188_READ = 0x01
SERIAL_NUMBERS = 0x100

OWED_S = 10.0
"""A refusal does not say what is refused: for so long after a silence it may be that of the request before."""


@dataclass(frozen=True, slots=True)
class ItemAsk(Ask):
    """One item of the meter at an address, which holds all the points."""

    who: bytes
    item: str


class Dlt645Driver(TalkingDriver):
    """One request for each item; an answer repeats its identifier."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no line."""
        super().__init__(seat)
        self._monotonic = seat.monotonic
        self._silent_s: dict[bytes, float] = {}

    def plan(self, device: Device, points: Collection[str]) -> Sequence[ItemAsk]:
        """One ask for each identifier."""
        who = dlt645_address(self._bus, device.meter.unit)
        return _planned(device, points, who)

    def answer(self, ask: ItemAsk) -> Answer:
        """Ask for one item; a refusal names its points."""
        profile = ask.device.profile
        assert isinstance(profile, Dlt645Profile)
        read = READ[profile.edition]
        item = bytes.fromhex(ask.item)[::-1]

        def find(heard: bytes) -> MeterFrame | None:
            for frame in dlt645_frames(heard):
                control = frame.control & ~CONTINUED
                if frame.who == ask.who and control == read | ANSWERED and frame.data.startswith(item):
                    return frame
                if frame.who == ask.who and control == read | ANSWERED | REFUSED and not self._may_be_late(ask.who):
                    return frame
            return None

        try:
            frame = self._talk.ask(
                WAKE + dlt645_frame(MeterFrame(ask.who, read, item)), find, f"meter {ask.device.meter.unit}"
            )
        except NoAnswerError:
            self._silent_s[ask.who] = self._monotonic()
            raise
        self._silent_s.pop(ask.who, None)
        if frame.control & REFUSED:
            code = f"{frame.data[0]:02X}h" if frame.data else "none"
            return Answer(unread=dict.fromkeys(ask.points, f"item {ask.item} is refused, error {code}"))
        return read_all(ask, ItemPoint, lambda place: dlt645_value(place, frame.data[len(item) :]))

    def _may_be_late(self, who: bytes) -> bool:
        return self._monotonic() - self._silent_s.get(who, -OWED_S) < OWED_S


class Cjt188Driver(TalkingDriver):
    """One request for all current values; an answer repeats its identifier and its serial number."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no line."""
        super().__init__(seat)
        self._number = 0

    def plan(self, device: Device, points: Collection[str]) -> Sequence[ItemAsk]:
        """One ask for each identifier."""
        assert isinstance(device.profile, Cjt188Profile)
        who = bytes((device.profile.meter_type,)) + cjt188_address(self._bus, device.meter.unit)
        return _planned(device, points, who)

    def answer(self, ask: ItemAsk) -> Answer:
        """Ask for one item; a refusal names its points, and so does a unit that we do not know."""
        profile = ask.device.profile
        assert isinstance(profile, Cjt188Profile)
        self._number = (self._number + 1) % SERIAL_NUMBERS
        item = bytes.fromhex(ask.item)
        head = (item if profile.is_high_first else item[::-1]) + bytes((self._number,))
        refusal = bytes((self._number,))

        def find(heard: bytes) -> MeterFrame | None:
            for frame in cjt188_frames(heard):
                control = frame.control & ~CONTINUED
                if frame.who == ask.who and control == CJT188_READ | ANSWERED and frame.data.startswith(head):
                    return frame
                is_refused = control == CJT188_READ | ANSWERED | REFUSED
                if frame.who == ask.who and is_refused and frame.data.startswith((refusal, head)):
                    return frame
            return None

        request = WAKE + cjt188_frame(MeterFrame(ask.who, CJT188_READ, head))
        frame = self._talk.ask(request, find, f"meter {ask.device.meter.unit}")
        if frame.control & REFUSED:
            why = f"item {ask.item} is refused, status {frame.data[-2:].hex().upper()}h"
            return Answer(unread=dict.fromkeys(ask.points, why))
        return read_all(ask, ValuePoint, lambda place: cjt188_value(place, frame.data[len(head) :]))


def _planned(device: Device, points: Collection[str], who: bytes) -> Sequence[ItemAsk]:
    by_item: dict[str, list[str]] = {}
    for point in points:
        place = device.places[point]
        if isinstance(place, ItemPoint | ValuePoint):
            by_item.setdefault(place.item, []).append(point)
    return [ItemAsk(device, tuple(each), who, item) for item, each in by_item.items()]
