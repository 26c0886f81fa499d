"""What a process is told from outside: ``METERHOUSE_…`` in the environment, and one way to say what is wrong there."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from facility.errors import ConfigError, Problem
from process.log_file import MOST_BYTES

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

PREFIX = "METERHOUSE_"

MIB = 2**20

LogLevel = Literal["debug", "info", "warning"]

KINDS = {bool: "yes, no", int: "a whole number", float: "a number", Path: "a path", str: "a text"}
BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


class EnvironmentSettings(BaseSettings):
    """Base of all settings: ``Field(examples=…)`` shows what is allowed, ``repr=False`` keeps a value to ourselves."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)


class ProcessSettings(EnvironmentSettings):
    """What every process is told."""

    log_level: LogLevel = "info"
    """``debug`` adds a line for every batch."""

    log_file: Path | None = None
    """A file of this process's own, begun anew when it is full; standard error where none is set."""

    log_mib: float = Field(default=MOST_BYTES / MIB, ge=0.1, le=1024, allow_inf_nan=False)
    """How much it holds; as many more as ``process/log_file.py`` keeps stand beside it."""


SettingsT = TypeVar("SettingsT", bound=EnvironmentSettings)


def read_settings(settings: type[SettingsT], **given: Any) -> SettingsT:
    """Settings from the environment, but for what is ``given``.

    Raises ``ConfigError`` naming every variable that is missing or wrong.
    """
    try:
        return settings(**given)
    except ValidationError as error:
        raise ConfigError(*(_problem(settings, one) for one in error.errors())) from None


def _problem(settings: type[EnvironmentSettings], error: ErrorDetails) -> Problem:
    """``METERHOUSE_COMMIT_S: '5' cannot be used (allowed: a number above 0, at most 1)``."""
    name = str(error["loc"][0])
    field = settings.model_fields[name]
    what = f"'{error['input']}' cannot be used" if field.repr else "cannot be used"
    return Problem(PREFIX + name.upper(), "is not set" if error["type"] == "missing" else what, _allowed(field))


def _allowed(field: FieldInfo) -> str:
    """What the field's type, its bounds and its example say."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(member.value) for member in kind)
    words = next((words for one, words in KINDS.items() if one in {kind, *get_args(kind)}), "a text")
    bounds = [f"{BOUNDS[sign]} {getattr(one, sign)}" for one in field.metadata for sign in BOUNDS if hasattr(one, sign)]
    examples = [f"such as {example}" for example in (field.examples or [])[:1]]
    return ", ".join([" ".join([words, " and ".join(bounds)]).strip(), *examples])
