"""One real process under fire: started, killed without a word, started again; and found out if it ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from chaos.schedule import Victim

STOP_TIMEOUT_S = 20.0


class RigError(Exception):
    """The run cannot be judged: a part does not do what every part must do first."""


@dataclass
class Part:
    """One process that is killed and started again. ``command`` is asked at every start."""

    name: Victim
    command: Callable[[int], list[str]]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    kills: int = 0

    def start(self) -> None:
        """Start it (again)."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(self.starts), env=os.environ | self.env, stdout=log, stderr=log, start_new_session=True
            )
        self.starts += 1

    def signal(self, number: int) -> None:
        """Send it a signal while it lives."""
        if self.is_alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        """``kill -9``. Raises ``RigError`` if it had ended by itself."""
        self.check()
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def stop(self) -> None:
        """Ask it to end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def check(self) -> None:
        """Raise ``RigError`` if it does not run: nobody but the rig may end it."""
        if not self.is_alive:
            last = self.log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            code = self.process.returncode if self.process else None
            raise RigError(f"{self.name} ended by itself (exit code {code}): {last}")

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None
