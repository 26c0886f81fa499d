"""How a server itself stands, one line a thing, with what to do about it: for ``meterhouse doctor`` and its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import MeterhouseError
from reports.doctor.checks import ADVISED, CHECKS
from reports.doctor.line import DoctorLine, Ground, How

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wording.texts import Texts

__all__ = ["DoctorLine", "Ground", "How", "examine", "sentence", "to_do", "worst"]


def examine(ground: Ground, now: datetime) -> list[DoctorLine]:
    """Every check of ``CHECKS``, in its order; one that cannot be made says why. Nothing is changed by looking."""
    lines = []
    for name, check in CHECKS.items():
        try:
            case, how, numbers = check(ground, now)
        except (MeterhouseError, OSError) as error:
            words = getattr(error, "strerror", None) or str(error)
            case, how, numbers = "unknown", How.WRONG, {"why": " ".join(words.split())}
        lines.append(DoctorLine(name, case, how, numbers))
    return lines


def worst(lines: Sequence[DoctorLine]) -> How:
    """How the server stands as a whole."""
    return max((line.how for line in lines), default=How.WELL, key=list(How).index)


def sentence(t: Texts, line: DoctorLine) -> str:
    """What was found, in the reader's words."""
    return t(f"doctor.{line.name}.{line.case}" if line.case != "unknown" else "doctor.unknown", **line.numbers)


def to_do(t: Texts, line: DoctorLine) -> str:
    """What to do about it; nothing where all is well."""
    if line.how is How.WELL:
        return ""
    own = f".{line.case}" if line.case in ADVISED.get(line.name, ()) else ""
    return t(f"doctor.{line.name}.do{own}", **line.numbers)
