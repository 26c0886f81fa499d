"""What a person says with a command: by whom, and under which option; and what a remark of ours says to them."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.remark import Remark

_REMARKS = {
    "remark.agent_must_know": (
        "agent {agent} must know it: meterhouse site export --agent {agent}, then restart it;"
        " if that is at another time, take the entry out (meter remove-entry) and correct it again."
    ),
    "remark.year_without_notice": (
        "no notice of moved workdays is known for {year}: every weekend of it counts as off;"
        " write calendar/{country}/{year}.yaml or site.holidays.notices"
    ),
    "remark.device_without_date": (
        "{meter} changes its device without saying since when; use meterhouse meter swap or correct,"
        " or write it under installations"
    ),
}


def remark_text(remark: Remark) -> str:
    """A remark as a sentence."""
    return _REMARKS[remark.message_id].format(**remark.params)


def given_by(by: str) -> str:
    """The person named, else the one who is logged in."""
    return by.strip() or getpass.getuser()


@contextmanager
def written_as(options: Mapping[str, str]) -> Iterator[None]:
    """Name a problem's field by the option in which a person wrote it: field → option."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(*(_renamed(problem, options) for problem in error.problems)) from None


def _renamed(problem: Problem | str, options: Mapping[str, str]) -> Problem | str:
    if isinstance(problem, str):
        return problem
    return replace(problem, where=options.get(problem.where, problem.where))
