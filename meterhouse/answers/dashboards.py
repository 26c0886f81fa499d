"""What the commands of dashboards answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class LeftOutAnswer:
    """A dashboard that the estate does not have."""

    dashboard: str
    utility: Annotated[str, "that no head meter of the estate counts"]


@dataclass(frozen=True, slots=True)
class BuiltDashboards:
    """The files as they stand now."""

    folder: str
    dashboards: Annotated[int, "how many files, of both languages"]
    changed: Annotated[list[str], "files that were written"]
    gone: Annotated[list[str], "files that were removed"]
    left_out: list[LeftOutAnswer]


@dataclass(frozen=True, slots=True)
class CheckedDashboards:
    """Dashboards with which nothing is wrong; what is wrong would be the error's problems."""

    folder: str
    dashboards: Annotated[int, "how many files, of both languages"]
    left_out: list[LeftOutAnswer]
