"""YAML text to plain dicts, lists and values, and the line of each: read as events, so that no depth of it hurts.

A site of thousands of points is read by the parser in C where it is installed, in a tenth of the time. Where that finds
a mistake the parser in Python says what it is; what a scalar stands for is decided by one and the same resolver.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.tag import Tag

from facility.documents.yaml_tree import YamlTree
from facility.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ruamel.yaml.events import Event, NodeEvent

MERGE = "tag:yaml.org,2002:merge"
PLAIN_EQUALS = "tag:yaml.org,2002:value"
"""What YAML 1.1 made of a lone ``=``."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")

KINDS = (bool, int, float, str)


class TooDeepError(Exception):
    """A text is nested more deeply than its reader allows, or an alias stands within what it stands for."""


class TooManyValuesError(Exception):
    """A text holds more values than its reader allows."""


class UnreadableValueError(Exception):
    """What looks like a number or a date and is none (a month 13), or a text that nobody can keep or send."""

    def __init__(self, what: str, line: int) -> None:
        """``line`` counts from 0."""
        super().__init__(what)
        self.line = line


def read_yaml(text: str, most_depth: int, most_values: int) -> YamlTree:
    """Read one document. Raises ``YAMLError`` for what is none, ``TooDeepError`` and ``TooManyValuesError``.

    And ``UnreadableValueError`` for a scalar that is none.
    """
    try:
        return _Building(most_depth, most_values).build(YAML(typ="safe").parse(text))
    except YAMLError:
        return _Building(most_depth, most_values).build(YAML(typ="safe", pure=True).parse(text))


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come; of a mapping also the key that waits for its value."""

    made: Any
    mark: Any
    """Where it begins."""
    lines: dict[Any, int]
    written: dict[Any, str]
    keys: dict[Any, str]
    anchor: str | None
    merged: list[Any] = field(default_factory=list)
    key: Any = None
    has_key: bool = False


class _Merge:
    """The key ``<<``: what follows gives the keys that the mapping does not have itself."""


class _Building:
    def __init__(self, most_depth: int, most_values: int) -> None:
        self._most_depth, self._most_values = most_depth, most_values
        self._stack: list[_Open] = []
        self._anchored: dict[str, Any] = {}
        self._anchored_text: dict[str, str | None] = {}
        self._lines: dict[int, dict[Any, int]] = {}
        self._written: dict[int, dict[Any, str]] = {}
        self._keys: dict[int, dict[Any, str]] = {}
        self._scalars = _Scalars(None)
        self._root: Any = None
        self._values = self._documents = 0

    def build(self, events: Iterable[Event]) -> YamlTree:
        for event in events:
            if isinstance(event, ScalarEvent):
                self._add_scalar(event)
            elif isinstance(event, MappingStartEvent):
                self._open(event, {})
            elif isinstance(event, SequenceStartEvent):
                self._open(event, [])
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self._close()
            elif isinstance(event, AliasEvent):
                self._add(event.start_mark, self._alias(event), self._anchored_text.get(event.anchor or ""))
            elif isinstance(event, DocumentStartEvent):
                self._begin(event)
        return YamlTree(self._root, self._lines, self._written, self._keys)

    def _add_scalar(self, event: ScalarEvent) -> None:
        value = self._noted(event.anchor, self._scalars.of(event))
        is_text = isinstance(value, str | NoneType) or value is _Merge or not event.implicit[0]
        written = None if is_text else event.value
        if event.anchor is not None:
            self._anchored_text[event.anchor] = written
        self._add(event.start_mark, value, written)

    def _begin(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            one = "expected a single document in the stream"
            raise ComposerError(one, event.start_mark, "but found another document", event.start_mark)
        self._scalars = _Scalars(event.version)

    def _open(self, event: NodeEvent, made: Any) -> None:
        if len(self._stack) >= self._most_depth:
            raise TooDeepError
        holder = _Open(made, event.start_mark, {}, {}, {}, event.anchor)
        self._stack.append(holder)
        self._lines[id(made)], self._written[id(made)], self._keys[id(made)] = holder.lines, holder.written, holder.keys

    def _close(self) -> None:
        done = self._stack.pop()
        for source in done.merged:
            for key, value in source.items():
                if key not in done.made and key in self._written[id(source)]:
                    done.written[key] = self._written[id(source)][key]
                done.made.setdefault(key, value)
                done.lines.setdefault(key, self._lines[id(source)][key])
        self._add(done.mark, self._noted(done.anchor, done.made))

    def _noted(self, anchor: str | None, value: Any) -> Any:
        if anchor is not None:
            self._anchored[anchor], self._anchored_text[anchor] = value, None
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor in self._anchored:
            return self._anchored[event.anchor]
        if any(one.anchor == event.anchor for one in self._stack):
            raise TooDeepError
        raise ComposerError(None, None, f"found undefined alias {event.anchor!r}", event.start_mark)

    def _add(self, mark: Any, value: Any, written: str | None = None) -> None:
        """Put a value where it belongs: the root, the end of a list, a key, or what a key stands for."""
        self._values += 1
        if self._values > self._most_values:
            raise TooManyValuesError
        if not self._stack:
            self._root = value
            return
        holder = self._stack[-1]
        if isinstance(holder.made, list):
            holder.lines[len(holder.made)] = mark.line
            if written is not None:
                holder.written[len(holder.made)] = written
            holder.made.append(value)
        elif not holder.has_key:
            self._take_key(holder, mark, value)
            if written is not None:
                holder.keys[value] = written
        elif holder.key is _Merge:
            holder.merged += _sources(value, mark)
            holder.has_key = False
        else:
            holder.made[holder.key] = value
            if written is not None:
                holder.written[holder.key] = written
            holder.has_key = False

    def _take_key(self, holder: _Open, mark: Any, key: Any) -> None:
        if isinstance(key, list | dict):
            raise ConstructorError(None, None, "found unhashable key", mark)
        if key in holder.made:
            raise DuplicateKeyError(None, None, f"found duplicate key {key!r}", mark)
        holder.key, holder.has_key = key, True
        if key is not _Merge:
            holder.lines[key] = mark.line


def _sources(value: Any, mark: Any) -> list[Any]:
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in sources):
        raise ConstructorError(None, None, "expected a mapping or a list of mappings for merging", mark)
    return sources


class _Scalars:
    """What scalars stand for. The same few words come again and again, so each is looked at once."""

    def __init__(self, version: Any) -> None:
        yaml = YAML(typ="rt")
        yaml.version = version
        self._resolver, self._constructor = yaml.resolver, yaml.constructor
        self._plain: dict[str, Any] = {}

    def of(self, event: ScalarEvent) -> Any:
        """The value of a scalar."""
        text: str = event.value
        if _NO_TEXT.search(text):
            raise UnreadableValueError(
                f"{quoted(text)} holds what no text may: a NUL, or half a character", event.start_mark.line
            )
        if event.tag is not None and event.tag != "!":
            return self._made(event.tag, text, event.start_mark)
        if not event.implicit[0]:
            return text
        if text not in self._plain:
            tag = str(self._resolver.resolve(ScalarNode, text, event.implicit))
            self._plain[text] = _Merge if tag == MERGE else self._made(tag, text, event.start_mark)
        return self._plain[text]

    def _made(self, tag: str, text: str, mark: Any) -> Any:
        if tag not in self._constructor.yaml_constructors:
            if tag == PLAIN_EQUALS:
                return text
            raise ConstructorError(None, None, f"unknown tag '{tag}'", mark)
        try:
            with warnings.catch_warnings(action="ignore"):  # of YAML 1.1, where 1e5 is no number
                value = self._constructor.construct_object(ScalarNode(Tag(suffix=tag), text, mark))
        except (ValueError, KeyError) as error:  # a month 13, a number of 5,000 digits
            raise UnreadableValueError(f"a value cannot be read: {error}", mark.line if mark else 0) from None
        for kind in KINDS:
            if isinstance(value, kind):
                return kind(value)
        return value
