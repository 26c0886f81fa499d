"""JSON messages to numbers in our units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from facility.errors import DriverError
from facility.profile import scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facility.protocols.mqtt_json import JsonPoint


def decode_json(points: Iterable[JsonPoint], topic: str, payload: bytes, *, unit: str = "{unit}") -> dict[str, float]:
    """What a message says, by ``quantity/channel``; what it does not say is absent.

    ``unit`` is the device's address, which stands for ``{unit}`` in the points' topics. Raises ``DriverError``
    if the payload is not JSON.
    """
    wanted = [point for point in points if point.topic_of(unit) == topic]
    if not wanted:
        return {}
    try:
        tree = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError) as error:
        raise DriverError(f"{topic}: not JSON: {error}") from None
    said = {point.name: _number(_find(tree, point.path), point) for point in wanted}
    return {name: value for name, value in said.items() if value is not None}


def _find(tree: Any, path: Sequence[str]) -> Any:
    """The node at a path of keys (or positions in lists); None if it is not there."""
    for key in path:
        if isinstance(tree, dict):
            tree = tree.get(key)
        elif isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return None
    return tree


def _number(node: Any, point: JsonPoint) -> float | None:
    """A finite number in the quantity's unit; strings count only if the profile gives them a meaning."""
    word = ("true" if node else "false") if isinstance(node, bool) else node
    if isinstance(word, str):
        plain = {"true": 1.0, "false": 0.0} if isinstance(node, bool) else {}
        return point.words.get(word, plain.get(word))
    if not isinstance(node, int | float):
        return None
    stated = point.words.get(str(node))
    try:
        value = scaled(node, point.scale) if stated is None else stated
    except OverflowError:  # a whole number beyond all floats
        return None
    return value if math.isfinite(value) else None
