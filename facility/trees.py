"""The two dated trees: where a meter stands (building, floor, room), and whose it is (department, division)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.stated import Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from facility.catalogue import Catalogue
    from facility.model import Meter
    from facility.stated import Membership


@dataclass(frozen=True)
class Trees:
    """Both trees of an estate as they stand on a local day."""

    estate: Catalogue
    day: date

    def spaces_of(self, meter: Meter) -> tuple[str, ...]:
        """The spaces in which a meter stands, from the outermost to its own; none where nobody said."""
        own = self._held("space").get((Member.METER, meter.id), meter.space)
        return tuple(reversed([*self._up("space", Member.SPACE, own)]))

    def departments_of(self, meter: Meter) -> tuple[str, ...]:
        """The departments whose a meter is, from the topmost to its own.

        Its own is that of the meter, else of the nearest of its spaces that has one, else of its building.
        """
        held = self._held("department")
        places = [(Member.METER, meter.id), *((Member.SPACE, one) for one in reversed(self.spaces_of(meter)))]
        own = next((held[place] for place in places if place in held), "")
        own = own or held.get((Member.BUILDING, meter.building), self.estate.building[meter.building].department)
        return tuple(reversed([*self._up("department", Member.DEPARTMENT, own)]))

    def found(self, space: str = "", department: str = "") -> tuple[Meter, ...]:
        """The meters of a space and of a department; of what is not said, all.

        Raises ``ConfigError`` for one that the estate does not have.
        """
        known = {"space": [*self.estate.space], "department": [one.id for one in self.estate.departments]}
        for field, said in (("space", space), ("department", department)):
            if said and said not in known[field]:
                raise ConfigError(Problem(field, f"unknown {field} '{said}'", ", ".join(known[field]) or "none"))
        chosen = self.meters_in(space) if space else self.estate.meters
        own = {one.id for one in self.meters_of(department)} if department else set()
        return tuple(one for one in chosen if not department or one.id in own)

    def meters_in(self, space: str) -> tuple[Meter, ...]:
        """The meters that stand in a space, or in one below it."""
        return tuple(meter for meter in self.estate.meters if space in self.spaces_of(meter))

    def meters_of(self, department: str) -> tuple[Meter, ...]:
        """The meters of a department, or of one below it."""
        return tuple(meter for meter in self.estate.meters if department in self.departments_of(meter))

    def departments_below(self, department: str) -> frozenset[str]:
        """A department, and each below it."""
        return frozenset(
            {
                one.id
                for one in self.estate.departments
                if department in self._up("department", Member.DEPARTMENT, one.id)
            }
            | {department}
        )

    def buildings_of(self, department: str) -> frozenset[str]:
        """The buildings of a department, or of one below it."""
        below, held = self.departments_below(department), self._held("department")
        return frozenset(
            one.id for one in self.estate.buildings if held.get((Member.BUILDING, one.id), one.department) in below
        )

    def _up(self, tree: str, member: Member, own: str) -> Iterator[str]:
        """A space or department, and each above it. What would stand below itself is refused where it is written."""
        held, seen = self._held(tree), set[str]()
        while own and own not in seen:
            seen.add(own)
            yield own
            own = held.get((member, own), "")

    def _held(self, tree: str) -> Mapping[tuple[Member, str], str]:
        return self._spaces if tree == "space" else self._departments

    @cached_property
    def _spaces(self) -> Mapping[tuple[Member, str], str]:
        return self._newest("space")

    @cached_property
    def _departments(self) -> Mapping[tuple[Member, str], str]:
        return self._newest("department")

    def _newest(self, tree: str) -> dict[tuple[Member, str], str]:
        """What each belongs to on the day: the newest membership that has begun."""
        begun = [one for one in self.estate.stated.memberships if getattr(one, tree) and one.valid_from <= self.day]
        return {(one.member, one.id): getattr(one, tree) for one in sorted(begun, key=_since)}


def _since(one: Membership) -> date:
    return one.valid_from
