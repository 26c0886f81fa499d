"""Half an hour of the whole estate as real processes, strangers knocking at its doors: does anything grow?

``python -m bench.soak`` starts what ``meterhouse demo`` starts, waits until it is ready and warm, and then looks every
ten seconds at the memory, descriptors and threads of each process and at the bytes of its log. Growth is a slope an
hour with the half width of its 95 % interval: of means over ten stretches, since neighbouring looks resemble each
other. A process grows where even the low end of that interval lies above what is ``ALLOWED``.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.proc import cpu_s, load, machine, pss_mib
from facility.errors import ConfigError
from meterhouse.demo.run import Demo, free_port

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "bench" / "results" / "soak.json"
MINUTES, WARM_PART = 30.0, 1 / 6
LOOK_EVERY_S = 10.0
STRETCHES = 10
T_95 = 2.306
"""Student's t, two-sided 95 %, of ``STRETCHES`` less two degrees of freedom."""

ALLOWED = {"memory_mib": 10.0, "descriptors": 4.0, "threads": 2.0, "log_kib": 2_048.0}
"""Growth an hour that is none: caches of an estate in its first hours, and thirty lines a minute of a kind."""

NONSENSE = b"\x00\xff GET nonsense\r\n\r\n"


def main() -> int:
    """Write ``bench/results/soak.json``; the exit code is 1 where something grows or had to be started again."""
    minutes = float(os.environ.get("MINUTES", MINUTES))
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        demo = Demo(Path(folder), f"127.0.0.1:{free_port()}")
        try:
            demo.prepare(None)
            demo.start()
            ready_s = demo.wait_until_ready()
            tended(demo, WARM_PART * minutes * 60)
            figures = watched(demo, minutes * 60)
            restarts = {name: child.restarts for name, child in demo.supervisor.children.items()}
        except ConfigError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            demo.stop()
    grows = [f"{name} {what}" for name, kinds in figures.items() for what in ALLOWED if is_growing(kinds[what], what)]
    result = {**machine(), "minutes": minutes, "ready_s": round(ready_s, 1), "load": load(), "restarts": restarts}
    RESULT.write_text(json.dumps({**result, "grows": grows, "processes": figures}, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return bool(grows or any(restarts.values()))


def watched(demo: Demo, seconds: float) -> dict[str, dict[str, Any]]:
    """Process → what is held flat → how much there was, and how it grew."""
    looks: dict[str, list[list[float]]] = defaultdict(list)
    begin_s, began = time.monotonic(), {name: cpu_s(pid) for name, pid in pids(demo).items()}
    while time.monotonic() - begin_s < seconds:
        tended(demo, LOOK_EVERY_S)
        for name, pid in pids(demo).items():
            looks[name].append([time.monotonic() - begin_s, *look(demo, name, pid)])
    ends = {name: cpu_s(pid) for name, pid in pids(demo).items()}
    return {
        name: growth(np.array(rows)) | {"cpu_s_a_minute": round((ends[name] - began[name]) / seconds * 60, 2)}
        for name, rows in looks.items()
    }


def tended(demo: Demo, seconds: float) -> None:
    """Let everything run; once a second a stranger knocks at the pages, the broker and the records of health."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        demo.supervisor.watch(1.0)
        knock(int(demo.listen.rpartition(":")[2]), NONSENSE)
        knock(demo.broker.port, NONSENSE)
        with suppress(OSError):
            urllib.request.urlopen(f"http://{demo.listen}/", timeout=5).close()


def knock(port: int, words: bytes) -> None:
    """Say something that no protocol knows, and go."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(words)
        line.recv(100)


def pids(demo: Demo) -> dict[str, int]:
    """Every process, the broker among them."""
    return {**demo.supervisor.pids(), "broker": demo.broker.process.pid}


def look(demo: Demo, name: str, pid: int) -> list[float]:
    """In the order of ``ALLOWED``. A log counts with what was put aside of it."""
    process, folder = Path(f"/proc/{pid}"), demo.folder / ("broker" if name == "broker" else "logs")
    log = sum(path.stat().st_size for path in folder.glob(f"{name}.log*"))
    return [pss_mib(pid), len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())), log / 1024]


def growth(rows: NDArray[np.float64]) -> dict[str, Any]:
    """Rows of seconds and what was seen then: first and last stretch, and the slope an hour with its uncertainty."""
    means = np.array([part.mean(axis=0) for part in np.array_split(rows, STRETCHES)])
    hours, figures = means[:, 0] / 3600, {}
    away = hours - hours.mean()
    for i, what in enumerate(ALLOWED, 1):
        seen = means[:, i]
        slope = float(away @ seen / (away @ away))
        left = seen - seen.mean() - slope * away
        error = float(np.sqrt(left @ left / (STRETCHES - 2) / (away @ away)))
        ends = {"first": round(float(seen[0]), 2), "last": round(float(seen[-1]), 2)}
        figures[what] = ends | {"an_hour": round(slope, 2), "plus_minus": round(T_95 * error, 2)}
    return figures


def is_growing(seen: dict[str, float], what: str) -> bool:
    """Whether it grows beyond doubt, and by more than what is allowed."""
    return seen["an_hour"] - seen["plus_minus"] > ALLOWED[what]


if __name__ == "__main__":
    sys.exit(main())
