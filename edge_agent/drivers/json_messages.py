"""JSON messages to numbers in our units."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from edge_agent.drivers.json_text import Unreadable, parse_json, shown
from facility.errors import DriverError
from facility.profile import scaled
from facility.quantities import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facility.protocols.mqtt_json import JsonPoint, TextNumber

_NUMBER = {mark: re.compile(rf"[+-]?[0-9]+(?:{re.escape(mark)}[0-9]+)?(?:[eE][+-]?[0-9]+)?") for mark in ".,"}
"""A number as text, by its decimal mark. What may be a mark of thousands is none: 1.234 or 1,234 is either."""


def decode_json(
    points: Iterable[JsonPoint],
    topic: str,
    payload: bytes,
    *,
    unit: str = "{unit}",
    unread: dict[str, str] | None = None,
) -> dict[str, float]:
    """What a message says, by ``quantity/channel``; what it does not say, or says to be null, is absent.

    ``unit`` is the device's address, which stands for ``{unit}`` in the points' topics. A value that is none of its
    point is absent too, and ``unread`` is told the field, what came and why. Raises ``DriverError`` if the payload is
    not JSON.
    """
    wanted = [point for point in points if point.topic_of(unit) == topic]
    if not wanted:
        return {}
    tree = parse_json(payload)
    if isinstance(tree, Unreadable) and any(point.path for point in wanted):
        raise DriverError("not JSON")
    said: dict[str, float] = {}
    for point in wanted:
        depth, node = _find(tree, point.path)
        try:
            if node is not None:
                said[point.name] = _value(node, point, point.path[depth:])
        except DriverError as error:
            if unread is not None:
                unread[point.name] = f"{'.'.join(point.path[:depth]) or 'the message'} is {shown(node)}: {error}"
    return said


def _find(tree: Any, path: Sequence[str]) -> tuple[int, Any]:
    """How far a path of keys (or positions in lists) leads, and the node there; None where there is nothing."""
    for depth, key in enumerate(path):
        if isinstance(tree, dict):
            rest = ".".join(path[depth:])
            if key not in tree and rest in tree:  # a key with dots of its own, such as 1-0:1.8.0
                return len(path), tree[rest]
            tree = tree.get(key)
        elif isinstance(tree, list) and key.isascii() and key.isdecimal():
            tree = tree[int(key)] if int(key) < len(tree) else None
        else:
            return depth, tree
    return len(path), tree


def _value(node: object, point: JsonPoint, rest: Sequence[str]) -> float:
    """A finite number in the quantity's unit. Raises ``DriverError`` with why there is none: nothing is guessed.

    ``rest`` is what of the point's path lies below the node. A message that is a bare word is its text.
    """
    if isinstance(node, Unreadable) and not point.path:
        node = node.came
    if isinstance(node, Unreadable):
        raise DriverError(node.why)
    if rest:
        raise DriverError(f"{'.'.join(rest)} is expected in it")
    if point.words:
        return _meaning(node, point.words)
    if isinstance(node, bool) and point.quantity.kind not in {Kind.STATE, Kind.EVENT}:
        raise DriverError(f"true and false are no {point.quantity.word}")
    number = _from_text(node, point.text) if isinstance(node, str) else node
    if not isinstance(number, int | float):
        raise DriverError("a number is expected")
    try:
        value = scaled(number, point.scale) + 0.0  # minus zero is zero
    except OverflowError:  # a whole number beyond all floats
        value = math.inf
    if not math.isfinite(value):
        raise DriverError("beyond all numbers")
    if point.quantity.kind is Kind.STATE and value not in {0, 1}:
        raise DriverError("neither 0 nor 1")
    return value


def _meaning(node: object, words: Mapping[str, float]) -> float:
    """What a word stands for; a number is the word that has its value."""
    if isinstance(node, bool):
        word = "true" if node else "false"
    elif isinstance(node, int | float):
        word = next((one for one in words if _NUMBER["."].fullmatch(one) and float(one) == node), "")
    else:
        word = node if isinstance(node, str) else ""
    if word not in words:
        raise DriverError(f"none of its words ({', '.join(words)})")
    return words[word]


def _from_text(text: str, form: TextNumber | None) -> float:
    """The number that a text holds, written as the profile says."""
    if form is None:
        raise DriverError("text, where a number is expected")
    number = text.strip()
    if not number.endswith(form.unit):
        raise DriverError(f"not in {form.unit}")
    number = number.removesuffix(form.unit).rstrip()
    if not _NUMBER[form.decimal].fullmatch(number):
        raise DriverError(f"no number with '{form.decimal}' as decimal mark")
    return float(number.replace(",", "."))
