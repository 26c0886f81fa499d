"""Plays recorded readings as a source of their own: files of columns, in the order of their names, each once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import msgspec
import structlog

from facility.errors import ConfigError, MeterhouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_agent.outbox.outbox import Sample

log = structlog.get_logger()

LOOK_AGAIN_S = 1.0

Place = Annotated[int, msgspec.Meta(ge=0)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Header(msgspec.Struct):
    """First line of a file: the points that ``p`` counts in, and how many rows follow."""

    points: list[str]
    rows: int


class Block(msgspec.Struct, forbid_unknown_fields=True):
    """A following line: columns of at most 2,000 rows."""

    p: list[Place]
    t: list[Milliseconds]
    x: list[float]


class RecordingFile:
    """One file. Lines count from 1 for the first block; a last line without its end of line is not yet there."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        with path.open("rb") as file:
            first = file.readline()
        try:
            self.header = msgspec.json.decode(first, type=Header)
        except msgspec.DecodeError as error:
            raise ConfigError(f"{path}:1: not the first line of a recording: {error}") from None

    def blocks(self, after: int) -> Iterator[tuple[int, list[Sample]]]:
        """``line number, samples`` of every line after the given one. Raises ``ConfigError`` for a broken line."""
        with self.path.open("rb") as file:
            file.readline()
            for number, line in enumerate(file, 1):
                if number > after and line.endswith(b"\n"):
                    yield number, self._samples(number, line)

    def _samples(self, number: int, line: bytes) -> list[Sample]:
        try:
            block = msgspec.json.decode(line, type=Block)
            names = [self.header.points[p] for p in block.p]
            return [(name, t, x, 0) for name, t, x in zip(names, block.t, block.x, strict=True)]
        except (msgspec.DecodeError, ValueError, IndexError) as error:
            raise ConfigError(f"{self.path}:{number + 1}: not a block of readings: {error}") from None


class ReplayDriver:
    """Plays a folder through ``play(samples, file, line)`` and looks again for new files when it has played all."""

    def __init__(
        self,
        folder: Path,
        played: Callable[[], dict[str, int]],
        play: Callable[[list[Sample], str, int], None],
        has_room: Callable[[], bool],
        *,
        enough_rows: int = 5000,
    ) -> None:
        """``played`` gives the lines already played by file name; ``play`` puts samples on disk with the new place.

        While it ``has_room`` no more, nothing is played.
        """
        self._folder, self._played, self._play = folder, played, play
        self._has_room, self._enough = has_room, enough_rows
        self._wake = threading.Event()
        self._stopping = self._paused = False
        self._headers: dict[str, RecordingFile] = {}
        self._finished: dict[str, int] = {}
        self.failure = ""
        self._thread = threading.Thread(target=self._run, name="replay")

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """End after the block that is under way."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def pause(self, *, paused: bool) -> None:
        """Stop after the block that is under way, or go on."""
        self._paused = paused
        self._wake.set()

    def state(self) -> str:
        """``ok``, ``paused`` or what is wrong with a file."""
        return self.failure or ("paused" if self._paused else "ok")

    def rows(self) -> dict[str, int]:
        """Rows that each file seen so far promises."""
        return {name: recording.header.rows for name, recording in list(self._headers.items())}

    def is_finished(self) -> bool:
        """Whether at least one file has been seen and all have been played to their end."""
        return not self.failure and bool(self._headers) and self._headers.keys() <= self._finished.keys()

    def look(self) -> None:
        """See which files there are; a broken one is a failure, told as ever."""
        try:
            self._recordings()
        except (MeterhouseError, OSError) as error:
            self._fail(error)

    def _recordings(self) -> list[RecordingFile]:
        for path in sorted(self._folder.glob("*.readings")):
            if path.name not in self._headers:
                self._headers[path.name] = RecordingFile(path)
        return [self._headers[name] for name in sorted(self._headers)]

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._play_all()
                self.failure = ""
            except (MeterhouseError, OSError) as error:
                self._fail(error)
            self._wake.wait(LOOK_AGAIN_S)
            self._wake.clear()

    def _fail(self, error: Exception) -> None:
        if str(error) != self.failure:
            log.warning("replay_stopped", error=str(error))
        self.failure = str(error)

    def _play_all(self) -> None:
        for recording in self._recordings():
            size = recording.path.stat().st_size
            if self._finished.get(recording.name) == size:
                continue
            if not self._play_file(recording):
                return
            self._finished[recording.name] = size

    def _play_file(self, recording: RecordingFile) -> bool:
        """Play what is left of a file. False if it was interrupted."""
        waiting: list[Sample] = []
        line = self._played().get(recording.name, 0)
        for number, samples in recording.blocks(line):
            if waiting and len(waiting) + len(samples) > self._enough:
                self._play(waiting, recording.name, line)
                waiting = []
            while not (self._stopping or self._paused or self._has_room()):
                self._wake.wait(LOOK_AGAIN_S)
                self._wake.clear()
            if self._stopping or self._paused:
                return False
            waiting, line = waiting + samples, number
        if waiting:
            self._play(waiting, recording.name, line)
        return True
