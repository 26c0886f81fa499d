"""InfluxDB's CSV answers as columns: no table library in between, and no guess about a missing number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from facility.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stores.readings.port import Values

CUT_SHORT = "InfluxDB's answer was cut short"

_QUOTED = re.compile(rb'"((?:[^"]|"")*)",')
_TAG = re.compile(r"((?:[^\\,=]|\\.)+)=((?:[^\\,]|\\.)*)")
_ESCAPE = re.compile(r"\\(.)")

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """One series of an answer: its tags, and a column (n,) per field and for ``time``, NaN where absent."""

    tags: Mapping[str, str]
    columns: Mapping[str, Values]


def tables(body: bytes) -> Iterator[AnswerTable]:
    """The series of one statement's answer. Raises ``StoreUnavailable`` for an answer that is none."""
    if not body:
        return
    head, _, rows = body.partition(b"\n")
    names = head.decode().strip().split(",")
    if names[:3] != ["name", "tags", "time"]:
        raise StoreUnavailable(f"InfluxDB answered a query with {body[:200]!r}")
    if not rows.endswith(b"\n"):
        raise StoreUnavailable(CUT_SHORT)
    at = 0
    while at < len(rows):
        prefix, tags = _series_at(rows, at)
        end = _end_of_series(rows, prefix, at)
        yield AnswerTable(tags, dict(zip(names[2:], _numbers(rows[at:end], prefix, len(names) - 2), strict=True)))
        at = end


def _series_at(rows: bytes, at: int) -> tuple[bytes, dict[str, str]]:
    """What each line of the series begins with, and its tags."""
    begin = rows.find(b",", at) + 1
    if quoted := _QUOTED.match(rows, begin):
        text, end = quoted[1].replace(b'""', b'"'), quoted.end()
    else:
        end = rows.find(b",", begin) + 1
        text = rows[begin : end - 1]
    return rows[at:end], tags_in(text.decode())


def tags_in(text: str) -> dict[str, str]:
    """The tags of a series as InfluxDB writes them."""
    return {_ESCAPE.sub(r"\1", tag[1]): _ESCAPE.sub(r"\1", tag[2]) for tag in _TAG.finditer(text)}


def _end_of_series(rows: bytes, prefix: bytes, at: int) -> int:
    """The lines of a series stand together, so its last one is found by halving."""
    last, end = at, len(rows)
    while last < end - 1:
        middle = (last + end) // 2
        line = rows.find(b"\n", middle) + 1
        if line and rows.startswith(prefix, line):
            last = line
        else:
            end = middle
    return rows.find(b"\n", last) + 1


def _numbers(lines: bytes, prefix: bytes, width: int) -> list[Values]:
    """Lines of numbers as columns; a number that is not there is NaN, a truth is 1."""
    text = lines.replace(b"\n" + prefix, b",")[len(prefix) : -1]
    while b",," in text:
        text = text.replace(b",,", b",null,")
    if text.endswith(b","):
        text += b"null"
    # The JSON decoder reads long numbers twice as fast as numpy does: 100,000 rows in some 20 ms.
    try:
        numbers = np.array(_decode(b"[" + text + b"]"), np.float64)
    except (msgspec.DecodeError, TypeError, ValueError):
        raise StoreUnavailable(CUT_SHORT) from None
    if len(numbers) != width * lines.count(b"\n"):
        raise StoreUnavailable(CUT_SHORT)
    return [np.ascontiguousarray(column) for column in numbers.reshape(-1, width).T]
