"""Keeps named child processes running, and ends them all in order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError
from process.log_file import WHERE, bound_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

CONFIG_EXIT = 2
"""A child that exits with this says that a person must change something: starting it again cannot help."""

STOP_TIMEOUT_S = 5.0
FIRST_DELAY_S, LAST_DELAY_S = 0.5, 30.0
WORKING_DELAY_S = 2.0
"""The longest delay for a child whose pulse had beaten before it died: it does work, and somebody waits for it."""

STALLED_S = 20.0
"""A child whose pulse stood still for so long has stopped working, whatever it says: it is killed and started again."""

STEADY_S = 60.0
"""A child that ran this long was well: the delay before its next start begins anew."""

SHOWN_LINES = 12

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
"""Loaded before anything is forked."""

log = structlog.get_logger()


@dataclass
class Child:
    """One process: how it is started, and how it fares."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log_path: Path
    process: subprocess.Popen[bytes]
    started_at: float
    log_start: int
    delay_s: float = FIRST_DELAY_S
    restart_at: float | None = None
    restarts: int = 0
    place: Path | None = None
    pulse: Path | None = None
    stalled_s: float = 0.0
    pulse_seen: float = 0.0
    pulse_at: float = 0.0


@dataclass
class Supervisor:
    """Starts children with their logs in ``folder``; ``tend`` restarts the dead; ``stop`` ends all, last first.

    It has no thread: whoever owns it calls ``tend`` or ``watch``, and so decides when things may happen.
    """

    folder: Path
    clock: Callable[[], float] = time.monotonic
    children: dict[str, Child] = field(default_factory=dict)
    tied: bool = False
    """Whether children end with the thread that starts them, however it ends."""

    also: list[Callable[[], None]] = field(default_factory=list)
    """What else is looked at in every round."""

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        pulse: Path | None = None,
        stalled_s: float = 0.0,
        place: Path | None = None,
    ) -> int:
        """Start a child and return its pid. ``env`` is added to our own environment.

        What it says goes to ``NAME.log``, which ``tend`` keeps within bounds, whatever program it is.

        ``place`` is the folder that it works in, ours if not said.

        ``pulse`` is a file that the child touches while it makes progress; ``stalled_s`` is how long it may stand
        still, ``STALLED_S`` if not said.
        """
        if name in self.children:
            raise ConfigError(f"two processes are called '{name}'")
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {name: value for name, value in os.environ.items() if name != WHERE} | dict(env or {})
        path = self.folder / f"{name}.log"
        begin = _size(path)
        process = _spawn(command, whole, path, place, tied=self.tied)
        self.children[name] = Child(
            name, command, whole, path, process, self.clock(), begin, place=place, pulse=pulse, stalled_s=stalled_s
        )
        return self.children[name].process.pid

    def pids(self) -> dict[str, int]:
        """Pid of every child that runs."""
        return {name: child.process.pid for name, child in self.children.items() if child.process.poll() is None}

    def tend(self) -> None:
        """See who died and start them again when their delay is over.

        Raises ``ConfigError`` with the child's own words, after stopping everything, if a child exits with 2.
        """
        for child in self.children.values():
            if bound_log(child.log_path):
                child.log_start = 0
            code = child.process.poll()
            if code is None:
                self._feel_pulse(child)
                continue
            if code == CONFIG_EXIT:
                self.stop()
                raise ConfigError(f"{child.name} stopped: {_last_words(child)}")
            if child.restart_at is None:
                self._plan(child, code)
            elif self.clock() >= child.restart_at:
                self._restart(child)
        for look in self.also:
            look()

    def end(self, name: str) -> None:
        """End one child; like one that died by itself it is started again."""
        _end(self.children[name].process)

    def watch(self, duration_s: float, pause_s: float = 0.2) -> None:
        """Tend for a while."""
        until = self.clock() + duration_s
        while self.clock() < until:
            self.tend()
            time.sleep(pause_s)

    def stop(self) -> None:
        """End every child, the youngest first: SIGTERM, and SIGKILL after 5 s. Safe to call twice."""
        for child in reversed(self.children.values()):
            _end(child.process)
        self.children.clear()

    def _feel_pulse(self, child: Child) -> None:
        """Kill a child that runs and gets nowhere; before its first beat of this run nothing is expected of it."""
        if child.pulse is None or not child.pulse.exists():
            return
        beat, now = child.pulse.stat().st_mtime, self.clock()
        if beat != child.pulse_seen:
            child.pulse_seen, child.pulse_at = beat, now
        elif child.pulse_at > child.started_at and now - child.pulse_at >= (child.stalled_s or STALLED_S):
            log.warning("process_stalled", name=child.name, seconds=now - child.pulse_at)
            child.process.kill()

    def _plan(self, child: Child, code: int) -> None:
        if self.clock() - child.started_at >= STEADY_S:
            child.delay_s = FIRST_DELAY_S
        elif child.pulse_at > child.started_at:
            child.delay_s = min(child.delay_s, WORKING_DELAY_S)
        child.restart_at = self.clock() + child.delay_s
        log.warning("process_died", name=child.name, exit=code, restart_in_s=child.delay_s, log=str(child.log_path))
        child.delay_s = min(child.delay_s * 2, LAST_DELAY_S)

    def _restart(self, child: Child) -> None:
        child.log_start = _size(child.log_path)
        child.process = _spawn(child.command, child.env, child.log_path, child.place, tied=self.tied)
        child.started_at, child.restart_at = self.clock(), None
        child.restarts += 1
        log.info("process_restarted", name=child.name, pid=child.process.pid, restarts=child.restarts)

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        self.stop()


def pss_mib(pids: Iterable[int]) -> float:
    """Proportional memory of these processes and all their descendants in MiB: shared pages count once."""
    family = _with_descendants(set(pids))
    return sum(_pss_kib(pid) for pid in family) / 1024


def _spawn(
    command: Sequence[str], env: Mapping[str, str], path: Path, place: Path | None, *, tied: bool
) -> subprocess.Popen[bytes]:
    with path.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - the commands are our own
            command,
            env=dict(env),
            cwd=place,
            preexec_fn=_end_with_parent if tied else None,  # noqa: PLW1509 - whoever is tied has no other thread
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C in the terminal reaches us alone, and we end them in order
        )


def _end_with_parent() -> None:
    """Called in the child: Linux tells it to end when its parent does (prctl(2))."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _last_words(child: Child) -> str:
    """What the child wrote since its start, at most its last lines."""
    with child.log_path.open("rb") as file:
        file.seek(child.log_start)
        lines = file.read().decode("utf-8", "replace").strip().split("\n")
    return "\n".join(lines[-SHOWN_LINES:])


def _with_descendants(pids: set[int]) -> set[int]:
    """Linux only: who has whom as parent, from ``/proc/PID/stat`` (proc(5), field 4)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # gone meanwhile
            continue
    family = set(pids)
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _pss_kib(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # gone meanwhile
        return 0
    return next((int(line.split()[1]) for line in rollup.split("\n") if line.startswith("Pss:")), 0)
