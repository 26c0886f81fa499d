"""Which series a query means, in words that the server finds them by quickly.

To the server each tag that is asked for is a list of series to go through, and ``site`` or ``quantity`` list all of
an estate. So what many series have in common is said once, not once a series, and what tells them apart (the meter)
is said alone where that is enough; the few that are answered beside are passed over.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from stores.readings.influx.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Tags = Mapping[str, str]

MOST_GROUPS = 8
"""Combinations of tags beside the one that tells series apart."""


def among(points: Iterable[str]) -> str:
    """The condition that a reading is of one of the points; what is no point's id finds nothing."""
    meters: dict[tuple[str, str], list[str]] = defaultdict(list)
    for point in points:
        meter, quantity, channel = [*point.split("/", 2), "", ""][:3]
        meters[quantity, channel].append(meter)
    asked = (
        f"(quantity = {quoted(quantity)} AND channel = {quoted(channel)} AND {_one_of('meter', some)})"
        for (quantity, channel), some in meters.items()
    )
    return f"({' OR '.join(asked)})"


def about(some: Sequence[Tags]) -> str:
    """A condition that holds for every series whose tags include one of ``some``, and for few others; "" for all.

    ``is_one_of`` tells the others.
    """
    if not all(some):
        return ""
    names = some[0].keys()
    if any(tags.keys() != names for tags in some):
        return _any_of(_all_of(tags) for tags in some)
    values = {name: {tags[name] for tags in some} for name in names}
    apart = max(names, key=lambda name: len(values[name]))
    said = [name for name in names if len(values[name]) == 1 and name != apart]
    for name in sorted(values.keys() - {*said, apart}, key=lambda name: len(values[name])):
        if len({tuple(tags[one] for one in (*said, name)) for tags in some}) <= MOST_GROUPS:
            said.append(name)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for tags in some:
        groups[tuple(tags[name] for name in said)].append(tags[apart])
    return _any_of(
        " AND ".join([_one_of(apart, those), *(f'"{name}" = {quoted(v)}' for name, v in zip(said, group, strict=True))])
        for group, those in groups.items()
    )


def is_one_of(some: Sequence[Tags]) -> Callable[[Tags], bool]:
    """Whether the tags of a series include one of ``some``."""
    wanted: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for tags in some:
        wanted[tuple(tags)].add(tuple(tags.values()))

    def is_wanted(series: Tags) -> bool:
        return any(tuple(series.get(name, "") for name in names) in values for names, values in wanted.items())

    return is_wanted


def _one_of(name: str, values: Iterable[str]) -> str:
    return _any_of(f'"{name}" = {quoted(value)}' for value in dict.fromkeys(values))


def _all_of(tags: Tags) -> str:
    return " AND ".join(f'"{name}" = {quoted(value)}' for name, value in tags.items())


def _any_of(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(f'({one})' for one in conditions)})"
