"""Points to few block reads: registers that lie close together are asked for at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.protocols.modbus.profile import RegisterPoint, RegisterTable


@dataclass(frozen=True, slots=True)
class Span:
    """One block read: ``count`` registers of a table from ``address``, and the points that lie in it."""

    table: RegisterTable
    address: int
    count: int
    points: tuple[RegisterPoint, ...]


def plan_spans(points: Iterable[RegisterPoint], *, max_registers: int = 125, max_gap: int = 8) -> tuple[Span, ...]:
    """The block reads that fetch all points, by table and address.

    A span never exceeds ``max_registers`` and never reads more than ``max_gap`` unwanted registers in a row.
    """
    spans: list[Span] = []
    for point in sorted(points, key=lambda p: (p.table.value, p.address, p.coding.registers)):
        last = spans[-1] if spans else None
        if last is not None and (joined := _joined(last, point, max_registers, max_gap)) is not None:
            spans[-1] = joined
        else:
            spans.append(Span(point.table, point.address, point.coding.registers, (point,)))
    return tuple(spans)


def _joined(span: Span, point: RegisterPoint, max_registers: int, max_gap: int) -> Span | None:
    """The span with one more point, or None if that would make it too long or span too wide a gap."""
    end = max(span.address + span.count, point.address + point.coding.registers)
    gap = point.address - (span.address + span.count)
    if point.table is not span.table or gap > max_gap or end - span.address > max_registers:
        return None
    return Span(span.table, span.address, end - span.address, (*span.points, point))
