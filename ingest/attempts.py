"""Which messages were being dealt with when this process died: after three such deaths a message is set aside unread.

The note is written before a message is looked at, so that a crash, a full memory or a killed process counts.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ingest.subscriber import Inbound

MOST_ATTEMPTS = 3


class Attempts:
    """Counts deaths by message. ``begin`` and ``end`` cost a small write each, and no flush: a crash keeps them.

    What is under way stands in the first line of a file that keeps its length: to cut it each time would cost a new
    page, and so a write to the disk, for each group.
    """

    def __init__(self, folder: Path) -> None:
        """Take up what was under way. Raises ``ConfigError`` where the folder cannot be written."""
        self._counts_path = folder / "attempts.json"
        self._counts: dict[str, int] = _read(self._counts_path)
        try:
            self._fd = os.open(folder / "attempts.now", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}") from None
        if under_way := os.pread(self._fd, 2**20, 0).partition(b"\n")[0].decode("ascii", "replace").split():
            for digest in set(under_way):  # a message that was in hand twice counts one death
                self._counts[digest] = self._counts.get(digest, 0) + 1
            self._write_counts()
            self.end()

    def deaths(self, message: Inbound) -> int:
        """How often this process died with the message in hand; one with any is taken alone."""
        return self._counts.get(_digest(message), 0) if self._counts else 0

    def is_hopeless(self, message: Inbound) -> bool:
        """Whether it was tried often enough."""
        return self.deaths(message) >= MOST_ATTEMPTS

    def begin(self, messages: Iterable[Inbound]) -> None:
        """These are looked at now. On a full disk they are looked at all the same."""
        with suppress(OSError):
            os.pwrite(self._fd, " ".join(map(_digest, messages)).encode("ascii") + b"\n", 0)

    def end(self) -> None:
        """All of them are dealt with."""
        with suppress(OSError):  # a full disk has room for what stands there already
            os.pwrite(self._fd, b"\n", 0)

    def clear(self, message: Inbound) -> None:
        """A suspect went well alone: it was not to blame."""
        if self._counts.pop(_digest(message), None):
            self._write_counts()

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _write_counts(self) -> None:
        """On a full disk the counts stay in memory: one more death is needed, and ingest starts all the same."""
        part = self._counts_path.with_suffix(".part")
        with suppress(OSError):
            part.write_text(json.dumps(self._counts), encoding="ascii")
            part.replace(self._counts_path)


def _digest(message: Inbound) -> str:
    return blake2b(message.payload, key=message.topic.encode()[-64:], digest_size=16).hexdigest()


def _read(path: Path) -> dict[str, int]:
    try:
        counts: dict[str, int] = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # none yet, or torn: counting begins anew
        return {}
    return counts
