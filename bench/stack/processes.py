"""The processes of ``bench.stack`` as they run in earnest, and their figures over a stretch of time."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.proc import cpu_s, load, pss_mib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parent.parent.parent
PAUSE_S = 0.25
MEMORY_EVERY_S = 5.0
COUNTS = struct.Struct("<qq")


class Stack:
    """Processes by name, each with its log in ``folder``; use as a context manager. The last started ends first."""

    def __init__(self, folder: Path, shared: Mapping[str, str]) -> None:
        self.folder, self._shared = folder, shared
        self._counting = _counting(folder)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.foreign: dict[str, int] = {}
        """Pids of broker and database, which others started."""

        self.beside: set[str] = set()
        """Names that count in another's figures already, or are no part of what is measured."""

    def start(self, name: str, module: str, env: Mapping[str, str], *words: str) -> int:
        """Start a module of ours with these words; returns its pid."""
        counting = {"LD_PRELOAD": str(self._counting), "DISK_WRITES": str(self._counts(name))} if self._counting else {}
        own = os.environ | self._shared | {"PYTHONPATH": f"{ROOT / 'tests'}"} | counting | dict(env)
        with self.log(name).open("ab") as log:
            command = [sys.executable, "-m", module, *words]
            self._running[name] = subprocess.Popen(command, env=own, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self._running[name].pid

    def end(self, name: str) -> None:
        """Tell one to leave, and wait until it has."""
        child = self._running.pop(name)
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def log(self, name: str) -> Path:
        """Where it writes."""
        return self.folder / f"{name}.log"

    def disk_writes(self) -> dict[str, tuple[int, int]]:
        """How often each has asked for its data to be on the disk, and how many bytes it has written to files, so far.

        Nothing where nobody counts.
        """
        return {
            name: COUNTS.unpack(file.read_bytes()) for name in self._running if (file := self._counts(name)).exists()
        }

    def _counts(self, name: str) -> Path:
        return self.folder / f"{name}.disk_writes"

    @property
    def pids(self) -> dict[str, int]:
        """By name, those of broker and database too."""
        return {**{name: child.pid for name, child in self._running.items()}, **self.foreign}

    @property
    def whole(self) -> list[str]:
        """Names whose figures add up to all that a site runs."""
        return [name for name in self.pids if name not in self.beside]

    def check(self) -> None:
        """Whoever died ends the measurement, with its last words."""
        for name, child in self._running.items():
            if (code := child.poll()) is not None:
                words = self.log(name).read_text(encoding="utf-8", errors="replace")[-2000:]
                raise SystemExit(f"{name} ended with {code}:\n{words}")

    def await_(self, what: str, is_so: Callable[[], object], longest_s: float) -> float:
        """Seconds until something is so; infinite where it is not within ``longest_s``."""
        begun = time.monotonic()
        while not is_so():
            self.check()
            if (waited := time.monotonic() - begun) > longest_s:
                print(f"{what}: not within {longest_s:.0f} s", file=sys.stderr)
                return float("inf") if waited else 0.0
            time.sleep(PAUSE_S)
        return time.monotonic() - begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self._running)):
            self.end(name)


@dataclass
class Stretch:
    """Figures of all processes from its making until ``end``: processor seconds a minute, most memory, bytes, load."""

    stack: Stack
    begun_s: float = field(default_factory=time.monotonic)
    most_mib: dict[str, float] = field(default_factory=dict)
    most_together_mib: float = 0.0
    loads: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._cpu = {name: cpu_s(pid) for name, pid in self.stack.pids.items()}
        self._disk_writes = self.stack.disk_writes()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while True:
            self.loads.append(load())
            now = {name: pss_mib(pid) for name, pid in self.stack.pids.items()}
            self.most_mib |= {name: max(self.most_mib.get(name, 0.0), mib) for name, mib in now.items()}
            together = sum(now[name] for name in self.stack.whole if name in now)
            self.most_together_mib = max(self.most_together_mib, together)
            if self._over.wait(MEMORY_EVERY_S):
                return

    def cpu_a_minute(self) -> dict[str, float]:
        """So far, by process."""
        minutes = (time.monotonic() - self.begun_s) / 60
        return {name: round((cpu_s(self.stack.pids[name]) - s) / minutes, 2) for name, s in self._cpu.items()}

    def fsyncs_a_minute(self) -> dict[str, float]:
        """So far, by process."""
        minutes = (time.monotonic() - self.begun_s) / 60
        return {name: round(fsyncs / minutes) for name, (fsyncs, _) in self._written_since().items()}

    def written(self) -> dict[str, int]:
        """Bytes that each has written to files so far."""
        return {name: written for name, (_, written) in self._written_since().items()}

    def _written_since(self) -> dict[str, tuple[int, int]]:
        begun = self._disk_writes
        now = self.stack.disk_writes()
        return {name: (n - begun.get(name, (0, 0))[0], m - begun.get(name, (0, 0))[1]) for name, (n, m) in now.items()}

    def end(self) -> None:
        """Look no longer."""
        self._over.set()
        self._thread.join()


def _counting(folder: Path) -> Path | None:
    """The library that counts in each process; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    built = folder.absolute() / "disk_writes.so"
    source = Path(__file__).with_name("disk_writes.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(built), str(source), "-ldl"], check=True)
    return built
