"""The lesser faults: each begins when its ``with`` block is entered and is over when it is left."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from chaos.estate import OTHER_AGENT
from chaos.parts import RigError
from rigs.hostile import say_hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from chaos.parts import Part
    from chaos.schedule import Beside
    from chaos.topology import Topology
    from rigs.proxy import Mode, Proxy

CLOCK_S = 120
"""Within the five minutes by which ingest lets clocks differ."""

SERVER_CLOCK_S = -2 * 3600
"""By such a clock every live reading is of the future."""

DISK_BYTES = 2**30
SHRINK_ATTEMPTS = 50
"""Between measuring and shrinking somebody may write: then a smaller disk is refused."""


@contextmanager
def frozen(part: Part) -> Iterator[None]:
    """The process stands still and keeps its sockets, as in a long pause of the machine."""
    part.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        part.signal(signal.SIGCONT)


@contextmanager
def bad_link(link: Proxy, mode: Mode) -> Iterator[None]:
    """The network misbehaves."""
    link.set_mode(mode)
    try:
        yield
    finally:
        link.set_mode("ok")


@contextmanager
def wrong_clock(file: Path, seconds: int) -> Iterator[None]:
    """A process's wall clock is set, and set right again; see ``clock/sitecustomize.py``."""
    _write(file, seconds)
    try:
        yield
    finally:
        _write(file, 0)


@contextmanager
def hostile_sender(port: int, agent: str, word: str) -> Iterator[None]:
    """Another agent sends messages whose properties end with a mark that MQTT allows and the client library refuses."""
    say_hostile(port, agent, word)
    yield


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No more room in ``folder``, a mount point of ``small_disk``."""
    if not any(_mount(f"remount,size={_used(folder)}", folder) for _ in range(SHRINK_ATTEMPTS)):
        raise RigError(f"the disk in {folder} cannot be made as small as what it holds")
    try:
        yield
    finally:
        _mount(f"remount,size={DISK_BYTES}", folder)


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own for ``folder``; yields False, and changes nothing, where that is not allowed."""
    allowed = os.geteuid() == 0 and _mount(f"size={DISK_BYTES}", folder)
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", str(folder)], check=True)


FAULTS: dict[Beside, Callable[[Topology], AbstractContextManager[None]]] = {
    "nothing": lambda _: nullcontext(),
    "freeze": lambda parts: frozen(parts.parts["ingest"]),
    "blackhole": lambda parts: bad_link(parts.link, "blackhole"),
    "delay": lambda parts: bad_link(parts.link, "delay"),
    "rst": lambda parts: bad_link(parts.link, "rst"),
    "dropack": lambda parts: bad_link(parts.link, "dropack"),
    "ingest_cut": lambda parts: bad_link(parts.ingest_link, "rst"),
    "disk_full": lambda parts: full_disk(parts.ingest),
    "clock_ahead": lambda parts: wrong_clock(parts.clock, CLOCK_S),
    "clock_back": lambda parts: wrong_clock(parts.clock, -CLOCK_S),
    "server_back": lambda parts: wrong_clock(parts.server_clock, SERVER_CLOCK_S),
    "flipped_bit": lambda _: nullcontext(),  # the campaign flips it, and waits until it is mended
    "hostile": lambda parts: hostile_sender(parts.port, OTHER_AGENT, parts.word_of(OTHER_AGENT)),
}


def _write(file: Path, seconds: int) -> None:
    """By rename: a half-written file would be a moment of true time."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(seconds), encoding="ascii")
    fresh.replace(file)


def _used(folder: Path) -> int:
    room = os.statvfs(folder)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def _mount(options: str, folder: Path) -> bool:
    """Whether the mount was done."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return not subprocess.run(command, check=False, capture_output=True).returncode


def spoil_newest(outbox: Path, after: int) -> dict[int, tuple[str, int]]:
    """Change one value in the outbox of a dead agent, as a failing disk would: sequence number → point and time.

    It is the newest backlog row above ``after``, if there is one: the caller knows that it has never been sent.
    """
    newest = (
        "SELECT seq, name, t_ms FROM reading JOIN point ON point.id = reading.point"
        " WHERE lane = 1 AND seq > ? ORDER BY seq DESC LIMIT 1"
    )
    with closing(sqlite3.connect(outbox)) as db, db:
        rows = db.execute(newest, (after,)).fetchall()
        db.executemany("UPDATE reading SET x = x + 1 WHERE seq = ?", [row[:1] for row in rows])
    return {seq: (point, t_ms) for seq, point, t_ms in rows}
