"""Letters that stay on this machine: a folder with one file for each, which a demo shows instead of sending them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_KEPT = 500
"""So many letters stay; the oldest make room."""

ENDING = ".letter"


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter as its reader would have it. ``id`` is permanent: the same letter once more takes its own place."""

    id: str
    address: str
    subject: str
    body: str


class Mailbox:
    """A folder of letters. Several processes may use it at once: a file appears whole, or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, one: KeptLetter) -> None:
        """Keep a letter. Raises ``OSError`` where the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._folder / f"{one.id}.new"
        new.write_text(json.dumps(asdict(one)), encoding="utf-8")
        new.replace(new.with_suffix(ENDING))
        for old in self._files()[MOST_KEPT:]:
            old.unlink(missing_ok=True)

    def letters(self) -> Iterator[tuple[datetime, KeptLetter]]:
        """When each letter came, and the letter, the newest first; a file that is none is passed over."""
        for file in self._files():
            try:
                at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                yield at, KeptLetter(**json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                continue

    def _files(self) -> list[Path]:
        """The newest first."""
        dated = []
        for file in self._folder.glob(f"*{ENDING}"):
            try:
                dated.append((-file.stat().st_mtime_ns, file.name, file))
            except OSError:  # it made room meanwhile
                continue
        return [file for *_, file in sorted(dated)]
