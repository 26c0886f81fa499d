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
class PushedDashboards:
    """What a Grafana was given; where anything failed, nothing was."""

    url: str
    created: Annotated[list[str], "addresses of folders and dashboards, `data source`"]
    changed: Annotated[list[str], "the same, and `home dashboard`"]
    deleted: Annotated[list[str], "dashboards of what the estate has no more"]
    unchanged: Annotated[int, "dashboards that were there already"]
    queries: Annotated[int, "that were asked through Grafana, each without an error"]
    empty: Annotated[int, "of them: those that found no rows in the last 30 days"]
    left_out: list[LeftOutAnswer]


@dataclass(frozen=True, slots=True)
class CheckedDashboards:
    """Dashboards with which nothing is wrong; what is wrong would be the error's problems."""

    folder: str
    dashboards: Annotated[int, "how many files, of both languages"]
    left_out: list[LeftOutAnswer]
