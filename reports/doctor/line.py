"""What the doctor says of one thing, and where it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path  # noqa: TC003 - a dataclass names it


@unique
class How(StrEnum):
    """How a thing stands, from good to bad."""

    WELL = "well"
    CARE = "care"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class DoctorLine:
    """One thing: its name, which case it is, and the numbers and words of its sentence."""

    name: str
    case: str
    how: How
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a server is: its data folder, its stores by URL, its certificates, and where its backups go."""

    folder: Path
    store_url: str
    records_url: str
    certificates: tuple[Path, ...] = ()
    backups: str = ""


Check = Callable[[Ground, datetime], tuple[str, How, dict[str, str]]]
"""Case, how it stands, numbers. Raises ``MeterhouseError`` or ``OSError`` where nobody can say."""
