"""The journal: what ingest took in, on disk before anybody is told, read by offset by whoever stores it.

Append-only segments, each named for the offset of its first byte and opened by the state of all streams. A group of
frames is written and flushed together; what a crash tore off at the end was never promised and is cut away.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, StoreUnavailable
from ingest.frames import HEAD, MOST_BODY_BYTES, Damage, Frame, FrameKind, framed, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LEAST_FREE_BYTES, LEAST_FREE_SHARE = 256 * 2**20, 0.02
"""With less room than either the disk is nearly full: time for a person to act."""

SEGMENT_BYTES = 64 * 2**20
READ_BYTES = 2**20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class JournalRoom:
    """Bounds: stored segments beyond ``kept_bytes`` may go; with more than ``most_bytes`` nothing is taken in."""

    segment_bytes: int = SEGMENT_BYTES
    kept_bytes: int = 2**30
    most_bytes: int = 8 * 2**30


DEFAULT_ROOM = JournalRoom()


class Journal:
    """One thread appends; any thread reads what has been flushed."""

    def __init__(self, folder: Path, *, begin: int = 0, state: bytes = b"", room: JournalRoom = DEFAULT_ROOM) -> None:
        """Open or create. A new journal begins at offset ``begin`` with ``state``. Raises ``ConfigError``."""
        self._folder, self._room = folder, room
        self._dividing = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._starts = sorted(int(path.stem) for path in folder.glob("*.seg"))
            self._fd = -1
            if self._starts:
                self._open_last()
            else:
                self._end = begin
                self._create(state)
        except OSError as error:
            if error.errno in FULL:  # room may come again; a wrong folder stays wrong
                raise StoreUnavailable(f"the journal in {folder} cannot begin: {error.strerror}") from None
            raise ConfigError(f"the journal in {folder} cannot be used: {error.strerror}") from None

    @property
    def begin(self) -> int:
        """The oldest offset that is still kept."""
        return self._starts[0]

    @property
    def end(self) -> int:
        """Everything before this offset is on disk."""
        return self._end

    @property
    def entries_end(self) -> int:
        """No entry lies at or behind this offset; a segment that only has its state is nothing to wait for."""
        return self._entries_end

    @property
    def segments(self) -> list[int]:
        """First offsets of all segments; the last one is being written."""
        return list(self._starts)

    def append(self, bodies: Sequence[bytes], state: Callable[[], bytes]) -> int:
        """Write entries as one group, flush, and return the new end. ``state`` is asked when a segment is full.

        Raises ``StoreUnavailable`` with nothing written: the disk is full or failing, or nobody stores what is here.
        """
        if self._end - self.begin > self._room.most_bytes:
            raise StoreUnavailable(f"the journal in {self._folder} holds {self._room.most_bytes} bytes unstored")
        if self._end - self._starts[-1] >= self._room.segment_bytes:
            self.rotate(state())
        self._write(b"".join(framed(FrameKind.ENTRY, body) for body in bodies))
        return self._end

    def rotate(self, state: bytes) -> None:
        """Begin a new segment with the state of all streams as it is now."""
        try:
            self._create(state)
        except OSError as error:
            raise StoreUnavailable(f"the journal in {self._folder} cannot grow: {error.strerror}") from error

    def skip_to(self, offset: int, state: bytes) -> None:
        """Begin a new segment at an offset that the disk no longer reaches, so that no offset is used twice."""
        self._end = offset
        self.rotate(state)

    def frames(self, start: int, end: int | None = None, kind: FrameKind = FrameKind.ENTRY) -> Iterator[Frame | Damage]:
        """Sound frames of a kind, and damage, from an offset on, up to ``end`` or to what is flushed."""
        stop = self._end if end is None else min(end, self._end)
        for first, last in self._stretches(max(start, self.begin), stop):
            for found in self._scan(first, last):
                if isinstance(found, Damage) or found.kind is kind:
                    yield found

    def state(self, segment: int) -> bytes | None:
        """The state that opens a segment; None where the disk has changed it."""
        first = next(self._scan(segment, self._end), None)
        return first.body if isinstance(first, Frame) and first.kind is FrameKind.STATE else None

    def trim(self, before: int) -> list[int]:
        """Delete the oldest segments that lie before an offset while more is kept than may be; say which went."""
        gone: list[int] = []
        with self._dividing:
            while len(self._starts) > 1 and self._starts[1] <= before and self._kept() > self._room.kept_bytes:
                gone.append(self._starts.pop(0))
                self._path(gone[-1]).unlink(missing_ok=True)
        return gone

    def scarcity(self) -> str:
        """A sentence where its disk is nearly full, else nothing."""
        disk = shutil.disk_usage(self._folder)
        if disk.free >= max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total):
            return ""
        return f"{disk.free >> 20} MiB of {disk.total >> 20} MiB are free in {self._folder.parent}"

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _kept(self) -> int:
        return self._end - self._starts[0]

    def _path(self, start: int) -> Path:
        return self._folder / f"{start:020d}.seg"

    def _create(self, state: bytes) -> None:
        """A segment is whole before it counts: it gets its name only after its first frame is flushed."""
        part = self._path(self._end).with_suffix(".part")
        fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(fd, framed(FrameKind.STATE, state))
            os.fdatasync(fd)
            part.rename(self._path(self._end))
            _flush_folder(self._folder)
        except OSError:
            os.close(fd)
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        with self._dividing:
            self._starts = [*self._starts, self._end]
        self._entries_end = self._end
        self._end += HEAD.size + len(state)

    def _open_last(self) -> None:
        """Cut away what a crash tore off; damage in the middle stays, since sound frames follow it."""
        start = self._starts[-1]
        self._fd = os.open(self._path(start), os.O_RDWR)
        size = os.fstat(self._fd).st_size
        self._end = start + size
        sound = self._entries_end = start
        for found in self._scan(start, self._end):
            if isinstance(found, Frame):
                sound = found.end
                self._entries_end = sound if found.kind is FrameKind.ENTRY else self._entries_end
        if sound < self._end:
            log.warning("journal_torn", segment=start, cut_bytes=self._end - sound)
            os.ftruncate(self._fd, sound - start)
            os.fdatasync(self._fd)
            self._end = sound

    def _write(self, data: bytes) -> None:
        """Write and flush, or take it back: after a failed flush nobody knows what the disk holds."""
        place = self._end - self._starts[-1]
        try:
            os.lseek(self._fd, place, os.SEEK_SET)
            _write_all(self._fd, data)
            os.fdatasync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, place)
            raise StoreUnavailable(f"the journal in {self._folder} cannot be written: {error.strerror}") from error
        self._end = self._entries_end = self._end + len(data)

    def _stretches(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of ``start … end`` that lie in one segment each."""
        starts = self.segments
        for first, following in zip(starts, [*starts[1:], end], strict=True):
            if following > start and first < end:
                yield max(first, start), min(following, end)

    def _scan(self, start: int, end: int) -> Iterator[Frame | Damage]:
        """Frames of one segment, read in pieces."""
        segment = max(first for first in self.segments if first <= start)
        with self._path(segment).open("rb") as file:
            size = READ_BYTES
            while start < end:
                file.seek(start - segment)
                before = start
                for found in scan(file.read(min(size, end - start)), start):
                    yield found
                    start = found.end
                size = READ_BYTES if start > before else size * 4
                if start == before and size > 4 * MOST_BODY_BYTES:
                    break
        if start < end:
            yield Damage(start, end)


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _flush_folder(folder: Path) -> None:
    """A new name is on disk only once its folder is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
