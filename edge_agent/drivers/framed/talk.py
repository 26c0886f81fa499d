"""Asks on a line and waits for the frame that answers: whatever else comes is passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge_agent.drivers.base import Answer, BusDownError, NoAnswerError
from edge_agent.drivers.lines import line_to
from edge_agent.drivers.lines.line import LineAbsentError, LineClosedError
from facility.errors import DriverError
from facility.protocols.framed import framed_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.devices import Device
    from edge_agent.drivers.base import Ask, BusSeat
    from facility.profile import ProfilePoint
    from facility.protocols.lines import NetworkLine, SerialLine

FoundT = TypeVar("FoundT")
PlaceT = TypeVar("PlaceT", bound="ProfilePoint")

MOST_HEARD = 4096
FRAME_BYTES = 300
"""A request and its answer, with what wakes the meter, are no longer; a slow wire needs its time for them."""

NOISE_S = 1.0
"""So long what is there is dropped before a request at most."""


class Talk:
    """One line. On a network the connection is closed after a silence: what comes late finds nobody."""

    def __init__(self, seat: BusSeat, place: NetworkLine | SerialLine) -> None:
        """Nothing is opened."""
        self._bus, self._monotonic = seat.bus, seat.monotonic
        self._line = line_to(place, seat.bus.timeout_s)

    def close(self) -> None:
        """Let the line go."""
        self._line.close()

    def ask(self, frame: bytes, find: Callable[[bytes], FoundT | None], who: str) -> FoundT:
        """Send a frame and wait until ``find`` finds its answer among what came.

        Raises ``BusDownError`` or ``NoAnswerError``.
        """
        is_reused = self._line.is_open
        try:
            return self._ask(frame, find, who)
        except LineClosedError as error:
            self._line.close()
            if not is_reused:
                raise self._without_answer(who, error) from None
        try:  # it may have been closed long ago
            return self._ask(frame, find, who)
        except LineClosedError as error:
            self._line.close()
            raise self._without_answer(who, error) from None

    def _without_answer(self, who: str, error: LineClosedError) -> DriverError:
        """What it means that the line was closed: the device is silent, or nobody listens there at all."""
        if isinstance(error, LineAbsentError):
            return BusDownError(f"{self._bus.url} cannot be reached: {error}")
        return NoAnswerError(f"{who}: {error}")

    def _ask(self, frame: bytes, find: Callable[[bytes], FoundT | None], who: str) -> FoundT:
        try:
            self._line.open()
        except OSError as error:
            raise BusDownError(f"{self._bus.url} cannot be opened: {error.strerror or error}") from None
        self._drop()
        self._line.write(frame)
        sent_s, heard = self._monotonic(), b""
        end_s = sent_s + self._bus.timeout_s + FRAME_BYTES * self._line.byte_s
        while (left_s := end_s - self._monotonic()) > 0:
            heard = (heard + self._line.read(left_s))[-MOST_HEARD:]
            if (found := find(heard)) is not None:
                return found
        if not self._line.byte_s:
            self._line.close()
        what = "what came is no answer" if heard.replace(frame, b"") else f"no answer in {end_s - sent_s:.1f} s"
        raise NoAnswerError(f"{who}: {what}")

    def _drop(self) -> None:
        """Nothing that came before a request can be its answer."""
        end_s = self._monotonic() + NOISE_S
        while self._line.read(0):
            if self._monotonic() > end_s:
                raise NoAnswerError("the line is never quiet")


class TalkingDriver:
    """What the drivers of such buses have in common: a talk, and answers that say whose they are and what they hold."""

    def __init__(self, seat: BusSeat, place: NetworkLine | SerialLine | None = None) -> None:
        """``place``: the line, where it is none of frames. Raises ``ConfigError`` for a URL that names none."""
        self._bus, self._talk = seat.bus, Talk(seat, place or framed_line(seat.bus))

    def confirm(self, device: Device) -> None:
        """No answer can be one to another request."""
        del device

    def close(self) -> None:
        """Let the line go."""
        self._talk.close()


def read_all(ask: Ask, kind: type[PlaceT], value_of: Callable[[PlaceT], float | None]) -> Answer:
    """What an answer says of each point, behind transformers; a ``DriverError`` says why a point cannot be read."""
    meter, values, unread = ask.device.meter, dict[str, float](), dict[str, str]()
    for point in ask.points:
        place = ask.device.places[point]
        assert isinstance(place, kind), f"{point} was checked against its bus"
        try:
            value = value_of(place)
        except DriverError as error:
            unread[point] = str(error)
            continue
        if value is not None:
            values[point] = value * place.factor(meter.ct_ratio, meter.pt_ratio)
    return Answer(values, unread)
