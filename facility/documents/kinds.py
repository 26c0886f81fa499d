"""What the fields of a document are made of, and what may not be taken for it though it could be."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel


@cache
def kinds_of(model: type[BaseModel]) -> dict[str, frozenset[Any]]:
    """What the values of each field are made of, below all lists and mappings."""
    return {name: frozenset(_leaves(one.annotation)) for name, one in model.model_fields.items()}


def _leaves(annotation: Any) -> Iterator[Any]:
    args = get_args(annotation)
    if get_origin(annotation) in {dict, Annotated}:
        yield from _leaves(args[1] if get_origin(annotation) is dict else args[0])
    elif args and get_origin(annotation) is not Literal:
        for one in args:
            yield from _leaves(one)
    elif annotation is not type(None):
        yield annotation


def untaken(value: object, kinds: frozenset[Any]) -> object:
    """A value in such a form that it is refused where it only could be taken for one of these kinds."""
    if isinstance(value, list):
        return [untaken(one, kinds) for one in value]
    if isinstance(value, dict):
        return {key: untaken(one, kinds) for key, one in value.items()}
    if kinds and isinstance(value, bool) and kinds <= {int, float}:
        return str(value).lower()
    if kinds and kinds <= {dt.date, dt.datetime} and (isinstance(value, int | float) or _is_number(value)):
        return f"the number {value}"
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdecimal()
