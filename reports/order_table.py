"""Work orders as a table (CSV), for a site's own maintenance system: out whole, and back in with news."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem, quoted
from facility.order import OrderState
from reports.csv_cell import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from facility.order import WorkOrder
    from stores.access.exports import Taken

COLUMNS = (
    *("id", "state", "severity", "building", "space", "meter", "skill", "title", "note", "alert", "assignee"),
    *("created_at", "due_at", "accepted_at", "arrived_at", "ended_at", "parts", "cost", "signed_by", "rating"),
    *("level", "export"),
)
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What another system says of an order; None and empty: nothing."""

    id: int
    state: OrderState | None = None
    assignee: str = ""
    parts: str = ""
    cost: float | None = None
    signed_by: str = ""


def order_csv(orders: Iterable[WorkOrder], taken: Taken) -> str:
    """One row for each order; instants in UTC, words as they are in the JSON of commands.

    Each says the level of the whole, and by which id it stands in the audit trail.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for one in orders:
        lines.writerow([csv_cell(str(cell)) for cell in (*_cells(one), taken.level.word, taken.id)])
    return text.getvalue()


def read_news(content: bytes, file: str) -> list[OrderNews]:
    """What a table says became of orders: its columns ``id`` and any of state, assignee, parts, cost, signed_by.

    Raises ``ConfigError`` with every wrong row, by file and line.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(Problem(file, "is no table", "CSV in UTF-8")) from None
    if "id" not in (reader.fieldnames or []) or len(rows) > MOST_ROWS:
        raise ConfigError(Problem(f"{file}:1", "these are no work orders", f"a column id, at most {MOST_ROWS:,} rows"))
    found, problems = [], []
    for line, row in rows:
        try:
            found.append(_news({key: (value or "").strip() for key, value in row.items() if isinstance(value, str)}))
        except ValueError as error:
            problems.append(Problem(f"{file}:{line}", str(error)))
    if problems:
        raise ConfigError(*problems)
    return found


def _news(row: dict[str, str]) -> OrderNews:
    if not row["id"].isdecimal():
        raise ValueError(f"{quoted(row['id'])} is no number of a work order")
    word = row.get("state", "")
    if word and word not in set(OrderState):
        raise ValueError(f"there is no state {quoted(word)} ({', '.join(OrderState)})")
    cost = float(row["cost"]) if row.get("cost") else None
    if cost is not None and not 0 <= cost < 1e9:  # noqa: PLR2004 - a sum of money
        raise ValueError(f"{quoted(row['cost'])} is no cost")
    state = OrderState(word) if word else None
    return OrderNews(
        int(row["id"]), state, row.get("assignee", ""), row.get("parts", ""), cost, row.get("signed_by", "")
    )


def _cells(one: WorkOrder) -> Iterable[object]:
    wish, place, work = one.wish, one.wish.place, one.work
    yield from (one.id, one.state, wish.severity.word, place.building, place.space, place.meter, wish.skill)
    yield from (wish.title, wish.note, wish.alert or "", one.assignee)
    yield from (_instant(at) for at in (one.created_at, one.due_at, one.accepted_at, one.arrived_at, one.ended_at))
    yield from (work.parts, "" if work.cost is None else work.cost, work.signed_by, one.rating or "")


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
