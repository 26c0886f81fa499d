"""Whose something is on a day, by dated memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.stated import Member

if TYPE_CHECKING:
    from datetime import date

    from facility.model import Building
    from facility.stated import Stated


def department_of(stated: Stated, member: Member, one: str, day: date) -> str:
    """To which department something belongs on a day; empty where no membership holds."""
    held = [
        m for m in stated.memberships if m.member is member and m.id == one and m.department and m.valid_from <= day
    ]
    return max(held, key=lambda m: m.valid_from).department if held else ""


def owner_of(stated: Stated, building: Building, day: date) -> str:
    """Whose a building is on a day; empty where nobody is named."""
    return department_of(stated, Member.BUILDING, building.id, day) or building.department
