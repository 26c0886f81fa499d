"""What the fault tests share: the agent as a process, small disks, a wrong clock, and what needs to be installed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.clock import EARLIEST_MS, ReadingClock, Trust
from edge_agent.drivers.modbus.registers import encode_registers
from facility.protocols.modbus.profile import Coding, RegisterPoint, RegisterTable
from facility.quantities import Quantity
from rigs.patience import PATIENCE_S, until

AGENT = "edge-1"
SITE = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents:
  - id: edge-1
    buses:
      - {{id: line, url: "modbus+tcp://127.0.0.1:{modbus}", timeout_s: 5}}
      - {{id: radio, url: "{radio}"}}
meters:
  - {{id: m1, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: 1, poll_s: 1}}
  - {{id: p1, name: P, building: b, profile: shelly/pro-3em, agent: edge-1, bus: radio, unit: p1, poll_s: 1}}
  - {{id: d1, name: D, building: b, profile: aqara/mccgq11lm, agent: edge-1, bus: radio, unit: front, poll_s: 1}}
"""
DOOR, POWER = "d1/door_open/door", "p1/active_power/total"


def need(*programs: str) -> None:
    """Fail in CI, skip visibly elsewhere, if a program is missing or we may not mount."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in programs if program != "root" and not shutil.which(program, path=path)]
    missing += ["root"] if "root" in programs and os.geteuid() != 0 else []
    if missing and os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(f"needed and REQUIRE_SERVERS=1: {', '.join(missing)}")
    if missing:
        pytest.skip(f"needed: {', '.join(missing)}")


@contextmanager
def small_disk(folder: Path, size: str):
    need("root", "mount", "umount")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def preload(folder: Path) -> Path:
    """The library for ``LD_PRELOAD``, built into the test's folder."""
    need("gcc")
    built = folder / "preload.so"
    source = Path(__file__).with_name("preload.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", built, source, "-ldl"], check=True)
    return built


class WrongClock:
    """The wall clock of a process that is started with ``env``; ``set(seconds)`` at any time."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self.file = folder / "clock"
        self.env = {"LD_PRELOAD": str(preload(folder)), "FAULT_CLOCK": str(self.file)}
        self.set(seconds)

    def set(self, seconds: int) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds}\n")
        fresh.replace(self.file)


@contextmanager
def agent_process(folder: Path, broker: str, *, radio="mqtt://127.0.0.1:1", modbus=1, before=(), agent=AGENT, **env):
    """``python -m edge_agent``; what it says goes to ``folder/log``."""
    site = folder / "site.yaml"
    site.write_text(SITE.format(modbus=modbus, radio=radio), encoding="utf-8")
    settings = {
        "METERHOUSE_DATA": str(folder),
        "METERHOUSE_BROKER": broker,
        "METERHOUSE_SITE": str(site),
        "METERHOUSE_AGENT": agent,
        "METERHOUSE_BACKLOG_RATE": "0",
        "METERHOUSE_BACKLOG_DELAY_S": "0",
        "METERHOUSE_BALLAST_MIB": "1",
    }
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(
            [*before, sys.executable, "-m", "edge_agent"], env=os.environ | settings | env, stdout=log, stderr=log
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def stop(child) -> int:
    child.send_signal(signal.SIGTERM)
    return child.wait(PATIENCE_S)


def log_of(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8", errors="replace")


def record(
    folder: Path,
    rows: int,
    *,
    points=("m1/energy_import/total",),
    begin_ms=1_790_000_000_000,
    step_ms=1000,
    per_line=1000,
    name="a",
):
    """A recording: row *k* is point ``k mod n``, *k* steps after its begin, with value ``k / 2``: each can be told."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.new").open("w", encoding="utf-8") as file:
        file.write(json.dumps({"points": list(points), "rows": rows}) + "\n")
        for start in range(0, rows, per_line):
            ks = range(start, min(start + per_line, rows))
            block = {"p": [k % len(points) for k in ks], "t": [begin_ms + step_ms * k for k in ks]}
            file.write(json.dumps(block | {"x": [k / 2 for k in ks]}) + "\n")
    (folder / f"{name}.new").rename(folder / f"{name}.readings")
    return folder


def samples(count, begin=0, point="m1/active_power/total", t0=1_790_000_000_000):
    return [(point, t0 + 1000 * (begin + i), float(begin + i), 0) for i in range(count)]


def asked(server, condition):
    """Ask the agent for its status until one that was asked for fits."""
    seen = len(server.statuses)

    def fits():
        server.command("resume")
        return any(condition(status) for status in server.statuses[seen:] if status.state == "online")

    until(fits, says=lambda: server.statuses[seen:][-1:], pause_s=0.2)


def content(server):
    """Readings by sequence number. Fails if one number ever came with two contents."""
    rows = {}
    for batch in server.batches:
        q = batch.q or [0] * len(batch.x)
        for i, (p, t, x) in enumerate(zip(batch.p, batch.t, batch.x, strict=True)):
            assert rows.setdefault(batch.first + i, (batch.points[p], t, x, q[i])) == (batch.points[p], t, x, q[i])
    return rows


def sdm120(power, energy):
    words = {}
    for quantity, address, value in ((Quantity.ACTIVE_POWER, 0x0C, power), (Quantity.ENERGY_IMPORT, 0x48, energy)):
        point = RegisterPoint(quantity, "total", address, Coding.FLOAT32, RegisterTable.INPUT)
        words.update(enumerate(encode_registers(point, value), address))
    return {address: words.get(address, 0) for address in range(0x4C)}


class FakeTime:
    """A machine's two clocks; ``boot`` begins another run of the steady one."""

    def __init__(self):
        self.true_ms, self.steady_ms, self.off_ms = EARLIEST_MS + 10**10, 5000, 0

    def go_on(self, ms):
        self.true_ms += ms
        self.steady_ms += ms

    def boot(self, off_ms, down_ms=20_000):
        self.true_ms, self.steady_ms, self.off_ms = self.true_ms + down_ms, 5000, off_ms

    def clock(self, trust=Trust.AUTO, is_synchronised=lambda: True):
        return ReadingClock(lambda: self.true_ms + self.off_ms, lambda: self.steady_ms, trust, is_synchronised)
