"""Data levels, low to high: who may see a point, and which points are refused at the door."""

from __future__ import annotations

from enum import IntEnum, unique

from facility.errors import Rejected


@unique
class Level(IntEnum):
    """How sensitive a point is. Order matters: a derived figure takes the highest level of its inputs.

    The four words inside 一般 refine GB/T 43697-2024's lowest class; ``IMPORTANT`` is its 重要数据.
    """

    PUBLIC = 1  # 公开
    INTERNAL = 2  # 内部
    SENSITIVE = 3  # 敏感
    RESTRICTED = 4  # 高敏
    IMPORTANT = 5  # 重要

    @property
    def word(self) -> str:
        """The word used in documents, tables and pages."""
        return self.name.lower()


LEVEL_WORDS: tuple[str, ...] = tuple(level.word for level in Level)

CORE = "core"
"""核心数据: refused at the door, so it is no member of ``Level``."""


def parse_level(word: str) -> Level:
    """Return the level called ``word``; raise ``Rejected`` for ``core`` and for unknown words."""
    if word == CORE:
        raise Rejected("core_data", "core data (核心数据) must never enter Meterhouse")
    try:
        return Level[word.upper()]
    except KeyError:
        raise Rejected("unknown_level", f"'{word}' is not one of {', '.join(LEVEL_WORDS)}") from None
