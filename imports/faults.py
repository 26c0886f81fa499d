"""What may be wrong with a table that somebody hands in: a closed vocabulary, worded for each reader at last."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any


@unique
class FaultKind(StrEnum):
    """What is wrong; ``import.fault.<kind>`` is its text in every catalogue."""

    NOT_TEXT = "not_text"
    NOT_A_TABLE = "not_a_table"
    NO_SHEET = "no_sheet"
    QUOTE_OPEN = "quote_open"
    NO_ROWS = "no_rows"
    TOO_MANY_ROWS = "too_many_rows"
    ROW_SHORT = "row_short"
    ROW_LONG = "row_long"
    NO_COLUMN = "no_column"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_TWICE = "column_twice"
    WISH_UNKNOWN = "wish_unknown"
    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    DECIMAL_OPEN = "decimal_open"
    NOT_A_TIME = "not_a_time"
    DATE_ORDER_OPEN = "date_order_open"
    TIME_SKIPPED = "time_skipped"
    IN_FUTURE = "in_future"
    BEFORE_2000 = "before_2000"
    METER_UNKNOWN = "meter_unknown"
    METER_NAMED_TWICE = "meter_named_twice"
    QUANTITY_UNKNOWN = "quantity_unknown"
    QUANTITY_OPEN = "quantity_open"
    NO_LEVEL = "no_level"
    NO_USE = "no_use"
    UNIT_UNKNOWN = "unit_unknown"
    OUT_OF_RANGE = "out_of_range"
    BELOW_ZERO = "below_zero"
    TWICE = "twice"
    STORED_OTHERWISE = "stored_otherwise"
    PERIOD_OPEN = "period_open"
    ENDS_EARLY = "ends_early"
    OVERLAPS = "overlaps"
    LEAVES_OUT = "leaves_out"
    ACROSS_DEVICES = "across_devices"
    READ_WITHIN = "read_within"
    NOT_JOINED_BEFORE = "not_joined_before"
    NOT_JOINED_AFTER = "not_joined_after"
    BELOW_REGISTER = "below_register"
    ENDS_DIFFER = "ends_differ"
    HEADER_TWICE = "header_twice"
    WORD_UNKNOWN = "word_unknown"
    NOT_OF_KIND = "not_of_kind"
    SAID_OTHERWISE = "said_otherwise"
    NOT_HERE = "not_here"
    AS_TOLD = "as_told"


@dataclass(frozen=True, slots=True)
class TableFault:
    """One thing to change in a table: its row as a spreadsheet counts (0: the whole), its column, and what is wrong.

    ``params`` are typed: instants, numbers, words; ``allowed`` is one of them where there is something to say.
    """

    row: int
    column: str
    kind: FaultKind
    params: dict[str, Any] = field(default_factory=dict)


class TableError(Exception):
    """A table that cannot be read at all. Holds the faults."""

    def __init__(self, *faults: TableFault) -> None:
        """Hold them."""
        self.faults = faults
        super().__init__(", ".join(fault.kind for fault in faults))


def whole(kind: FaultKind, column: str = "", **params: Any) -> TableFault:
    """A fault of the whole table, or of a whole column."""
    return TableFault(0, column, kind, params)
