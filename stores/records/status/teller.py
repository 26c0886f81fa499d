"""Tells a process's status to the records from a thread of its own: never in the way of what it tells of."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog

from facility.errors import StoreUnavailable
from facility.status import STILL, Instance, Overview, ProcessSeen
from facility.system_alarm import AGENT_PREFIX, SystemAlarm
from process.health import WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from facility.status import AgentStatus, ProcessStatus, ServerProcess
    from stores.records.status.board import StatusBoard

LOOK_EVERY_S = 1.0
HEARTBEAT_S = 10.0
"""As often a status is told that has not changed; after a minute without, a reader calls it silent."""

AGENTS_EVERY_S = 5.0
"""As often an agent is told that says nothing new of what a person should know."""

PRUNE_EVERY_S = 3600.0
GOODBYE_S = 2.0
"""Records that do not answer hold up nobody's end for longer."""

log = structlog.get_logger()


def this_instance(process: ServerProcess, place: object) -> Instance:
    """This process on this machine; ``place`` is its data folder or the address it listens on."""
    return Instance(process, socket.gethostname(), str(place), os.getpid())


@dataclass(frozen=True, slots=True)
class _LastTold:
    """An agent's status as it was told, and when (by our own monotonic clock)."""

    status: AgentStatus
    at_s: float
    heard_s: float


class Teller:
    """``status`` and ``agents`` are asked in the teller's thread, ``moves`` says whether the process gets anywhere.

    A process that runs and stands still is told of no more: a reader finds it silent.
    """

    def __init__(
        self,
        board: StatusBoard,
        instance: Instance,
        status: Callable[[], ProcessStatus],
        *,
        moves: Callable[[], bool] = lambda: True,
        agents: Callable[[], Iterable[AgentStatus]] = tuple,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock_s`` is a monotonic clock."""
        self._board, self._instance, self._status = board, instance, status
        self._moves, self._agents, self._clock_s = moves, agents, clock_s
        self._began_s = clock_s()
        self._last: ProcessStatus | None = None
        self._told_s = self._pruned_s = float("-inf")
        self._agents_told: dict[str, _LastTold] = {}
        self._failing, self._says_goodbye = "", True
        self._stop = Event()
        self._thread = Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self, *, in_good_order: bool = True) -> None:
        """Tell once more, and say goodbye; records that do not answer are not waited for.

        Who does not end ``in_good_order`` is silent from now on, and is missed.
        """
        self._says_goodbye = self._says_goodbye and in_good_order
        self._stop.set()
        self._thread.join(GOODBYE_S)

    def overview(self) -> Overview:
        """What is told, as of now: for whoever asks the process itself."""
        status, words = self._status(), self._failing
        if words:
            status = replace(status, alarms={**status.alarms, SystemAlarm.RECORDS_UNAVAILABLE: words})
        return Overview([ProcessSeen(self._instance, status, up_s=self._clock_s() - self._began_s)], [*self._agents()])

    def health(self) -> dict[str, object]:
        """The same as JSON, with whether the process gets anywhere."""
        state = WELL if self._moves() else STILL
        return {"process": self._instance.process, "state": state, "overview": asdict(self.overview())}

    def __enter__(self) -> Self:
        """Begin to tell."""
        self.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Say goodbye, unless an error ends the process; to be told to leave is none."""
        self.stop(in_good_order=error is None or issubclass(error, SystemExit))

    def turn(self) -> None:
        """Look once, and tell what is new, or at least that we are here."""
        try:
            self._look(self._clock_s())
        except Exception as error:  # noqa: BLE001 - without this thread a process that works would seem silent
            self._fail(error)

    def _look(self, now_s: float) -> None:
        if not self._moves():
            return
        status, agents = self._status(), [one for one in self._agents() if self._is_due(one, now_s)]
        if status == self._last and not agents and now_s - self._told_s < HEARTBEAT_S:
            return
        self._board.tell(self._instance, status, now_s - self._began_s, agents)
        self._prune(now_s)
        self._succeed(status, agents, now_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.turn()
            self._stop.wait(LOOK_EVERY_S)
        self.turn()
        if self._says_goodbye:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        try:
            self._board.say_goodbye(self._instance)
        except StoreUnavailable as error:
            self._fail(error)

    def _is_due(self, agent: AgentStatus, now_s: float) -> bool:
        before = self._agents_told.get(agent.agent)
        if before is None or _matters(before.status) != _matters(agent):
            return True
        is_new = (
            _heard_s(agent, now_s) > before.heard_s + LOOK_EVERY_S
            or replace(agent, unheard_s=before.status.unheard_s) != before.status
        )
        return is_new and now_s - before.at_s >= AGENTS_EVERY_S

    def _prune(self, now_s: float) -> None:
        if now_s - self._pruned_s >= PRUNE_EVERY_S:
            self._board.prune()
            self._pruned_s = now_s

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            fault = None if isinstance(error, StoreUnavailable) else error
            log.warning("status_cannot_be_told", error=str(error), exc_info=fault)
        self._failing = str(error) or type(error).__name__

    def _succeed(self, status: ProcessStatus, agents: Sequence[AgentStatus], now_s: float) -> None:
        if self._failing:
            log.info("status_is_told_again")
        self._failing, self._last, self._told_s = "", status, now_s
        self._agents_told |= {one.agent: _LastTold(one, now_s, _heard_s(one, now_s)) for one in agents}


def _matters(agent: AgentStatus) -> tuple[object, ...]:
    """What a person should know at once."""
    alarms = {name for name, value in agent.figures.items() if name.startswith(AGENT_PREFIX) and value}
    return agent.state, agent.buses, alarms


def _heard_s(agent: AgentStatus, now_s: float) -> float:
    return float("-inf") if agent.unheard_s is None else now_s - agent.unheard_s
