"""What a person says with a command, and how an estate's changes and figures are told to them."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem, Rejected
from facility.person_name import person_name
from meterhouse.output import texts
from wording.formats import Formats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.model import Site
    from stores.records.estate import Change


_WHOLE = {"added": "cli.change.added", "removed": "cli.change.removed"}
"""What became of a whole thing → its text."""

_WRITTEN = {"connection": "bus"}
"""Field of the model → key of site.yaml, where they differ."""


def formats_of(site: Site) -> Formats:
    """How this reader reads the figures of a site."""
    return Formats(texts().language, site.timezone, site.currency)


def change_text(change: Change) -> str:
    """``changed meter main: serial 'A1' → 'B2'``; what changed is named by the words of site.yaml."""
    fit = change.without_secrets()
    if not fit.field:
        return texts()(_WHOLE[fit.kind], what=fit.what, id=fit.id)
    nothing = texts()("cli.change.nothing")
    before, after = (nothing if value in (None, "") else repr(value) for value in (fit.before, fit.after))
    field = _WRITTEN.get(fit.field, fit.field)
    return texts()("cli.change.changed", what=fit.what, id=fit.id, field=field, before=before, after=after)


def given_by(by: str) -> str:
    """The person named, else the one who is logged in."""
    if by.strip():
        return person_name(by)
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        name = f"uid {os.getuid()}"
    return person_name(name)


@contextmanager
def written_as(options: Mapping[str, str]) -> Iterator[None]:
    """Name a problem's field by the option in which a person wrote it: field → option.

    What names a thing that is not there is the command line's mistake: reason of the refusal → argument.
    """
    try:
        yield
    except Rejected as refused:
        if refused.reason not in options:
            raise
        raise ConfigError(Problem(options[refused.reason], refused.detail)) from None
    except ConfigError as error:
        raise ConfigError(*(_renamed(problem, options) for problem in error.problems)) from None


def _renamed(problem: Problem | str, options: Mapping[str, str]) -> Problem | str:
    if isinstance(problem, str):
        return problem
    allowed = ", ".join(options.get(word, word) for word in problem.allowed.split(", "))  # it may list fields
    return replace(problem, where=options.get(problem.where, problem.where), allowed=allowed)
