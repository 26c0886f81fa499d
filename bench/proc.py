"""What Linux says of processes: processor time, memory, bytes written; of the machine: what it is, and its load."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of all it has started (proc(5), /proc/PID/stat, fields 14 to 17)."""
    own = _stat(pid)
    ended = sum(map(int, own[11:15])) / TICKS_A_SECOND if own else 0.0
    return ended + sum(cpu_s(child) for child in _children(pid))


def pss_mib(pid: int) -> float:
    """Memory of a process and of all it has started; what several share counts in parts."""
    total = 0.0
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").split("\n")
        total = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
    return total + sum(pss_mib(child) for child in _children(pid))


def written_bytes(pid: int) -> int:
    """What a process has caused to be written to the disk (proc(5), /proc/PID/io, ``write_bytes``)."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def machine() -> dict[str, object]:
    """Where something was measured, and of which commit."""
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=False).stdout
    known = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    return {**known, "commit": commit.strip()}


def load() -> float:
    """How many processes wanted a core during the last minute: beside it every latency is read."""
    return round(os.getloadavg()[0], 1)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # gone meanwhile
        return []


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text(encoding="ascii").split())
    return found
