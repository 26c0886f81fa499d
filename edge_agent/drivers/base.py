"""What every driver is: something that is asked (a bus) or something that speaks by itself (a broker, a recording).

An asking driver speaks values: it plans which requests fetch which points, and answers each request with numbers in our
units. What a request is, and how numbers lie in an answer, only the driver knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from facility.errors import DriverError
from facility.system_alarm import SILENT, UNREAD

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from edge_agent.devices import Device
    from edge_agent.outbox.outbox import Sample
    from facility.catalogue import Bus
    from facility.model import Quality


MOST_NAMES = 8
"""So many devices, and as many points, are named in the state of a bus."""


class BusDownError(DriverError):
    """The bus itself cannot be opened: no device on it is to blame."""


class NoAnswerError(DriverError):
    """One device stayed silent, or what came was garbled."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one device, and the ids of the points that it can answer; its driver adds what is asked."""

    device: Device
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one ask brought, by point id: ``values`` in the quantities' units, and why a point could not be read.

    ``unread`` are points that the device refuses when they are asked for so, ``put_off`` those that it cannot say just
    now. A point that is nowhere is one of which the device says that it has no value. ``may_pass``: a failure, not a
    lack, is why it refuses.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    put_off: Mapping[str, str] = field(default_factory=dict)
    may_pass: bool = False


AskT = TypeVar("AskT", bound=Ask)


@runtime_checkable
class AskingDriver(Protocol[AskT]):
    """A bus on which devices answer when they are asked. Constructing is not connecting."""

    def plan(self, device: Device, points: Collection[str]) -> Sequence[AskT]:
        """The asks that fetch these points of a device, each point by one of them; nothing is sent.

        It may be planned again, with fewer points: what was refused as a whole may be answered in parts.
        Raises ``ConfigError`` for a device that such a bus cannot have.
        """

    def answer(self, ask: AskT) -> Answer:
        """Ask and wait. A refusal is an answer, which names the points that could not be read.

        Raises ``BusDownError`` or ``NoAnswerError``, and nothing else whatever comes over the wire.
        """

    def confirm(self, device: Device) -> None:
        """The poll of a device is over. Raises ``NoAnswerError`` if an answer of it may be one to another request."""

    def close(self) -> None:
        """Let the line go; the next ``answer`` opens it again."""


@runtime_checkable
class ListeningDriver(Protocol):
    """A source that speaks by itself, in a thread of its own."""

    def start(self) -> None:
        """Begin to listen; an unreachable source is retried for ever."""

    def stop(self) -> None:
        """End and join."""

    def pause(self, *, paused: bool) -> None:
        """While it is paused, what comes is dropped (or nothing is played)."""

    def state(self) -> str:
        """How it fares, in a few words: ``bus_state`` makes them."""


@runtime_checkable
class TellsUnread(Protocol):
    """A bus of which is known which points cannot be read."""

    def unread(self) -> Mapping[str, str]:
        """Why each point that cannot be read cannot be, by point id."""


def bus_state(silent: Sequence[str], unread: Collection[str]) -> str:
    """``ok``, or who is silent and which points cannot be read: ``silent: m3; unread: m1/voltage/l2``."""
    parts = [f"{word}: {_listed(names)}" for word, names in ((SILENT, silent), (UNREAD, unread)) if names]
    return "; ".join(parts) or "ok"


def _listed(names: Collection[str]) -> str:
    """A status is short: the log has them all."""
    first = ", ".join(sorted(names)[:MOST_NAMES])
    return first if len(names) <= MOST_NAMES else f"{first} and {len(names) - MOST_NAMES} more"


Driver = AskingDriver[Any] | ListeningDriver


@dataclass(frozen=True, slots=True)
class BusSeat:
    """All that a driver may know: its bus, the devices on it, where samples go, and the two clocks.

    ``stamp`` gives time and quality of a reading taken now; intervals are measured with ``monotonic``.
    ``is_plausible`` says of a point's value now whether it will be believed; nothing comes of asking.
    """

    bus: Bus
    devices: tuple[Device, ...]
    put: Callable[[Sequence[Sample]], None]
    stamp: Callable[[], tuple[int, Quality]]
    monotonic: Callable[[], float]
    is_plausible: Callable[[str, int, float], bool] = lambda _point, _t_ms, _x: True
