"""A roster as a table (CSV): who can do what and where, shifts, and days off; one row says any of them.

Columns, by their names in the first row: ``name``; ``rank``, ``skills``, ``places``, ``most_a_day`` say who somebody is
(words with blanks or semicolons between); ``begins`` and ``ends`` are a shift, local; ``off`` is a day off.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from facility.errors import ConfigError, MeterhouseError, Problem, quoted
from facility.order import Skill, parse_skill
from facility.person_name import person_name
from facility.wall_time import written_instant
from stores.records.roster.roster import DayOff
from stores.records.roster.worker import MOST_A_DAY, Rank, Worker, WorkShift

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from zoneinfo import ZoneInfo

COLUMNS = ("name", "rank", "skills", "places", "most_a_day", "begins", "ends", "off")
MOST_ROWS = 10_000
_ABOUT_SOMEBODY = ("rank", "skills", "places", "most_a_day")


@dataclass(frozen=True, slots=True)
class RosterTable:
    """What a table says."""

    workers: list[Worker] = field(default_factory=list)
    shifts: list[WorkShift] = field(default_factory=list)
    off: list[DayOff] = field(default_factory=list)


def read_roster(content: bytes, file: str, zone: ZoneInfo, known: Collection[str]) -> RosterTable:
    """Read a table whole; ``known`` are the names of open accounts.

    Raises ``ConfigError`` with every wrong row, by file and line: nothing of a table is taken by halves.
    """
    reader = csv.DictReader(io.StringIO(_text(content, file)), skipinitialspace=True)
    columns = [str(one).strip() for one in reader.fieldnames or []]
    if "name" not in columns or set(columns) - set(COLUMNS):
        raise ConfigError(Problem(f"{file}:1", "these are no columns of a roster", ", ".join(COLUMNS)))
    reader.fieldnames = columns
    table, problems = RosterTable(), list[Problem | str]()
    for row in reader:
        where = f"{file}:{reader.line_num}"
        if reader.line_num > MOST_ROWS:
            raise ConfigError(Problem(where, "the table is too long", f"{MOST_ROWS:,} rows"))
        try:
            _take(
                table, {key: (value or "").strip() for key, value in row.items() if key in COLUMNS}, where, zone, known
            )
        except ConfigError as error:
            problems += error.problems
        except (MeterhouseError, ValueError) as error:
            problems.append(Problem(where, getattr(error, "detail", "") or str(error)))
    if problems:
        raise ConfigError(*problems)
    return table


def _take(table: RosterTable, row: Mapping[str, str], where: str, zone: ZoneInfo, known: Collection[str]) -> None:
    name = person_name(row["name"])
    if name not in known:
        raise ConfigError(
            Problem(where, f"there is no account of {quoted(name)}", "a name of 'meterhouse people list'")
        )
    if any(row.get(column) for column in _ABOUT_SOMEBODY):
        table.workers.append(_worker(name, row, where))
    if row.get("begins") or row.get("ends"):
        shift = WorkShift(name, *(written_instant(where, row.get(column, ""), zone) for column in ("begins", "ends")))
        shift.check()
        table.shifts.append(shift)
    if row.get("off"):
        table.off.append(DayOff(name, date.fromisoformat(row["off"])))


def _worker(name: str, row: Mapping[str, str], where: str) -> Worker:
    most = row.get("most_a_day") or str(MOST_A_DAY)
    rank = row.get("rank") or Rank.WORKER.value
    if rank not in set(Rank):
        raise ConfigError(Problem(where, f"there is no rank {quoted(rank)}", ", ".join(Rank)))
    if not most.isdecimal():
        raise ConfigError(Problem(where, f"{quoted(most)} is no number of orders a day", "a whole number"))
    skills = frozenset(parse_skill(word) for word in _words(row.get("skills", "")))
    return Worker(
        name, skills or frozenset({Skill.GENERAL}), frozenset(_words(row.get("places", ""))), Rank(rank), int(most)
    )


def _words(text: str) -> list[str]:
    return [one for one in re.split(r"[\s;,]+", text) if one]


def _text(content: bytes, file: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(Problem(file, "is no text", "CSV in UTF-8 or GB 18030"))
