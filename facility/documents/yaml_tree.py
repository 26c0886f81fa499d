"""What a YAML text stands for, with the line of everything in it, and what was written where no text was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class YamlTree:
    """What a text stands for (None where it is empty), and by container and key or position the line (from 0).

    ``written`` has, by container and key or position, what stands there without quotes and was read as something else
    than text: ``00123456`` of the number 123456. ``written_keys`` has the same of keys.
    """

    root: Any
    lines: Mapping[int, dict[Any, int]]
    written: Mapping[int, Mapping[Any, str]]
    written_keys: Mapping[int, dict[Any, str]]

    def write_back(self, place: Sequence[str | int]) -> bool:
        """Put what is written at a place, or as the key there, into the tree; whether it was read as no text.

        A place is keys and positions from the root; the last may be ``[key]`` for the key before it.
        """
        *inside, last = place[:-1] if place[-1] == "[key]" else place
        node = self.root
        for step in inside:
            node = _below(node, step)
        if place[-1] == "[key]":
            return self._write_keys_back(node)
        text = self.written.get(id(node), {}).get(last)
        if text is not None:
            node[last] = text
        return text is not None

    def _write_keys_back(self, node: Any) -> bool:
        """All keys of a mapping as they are written, in their order."""
        keys = self.written_keys.get(id(node))
        if not keys:
            return False
        lines, pairs = self.lines[id(node)], [(key, keys.pop(key, key), node[key]) for key in list(node)]
        node.clear()
        for key, written, value in pairs:
            node[written], lines[written] = value, lines[key]
        return True


def _below(node: Any, step: str | int) -> Any:
    """What a key or a position stands for; None where there is no such thing."""
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
