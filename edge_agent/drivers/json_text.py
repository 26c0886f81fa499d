"""JSON as devices write it: what is no JSON costs its own value, not the message around it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from facility.errors import DriverError, visible

MOST_DIGITS = 400
"""Of a whole number: more than the greatest float has."""

_STRING, _WORD = r'"(?:[^"\\]|\\.)*+"?', r'[^\s"{}\[\],:][^\s"{}\[\],]*+'
_WORDS = rf"{_WORD}(?:[ \t]++{_WORD})*+"
_OF_KEY = rf"(?<=:)\s*+{_WORDS}(?:,(?=[0-9]){_WORDS})*+"
"""What stands after a key: there a comma before a digit is a decimal comma, for what follows a comma is a key."""

_NOTHING, _LAST_COMMA = r"(?<=:)\s*+(?=[,}])|(?<=[\[,])\s*+(?=,)", r",(?=\s*+[}\]])"
_TOKENS = re.compile(rf"{_STRING}|{_OF_KEY}|{_WORDS}|{_LAST_COMMA}|{_NOTHING}", re.DOTALL)
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""RFC 8259, sections 3 and 6: whatever else stands outside of strings is no JSON."""

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where a value should: as it came, and why it is none."""

    came: str
    why: str

    def __str__(self) -> str:
        return self.came


def parse_json(payload: bytes) -> Any:
    """The tree of a message, with an ``Unreadable`` in the place of every value that JSON does not know.

    Such are ``NaN``, ``nan``, ``1.#INF``, ``007``, ``5 W``, ``840,5``, ``12:30`` or nothing at all, a number beyond all
    floats, and what an object says twice and differently. Raises ``DriverError`` where the message as a whole is no
    JSON.
    """
    words: list[str] = []
    text = _TOKENS.sub(lambda match: _as_json(match[0], words), _text(payload))
    strangers = iter(words)
    try:
        return json.loads(
            text,
            strict=False,  # a line break or a NUL inside a string
            parse_constant=lambda _: Unreadable(next(strangers), "that is not JSON"),
            parse_int=_whole,
            parse_float=_decimal,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError, MemoryError) as error:
        raise DriverError(f"not JSON: {error}") from None


def _text(payload: bytes) -> str:
    """A byte that is no UTF-8 spoils the string that it stands in; a NUL after the end is how C ends a text.

    UTF-16 and UTF-32 are known by their byte order mark, or by where their zeros stand (RFC 4627, section 3).
    """
    return payload.decode(json.detect_encoding(payload), "replace").strip("\0 \t\r\n")


def _as_json(found: str, words: list[str]) -> str:
    """A string or a literal as it is; anything else is put aside, with a constant in its place.

    A comma after the last of a list says nothing, nor does a backslash that escapes nothing.
    """
    if found.startswith('"'):
        return _ESCAPE.sub(lambda escape: escape[0] if len(escape[0]) > 1 else r"\\", found)
    if _LITERAL.fullmatch(found.strip()):
        return found
    if found == "," or (found and not found.strip(_BOM)):
        return " "
    words.append(found.strip() or "nothing")
    return "NaN"


def _whole(digits: str) -> int | Unreadable:
    return int(digits) if len(digits) <= MOST_DIGITS else Unreadable(digits, "beyond all numbers")


def _decimal(digits: str) -> float | Unreadable:
    value = float(digits)
    return value if abs(value) < float("inf") else Unreadable(digits, "beyond all numbers")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values is true, nobody knows."""
    said: dict[str, Any] = {}
    for key, value in pairs:
        twice = key in said and (type(said[key]), said[key]) != (type(value), value)
        said[key] = Unreadable(" and ".join(map(shown, (said[key], value))), "written twice") if twice else value
    return said


def shown(node: object, most: int = 60) -> str:
    """A node in one short line, fit for every log and status."""
    text = str(node) if isinstance(node, Unreadable) else json.dumps(node, ensure_ascii=False, default=str)
    return visible(text, most)
