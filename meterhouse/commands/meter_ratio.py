"""What a person must say of a changed transformer ratio, and who must learn of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.model import Ratio
from facility.wall_time import written_instant

if TYPE_CHECKING:
    from datetime import datetime

    from facility.catalogue import Catalogue
    from facility.model import Meter

AgentFrom = Annotated[
    str,
    typer.Option(
        "--agent-from",
        help="When the agent begins to multiply by the new ratio: the time of its restart with the new extract,"
        " past or planned; 'never' if it keeps the old one. Needed with --ct and --pt.",
    ),
]


def positive(option: str, ratio: float | None) -> float | None:
    """The ratio. Raises ``ConfigError`` for one that no transformer has."""
    if ratio is not None and not 0 < ratio < math.inf:
        raise ConfigError(Problem(option, f"a ratio of {ratio:g} is impossible", "more than 0, such as 40"))
    return ratio


def check_ratio(estate: Catalogue, place: Meter) -> None:
    """Refuse a ratio that would change nothing: the device itself shows primary values."""
    if not any(p.ratio not in {None, Ratio.NONE} for p in estate.points_of(place.id) if p.quantity.is_counter):
        raise ConfigError(
            f"{place.id}: its counters show primary values ({place.profile}); no ratio is applied to them"
        )


def agent_knows_from(estate: Catalogue, place: Meter, text: str, told: tuple[float, float]) -> datetime | None:
    """When the agent knows a changed ratio, None for never: nobody but a person can tell, and a guess costs energy."""
    if not text:
        what = (
            f"is missing: agent {place.agent} multiplies by CT {told[0]:g}, PT {told[1]:g} until it is restarted with"
            " the new extract; counted before or after that by the wrong one, energy is lost or doubled"
        )
        allowed = "the time of that restart, past or planned: its log begins then; never, if it keeps the old ratio"
        raise ConfigError(Problem("--agent-from", what, allowed))
    return None if text == "never" else written_instant("--agent-from", text, ZoneInfo(estate.site.timezone))


def say_who_must_know(place: Meter, known: datetime | None) -> None:
    """Say that the agent must have the new extract by then, unless it never does."""
    if known is not None:
        typer.echo(
            f"agent {place.agent} must know it: meterhouse site export --agent {place.agent}, then restart it;"
            " if that is at another time, take the entry out (meter remove-entry) and correct it again."
        )
