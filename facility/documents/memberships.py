"""Reads the two dated trees of a site.yaml, and who bears the bills of its buildings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from facility.model import MeterRole
from facility.so_many import so_many
from facility.stated import AllocationRule, FigureKind, Member, Membership, RestBy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from facility.documents.part import Document
    from facility.documents.site_schema import SiteDocument
    from facility.documents.stated_schema import AllocationPart, MembershipPart

OF_SPACE = frozenset({Member.SPACE, Member.METER})
"""What may stand in a space."""

_ONE = 1e-9
"""Fixed shares may miss one by so much, and by no more."""


def read_memberships(document: Document, body: SiteDocument) -> tuple[Membership, ...]:
    """Who belongs where since when; unknown names, things that belong to themselves and two at once are reported."""
    known = _known(body)
    seen: set[tuple[object, ...]] = set()
    for i, part in enumerate(body.memberships):
        _check_membership(document, i, part, known)
        tree = "space" if part.space else "department"
        key = part.member, part.id, tree, part.valid_from
        if key in seen:
            what = f"{part.member} {part.id} belongs to two {tree}s from {part.valid_from} on"
            document.report(("memberships", i), what, "one at a time")
        seen.add(key)
    found = tuple(Membership(p.member, p.id, p.valid_from, p.department, p.space) for p in body.memberships)
    _check_circles(document, found)
    return found


def _known(body: SiteDocument) -> Mapping[Member, Sequence[str]]:
    return {
        Member.DEPARTMENT: [one.id for one in body.departments],
        Member.BUILDING: [one.id for one in body.buildings],
        Member.SPACE: [space.id for one in body.buildings for space in one.spaces],
        Member.METER: [one.id for one in body.meters],
    }


def _check_membership(document: Document, i: int, part: MembershipPart, known: Mapping[Member, Sequence[str]]) -> None:
    if part.id not in known[part.member]:
        document.report(("memberships", i, "id"), f"unknown {part.member} '{part.id}'", known[part.member] or "none")
    if bool(part.department) == bool(part.space):
        said = "both a department and a space" if part.space else "neither a department nor a space"
        document.report(("memberships", i), f"names {said}", "department, space: one of them")
    if part.space and part.member not in OF_SPACE:
        document.report(("memberships", i, "space"), f"a {part.member} stands in no space", "department")
    for field, of in (("department", Member.DEPARTMENT), ("space", Member.SPACE)):
        name = getattr(part, field)
        if name and name not in known[of]:
            document.report(("memberships", i, field), f"unknown {field} '{name}'", known[of] or "none")


def _check_circles(document: Document, found: Sequence[Membership]) -> None:
    """Report a department or space that would stand below itself on some day."""
    for i, one in enumerate(found):
        tree = "space" if one.space else "department"
        if one.member != tree:
            continue
        seen, above = {one.id}, getattr(one, tree)
        while above and above not in seen:
            seen.add(above)
            above = _above(found, tree, above, one.valid_from)
        if above:
            document.report(("memberships", i), f"{tree} {one.id} would stand below itself from {one.valid_from} on")


def _above(found: Sequence[Membership], tree: str, member: str, day: date) -> str:
    """To what a department or space of this id belongs on a day; empty: to nothing."""
    held = [m for m in found if m.member == tree and m.id == member and getattr(m, tree) and m.valid_from <= day]
    return getattr(max(held, key=lambda m: m.valid_from), tree) if held else ""


def read_allocations(document: Document, body: SiteDocument) -> tuple[AllocationRule, ...]:
    """Who bears bills since when; shares that are not one, unknown names and two rules at once are reported."""
    seen: dict[object, int] = defaultdict(int)
    for i, part in enumerate(body.allocations):
        seen[part.building, part.utility, part.valid_from] += 1
        if seen[part.building, part.utility, part.valid_from] > 1:
            what = f"two allocations of {part.building} begin on {part.valid_from}"
            document.report(("allocations", i, "valid_from"), what, "one for a building and utility at a time")
        _check_named(document, i, part, body)
        _check_shares(document, i, part)
        _check_figures(document, i, part, body)
    return tuple(
        AllocationRule(
            part.building, part.valid_from, part.basis, part.rest, _shares(part), tuple(part.meters), part.utility
        )
        for part in body.allocations
    )


def _shares(part: AllocationPart) -> tuple[tuple[str, float | None], ...]:
    fixed = len(part.shares) == len(part.departments)
    return tuple((name, part.shares[i] if fixed else None) for i, name in enumerate(part.departments))


def _check_named(document: Document, i: int, part: AllocationPart, body: SiteDocument) -> None:
    if part.building not in (buildings := [one.id for one in body.buildings]):
        document.report(("allocations", i, "building"), f"unknown building '{part.building}'", buildings)
    departments = [one.id for one in body.departments]
    for j, name in enumerate(part.departments):
        if name not in departments:
            document.report(("allocations", i, "departments", j), f"unknown department '{name}'", departments or "none")
        if name in part.departments[:j]:
            document.report(("allocations", i, "departments", j), f"department '{name}' stands twice", "once")
    own = {one.id: one for one in body.meters if one.building == part.building}
    assigned = {one.id for one in body.memberships if one.member is Member.METER and one.department}
    for j, name in enumerate(part.meters):
        meter = own.get(name)
        if meter is None:
            document.report(("allocations", i, "meters", j), f"unknown meter '{name}'", own or "none in the building")
        elif meter.role is not MeterRole.SUB:
            what = f"meter '{name}' is a {meter.role} meter"
            document.report(("allocations", i, "meters", j), what, "meters of role sub: parts of the building's use")
        elif name not in assigned:
            what = f"meter '{name}' belongs to no department"
            document.report(("allocations", i, "meters", j), what, "a membership of the meter in a department")


def _check_figures(document: Document, i: int, part: AllocationPart, body: SiteDocument) -> None:
    """Report a department whose area or heads a rule needs and nobody states for its first day."""
    kind = {RestBy.AREA: FigureKind.FLOOR_AREA, RestBy.HEADCOUNT: FigureKind.PERSONS}.get(part.rest)
    stated = {
        one.department
        for one in body.figures
        if one.kind is kind and one.building == part.building and one.valid_from <= part.valid_from
    }
    for j, name in enumerate(part.departments if kind else ()):
        if name not in stated:
            what = f"department '{name}' has no {kind} in {part.building} on {part.valid_from}"
            document.report(
                ("allocations", i, "departments", j), what, "a figure of its part of the building by that day"
            )


def _check_shares(document: Document, i: int, part: AllocationPart) -> None:
    if part.rest is RestBy.FIXED:
        if len(part.shares) != len(part.departments):
            what = f"{so_many(len(part.shares), 'share')} for {so_many(len(part.departments), 'department')}"
            document.report(("allocations", i, "shares"), what, "one for each department")
        elif min(part.shares) < 0 or abs(sum(part.shares) - 1) > _ONE:
            what = f"the shares {', '.join(f'{one:g}' for one in part.shares)} sum to {sum(part.shares):.10g}"
            document.report(("allocations", i, "shares"), what, "shares from 0 that sum to 1")
    elif part.shares:
        document.report(("allocations", i, "shares"), f"shares are stated, but the rest goes by {part.rest}", "fixed")
    if part.rest is RestBy.REMAINDER and len(part.departments) != 1:
        what = f"the remainder goes to {so_many(len(part.departments), 'department')}"
        document.report(("allocations", i, "departments"), what, "one department")
