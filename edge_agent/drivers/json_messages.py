"""JSON messages to numbers in our units."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge_agent.drivers.json_text import Unreadable, parse_json, shown
from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.json_values import Many, TimeForm
from facility.quantities import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facility.protocols.json_values import JsonPoint, TextNumber

_NUMBER = {mark: re.compile(rf"[+-]?[0-9]+(?:{re.escape(mark)}[0-9]+)?(?:[eE][+-]?[0-9]+)?") for mark in ".,"}
"""A number as text, by its decimal mark. What may be a mark of thousands is none: 1.234 or 1,234 is either."""


def decode_json(
    points: Iterable[JsonPoint],
    topic: str,
    payload: bytes,
    *,
    unit: str = "{unit}",
    unread: dict[str, str] | None = None,
    times: dict[str, int] | None = None,
) -> dict[str, float]:
    """What a message says, by ``quantity/channel``; what it does not say, or says to be null, is absent.

    ``unit`` is the device's address, which stands for ``{unit}`` in the points' topics. A value that is none of its
    point is absent too, and ``unread`` is told the field, what came and why. ``times`` is told when the message says
    that a value was true (UTC ms). Raises ``DriverError`` if the payload is not JSON.
    """
    wanted = [(point, path) for point in points if (path := point.path_on(topic, unit)) is not None]
    if not wanted:
        return {}
    tree = parse_json(payload)
    if isinstance(tree, Unreadable) and any(path for _, path in wanted):
        raise DriverError("not JSON")
    said: dict[str, float] = {}
    for point, path in wanted:
        depth, node = _find(tree, path)
        if isinstance(node, Unreadable) and not path:
            node = node.came
        try:
            if not _is_none(node, point):
                said[point.name] = _value(node, point, path[depth:])
        except DriverError as error:
            if unread is not None:
                unread[point.name] = f"{'.'.join(path[:depth]) or 'the message'} is {shown(node)}: {error}"
        if times is not None and point.time and point.name in said:
            when = time_of(_find(tree, point.time.path)[1], point.time.form)
            times.update({} if when is None else {point.name: when})
    return said


def time_of(node: object, form: TimeForm) -> int | None:
    """UTC ms of a time as a message writes it; None for what is none, or has no offset."""
    try:
        if form is not TimeForm.ISO:
            seconds = float(node) if isinstance(node, int | float | str) and not isinstance(node, bool) else math.nan
            return round(seconds * (1000 if form is TimeForm.UNIX_S else 1))
        instant = datetime.fromisoformat(node) if isinstance(node, str) else None
        return round(instant.timestamp() * 1000) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _is_none(node: object, point: JsonPoint) -> bool:
    """Whether a node says that there is no value: null, or what the profile says means it."""
    if isinstance(node, bool | list | dict):
        return False
    return node is None or any(node == one for one in point.none)


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

    ``rest`` is what of the point's path lies below the node.
    """
    if isinstance(node, Unreadable):
        raise DriverError(node.why)
    if rest:
        raise DriverError(f"{'.'.join(rest)} is expected in it")
    if point.many and isinstance(node, list):
        return _of_list(node, point)
    if point.words:
        return _meaning(node, point.words)
    if isinstance(node, bool) and point.quantity.kind not in {Kind.STATE, Kind.EVENT}:
        raise DriverError(f"true and false are no {point.quantity.word}")
    number = _from_text(node, point.text) if isinstance(node, str) else node
    if not isinstance(number, int | float):
        raise DriverError("a number is expected")
    return _scaled(number, point)


def _scaled(number: float, point: JsonPoint) -> float:
    try:
        value = scaled(number, point.scale) + point.offset + 0.0  # minus zero is zero
    except OverflowError:  # a whole number beyond all floats
        value = math.inf
    if not math.isfinite(value):
        raise DriverError("beyond all numbers")
    if point.quantity.kind is Kind.STATE and value not in {0, 1}:
        raise DriverError("neither 0 nor 1")
    return value


def _of_list(nodes: list[object], point: JsonPoint) -> float:
    """The sum of a list, or its last; a sum with a part that says nothing would be a smaller one, and is none."""
    if not nodes:
        raise DriverError("an empty list")
    counted = nodes if point.many is Many.SUM else nodes[-1:]
    if any(_is_none(node, point) or isinstance(node, list) for node in counted):
        raise DriverError("a part of it has no value")
    return math.fsum(_value(node, point, ()) for node in counted)


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
