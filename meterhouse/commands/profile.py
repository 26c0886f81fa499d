"""``meterhouse profile check``: whether the facts of a device profile are what its examples show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated

import typer

from device_profiles import load_profiles, read_profile
from edge_agent.drivers.examples import check_examples
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def profile() -> None:
    """Check device profiles before they meet a device."""


@dataclass(frozen=True, slots=True)
class CheckedProfiles:
    """Profiles whose examples all decode to what they state."""

    profiles: Annotated[list[str], "their ids"]
    examples: Annotated[int, "how many were decoded"]


@app.command(
    help="Read profiles and decode every example: a file, a folder of maker/model.yaml, or all that are known."
)
@answers(CheckedProfiles)
def check(
    place: Annotated[Path | None, typer.Argument(help="A profile file, or a folder of a site's own profiles.")] = None,
) -> None:
    """Say what is wrong with its line, or how many examples decode."""
    if place is None:
        found = list(Settings().known_profiles().values())
    elif place.is_dir():
        shipped = load_profiles()
        found = [one for id_, one in load_profiles(place).items() if id_ not in shipped]
    else:
        found = [read_profile(place, str(place))]
    check_examples(found)
    done = CheckedProfiles([one.id for one in found], sum(len(one.examples) for one in found))
    answer(done, lambda: texts()("cli.profile.checked", profiles=len(done.profiles), examples=done.examples))
