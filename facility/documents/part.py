"""YAML text to validated documents: every error names file, line, what is wrong and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from facility.documents.allowed import allowed_of
from facility.documents.kinds import kinds_of, untaken
from facility.documents.yaml_text import (
    TooDeepError,
    TooManyValuesError,
    UnreadableValueError,
    read_yaml,
)
from facility.errors import ConfigError, Problem, quoted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from facility.documents.yaml_tree import YamlTree

Place = tuple[str | int, ...]
"""Where in a document: keys and list positions from the root."""

Model = TypeVar("Model", bound=BaseModel)

MOST_CHARS = 16 * 1024 * 1024
MOST_VALUES = 1_000_000
MOST_DEPTH = 50
"""Far beyond the largest estate; a few lines of anchors and aliases can stand for billions of values."""


MOST_SAID = 300
"""So many characters say what is wrong, whatever stands in the document."""

ALLOWED_YAML = "spaces to indent, alike for all keys of a part; quotes around a text that holds ': ' or ' #'"

_TEXT_IS_MISSED = ("string_type", "model_type")
"""What pydantic calls it; a part is missed where a bare text may stand for it (a name)."""


class DocumentPart(BaseModel):
    """Base of everything written in a document: unknown keys are mistakes, numbers finite, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _take_nothing_for_something(cls, value: object) -> object:
        """By itself pydantic takes ``true`` for the number 1, and 20260914 for seconds since 1970."""
        if not isinstance(value, dict):
            return value
        kinds = kinds_of(cls)
        return {key: untaken(one, kinds.get(str(key), frozenset())) for key, one in value.items()}


@dataclass
class Document:
    """A parsed YAML file that knows the line of everything in it and collects what is wrong."""

    name: str
    yaml: YamlTree
    problems: list[Problem] = field(default_factory=list)

    @property
    def tree(self) -> Any:
        """The file as plain dicts, lists and values."""
        return self.yaml.root

    def line(self, place: Iterable[str | int]) -> int:
        """Line (from 1) of the deepest part of ``place`` that the file holds."""
        node: Any = self.tree
        line = 1
        for step in place:
            lines = self.yaml.lines.get(id(node), {})
            if step not in lines:
                break
            line = lines[step] + 1
            try:
                node = node[step]
            except (KeyError, IndexError):
                break
        return line

    def report(self, place: Place, what: str, allowed: str | Iterable[str] = "") -> None:
        """Note a problem at a place; ``allowed`` is a sentence or the list of allowed words."""
        words = allowed if isinstance(allowed, str) else ", ".join(allowed)
        self.problems.append(Problem(f"{self.name}:{self.line(place)}", visible(what, MOST_SAID), words))

    def validate(self, model: type[Model]) -> Model:
        """The tree as ``model``. Raises ``ConfigError`` with a problem for every field that does not fit.

        Where a text belongs and YAML read something else (``00123456``, ``1e5``, a date), it is the text as written.
        """
        try:
            return model.model_validate(self.tree)
        except ValidationError as error:
            found = error
        missed = [detail["loc"] for detail in found.errors() if detail["type"] in _TEXT_IS_MISSED and detail["loc"]]
        if sum(self.yaml.write_back(place) for place in missed):
            try:
                return model.model_validate(self.tree)
            except ValidationError as error:
                found = error
        for detail in found.errors():
            place = detail["loc"]
            if detail["type"] == "extra_forbidden":
                self.report(place, f"unknown key '{place[-1]}'", _keys(model, place[:-1]))
            elif detail["type"] == "missing":
                key = ".".join(map(str, place[:-1])) or "the document"
                self.report(place[:-1], f"'{place[-1]}' is missing in {key}")
            else:
                self._report_misfit(detail)
        raise ConfigError(*self.problems)

    def _report_misfit(self, detail: ErrorDetails) -> None:
        """A value that its key cannot have; a union of types has a word for each that it is not."""
        place, value, message = detail["loc"], detail.get("input"), detail["msg"].removeprefix("Value error, ")
        key = ".".join(map(str, place)).removesuffix(".[key]")
        allowed = allowed_of(detail["type"], detail.get("ctx") or {})
        if value is None or value in ("", [], {}):
            what = f"{key} is empty"
        elif isinstance(value, str | int | float):
            what = f"{key} is {quoted(str(value))}"
        else:
            what = f"{key} is {'keys with values' if isinstance(value, dict) else 'a list'}"
        self.report(place, what if allowed else f"{what}: {message[0].lower()}{message[1:]}", allowed)

    def check(self) -> None:
        """Raise ``ConfigError`` with everything reported so far, or do nothing."""
        if self.problems:
            raise ConfigError(*self.problems)


def parse(text: str, name: str) -> Document:
    """Parse YAML text. Raises ``ConfigError`` with the line of a syntax error or a key written twice."""
    if len(text) > MOST_CHARS:
        raise ConfigError(Problem(name, f"holds {len(text)} characters, at most {MOST_CHARS} are read"))
    try:
        read = read_yaml(text, MOST_DEPTH, MOST_VALUES)
        _check_extent(read.root)
    except DuplicateKeyError as error:
        raise ConfigError(Problem(_mark(name, error), "this key is written twice")) from None
    except MarkedYAMLError as error:
        raise ConfigError(Problem(_mark(name, error), f"not YAML: {error.problem}", ALLOWED_YAML)) from None
    except YAMLError as error:
        raise ConfigError(Problem(name, f"not YAML: {error}")) from None
    except TooDeepError:
        raise ConfigError(Problem(name, f"is nested too deeply (at most {MOST_DEPTH} levels)")) from None
    except TooManyValuesError:
        what = f"stands for more than {MOST_VALUES} values; are aliases nested?"
        raise ConfigError(Problem(name, what)) from None
    except UnreadableValueError as error:
        raise ConfigError(Problem(f"{name}:{error.line + 1}", str(error), "quotes around a text")) from None
    if read.root is None:
        raise ConfigError(Problem(f"{name}:1", "the document is empty"))
    return Document(name, read)


def _check_extent(tree: object) -> None:
    """Raise as ``read_yaml`` does where the tree, with every alias written out, cannot be walked."""
    pending, values = [(tree, 1)], 0
    while pending:
        node, depth = pending.pop()
        values += 1
        if depth > MOST_DEPTH:
            raise TooDeepError
        if values + len(pending) > MOST_VALUES:
            raise TooManyValuesError
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        pending += [(one, depth + 1) for one in below]


def _mark(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{name}:{mark.line + 1}" if mark else name


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that a document of this model may hold at a place, as its JSON schema says."""
    schema = model.model_json_schema()
    part = schema
    for step in place:
        below = part.get("properties", {}).get(step) or part.get("items") or part.get("additionalProperties") or {}
        names = [option["$ref"].rpartition("/")[2] for option in below.get("anyOf", [below]) if "$ref" in option]
        part = schema["$defs"][names[0]] if names else below
    return list(part.get("properties", {}))
