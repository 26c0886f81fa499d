"""Points to few block reads: registers that lie close together are asked for at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facility.protocols.modbus.profile import (
        BlockGroup,
        ModbusProfile,
        PlacedPoint,
        RegisterTable,
    )


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """How long a block may be, and how many registers in a row it may read that nobody wants."""

    max_registers: int = 125
    max_gap: int = 8
    groups: tuple[BlockGroup, ...] = ()

    @classmethod
    def of(cls, profile: ModbusProfile) -> BlockLimits:
        """Those of a model."""
        return cls(profile.max_registers, profile.max_gap, profile.groups)

    def at(self, table: RegisterTable, address: int) -> tuple[BlockGroup | None, int, int]:
        """The group that an address is in, if in any, and the limits that hold there."""
        for group in self.groups:
            if group.table is table and group.first <= address <= group.last:
                return group, group.max_registers, group.max_gap
        return None, self.max_registers, self.max_gap


@dataclass(frozen=True, slots=True)
class Span:
    """One block read: ``count`` registers of a table from ``address``, and the points that lie in it."""

    table: RegisterTable
    address: int
    count: int
    points: tuple[PlacedPoint, ...]


def plan_spans(points: Iterable[PlacedPoint], limits: BlockLimits) -> tuple[tuple[Span, ...], ...]:
    """The reads that fetch all points: mostly one block each, and more for a point whose numbers lie far apart.

    A block never exceeds the limits of its group, and never reaches into another.
    """
    each = [_blocks(point, limits) for point in points]
    together = _joined([spans[0] for spans in each if len(spans) == 1], limits)
    return (*((span,) for span in together), *(spans for spans in each if len(spans) > 1))


def _blocks(point: PlacedPoint, limits: BlockLimits) -> tuple[Span, ...]:
    """The blocks that hold all numbers of one point."""
    return _joined([Span(r.table, r.address, r.count, (point,)) for r in point.registers], limits)


def _joined(spans: Sequence[Span], limits: BlockLimits) -> tuple[Span, ...]:
    """Blocks that lie close together as one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.table.value, one.address, one.count)):
        both = _both(joined[-1], span, limits) if joined else None
        if both is None:
            joined.append(span)
        else:
            joined[-1] = both
    return tuple(joined)


def _both(one: Span, next_: Span, limits: BlockLimits) -> Span | None:
    """Two blocks as one, or None if that would be too long, span too wide a gap, or reach into another group."""
    end = max(one.address + one.count, next_.address + next_.count)
    gap = next_.address - (one.address + one.count)
    group, max_registers, max_gap = limits.at(one.table, one.address)
    is_apart = next_.table is not one.table or limits.at(next_.table, next_.address)[0] is not group
    if is_apart or gap > max_gap or end - one.address > max_registers:
        return None
    points = {id(point): point for point in (*one.points, *next_.points)}
    return Span(one.table, one.address, end - one.address, tuple(points.values()))
