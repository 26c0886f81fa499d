"""What every driver is: something that is asked (a bus) or something that speaks by itself (a broker, a recording)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.devices import Device
    from edge_agent.outbox.outbox import Sample
    from edge_agent.spans import Span
    from facility.catalogue import Bus
    from facility.model import Quality


class BusDownError(DriverError):
    """The bus itself cannot be opened: no device on it is to blame."""


class NoAnswerError(DriverError):
    """One device stayed silent, or what came was garbled."""


@runtime_checkable
class AskingDriver(Protocol):
    """A bus on which devices answer when they are asked. Constructing is not connecting."""

    def read(self, unit: str, span: Span) -> Sequence[int]:
        """Registers of one block. Raises ``BusDownError``, ``NoAnswerError``, or ``DriverError`` for a refusal."""

    def close(self) -> None:
        """Let the line go; the next ``read`` opens it again."""


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
        """How it fares, in a few words."""


Driver = AskingDriver | ListeningDriver


@dataclass(frozen=True, slots=True)
class BusSeat:
    """All that a driver may know: its bus, the devices on it, where samples go, and the two clocks.

    ``stamp`` gives time and quality of a reading taken now; intervals are measured with ``monotonic``.
    """

    bus: Bus
    devices: tuple[Device, ...]
    put: Callable[[Sequence[Sample]], None]
    stamp: Callable[[], tuple[int, Quality]]
    monotonic: Callable[[], float]
