"""What can be wrong with the audit trail: a word for programs, numbers, and a sentence of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@unique
class Wrong(StrEnum):
    """What can be wrong with the trail."""

    MISSING = "missing"
    ANOTHER = "another"
    CHANGED = "changed"
    FEWER_THAN_FOUND = "fewer_than_found"
    FEWER_THAN_WRITTEN = "fewer_than_written"
    NO_KEY = "no_key"
    END_MOVED = "end_moved"
    NONE_FROM = "none_from"
    FEWER_THAN_SIGNED = "fewer_than_signed"
    NOT_AS_SIGNED = "not_as_signed"
    FORGED = "forged"
    SIGNED_TWICE = "signed_twice"
    OTHER_KEY = "other_key"


SENTENCES = {
    Wrong.MISSING: "entry {seq} is missing",
    Wrong.ANOTHER: "entry {seq} is another than was found on the last look",
    Wrong.CHANGED: "entry {seq} was changed",
    Wrong.FEWER_THAN_FOUND: "the trail ends with entry {seq}; entries that were found on the last look: {others}",
    Wrong.FEWER_THAN_WRITTEN: "the trail ends with entry {seq}; entries that were written: {others}",
    Wrong.NO_KEY: "the key that sealed it is not there",
    Wrong.END_MOVED: "the end at entry {seq} was moved",
    Wrong.NONE_FROM: "entries from {seq} on are missing",
    Wrong.FEWER_THAN_SIGNED: "the trail ends with entry {seq}, and a checkpoint signs {others}: it was cut off, or an"
    " older copy was put back",
    Wrong.NOT_AS_SIGNED: "entry {seq} is another than a checkpoint signs: an older copy was put back and went on",
    Wrong.FORGED: "a checkpoint of {seq} entries is not signed by the key that it names",
    Wrong.SIGNED_TWICE: "two checkpoints sign different ends at entry {seq}: an older copy was put back and went on",
    Wrong.OTHER_KEY: "the newest checkpoint is signed with another key: an older copy was put back with its key",
}
"""How logs and programs have it; people read it in their own language."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong first, and with which numbers it is told."""

    what: Wrong
    numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """As logs and programs have it."""
        return SENTENCES[self.what].format_map(self.numbers)
