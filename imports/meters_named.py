"""Which meter, and which of its points, a table means: by id, serial number or name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from facility.quantities import BY_WORD
from imports.faults import FaultKind, TableFault
from imports.units import factor_of, units_allowed

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.model import Point

MOST_NEAR = 3


class MetersNamed:
    """The meters of an estate by whatever people call them. An id wins over a serial number, that over a name."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._ids: dict[str, set[str]] = {}
        for names in (
            lambda meter: (meter.id,),
            lambda meter: (meter.serial,),
            lambda meter: (meter.name.en, meter.name.zh),
        ):
            found: dict[str, set[str]] = {}
            for meter in catalogue.meters:
                for name in filter(None, map(_plain, names(meter))):
                    found.setdefault(name, set()).add(meter.id)
            self._ids = found | self._ids

    def called(self, text: str) -> str | None:
        """The one meter of that name; None for no meter, or several."""
        found = self._ids.get(_plain(text), set())
        return next(iter(found)) if len(found) == 1 else None

    def fault(self, row: int, column: str, text: str) -> TableFault:
        """What is wrong with a name that is no meter's, or several meters'."""
        if several := self._ids.get(_plain(text)):
            return TableFault(
                row, column, FaultKind.METER_NAMED_TWICE, {"said": text, "allowed": ", ".join(sorted(several))}
            )
        near = get_close_matches(_plain(text), self._ids, MOST_NEAR)
        allowed = ", ".join(near) or ", ".join(sorted(one.id for one in self._catalogue.meters)[:MOST_NEAR])
        return TableFault(row, column, FaultKind.METER_UNKNOWN, {"said": text, "allowed": allowed})

    def point(self, meter: str, quantity: str, row: int, column: str) -> Point | TableFault:
        """The point of a meter that a reading is of: as said, else what its use is accounted by, else its only one."""
        points = self._catalogue.points_of(meter)
        allowed = ", ".join(dict.fromkeys(point.quantity.word for point in points))
        if quantity:
            word = BY_WORD.get(quantity.strip().lower())
            named = next((point for point in points if point.quantity is word), None)
            params = {"said": quantity, "meter": meter, "allowed": allowed}
            return _graded(named, row, column) if named else TableFault(row, column, FaultKind.QUANTITY_UNKNOWN, params)
        chosen = self._catalogue.accounted_point(self._catalogue.meter[meter])
        counters = [point for point in points if point.quantity.is_counter]
        only = next((some[0] for some in (counters, points) if len(some) == 1), None)
        if chosen or only:
            return _graded(chosen or only, row, column)
        return TableFault(row, column, FaultKind.QUANTITY_OPEN, {"meter": meter, "allowed": allowed})


def factor_in(unit: str, point: Point, row: int, column: str) -> float | TableFault:
    """By what a number in a unit is multiplied to be one of a point."""
    factor = factor_of(unit, point.quantity)
    if factor is not None:
        return factor
    params = {"said": unit, "quantity": point.quantity.word, "allowed": ", ".join(units_allowed(point.quantity))}
    return TableFault(row, column, FaultKind.UNIT_UNKNOWN, params)


def _graded(point: Point | None, row: int, column: str) -> Point | TableFault:
    assert point is not None
    return point if point.level else TableFault(row, column, FaultKind.NO_LEVEL, {"point": point.id})


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
