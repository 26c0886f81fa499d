"""Who may do what: the roles that people have, and one line for each permission with the roles that hold it."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@unique
class Role(StrEnum):
    """What somebody is here for. Nobody may do anything without one."""

    VIEWER = "viewer"
    FACILITIES = "facilities"
    CONTRACTOR = "contractor"
    OFFICER = "officer"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDITOR = "auditor"


@unique
class Act(StrEnum):
    """What a person may be allowed to do."""

    LOOK = "look at buildings, figures and cases"
    TAKE = "take a case or give it back"
    JUDGE = "give a verdict or take it back"
    ORDER = "make, give and call off work orders, and see all of them"
    REPLAY = "have refused readings taken in again"
    DISCARD = "discard what was refused"
    DECIDE = "decide about a register in doubt"
    HAND_IN = "hand in readings"
    CONFIRM = "confirm or undo what was handed in"
    GRANT = "let people in, give and take roles"
    READ_AUDIT = "read and export the audit trail"
    SIGN_AUDIT = "sign the audit trail"
    TEND = "see how the server itself stands"


_V, _F, _C, _O = Role.VIEWER, Role.FACILITIES, Role.CONTRACTOR, Role.OFFICER
_SYSTEM, _SECURITY, _AUDITOR = Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR

PERMISSIONS: Mapping[Act, frozenset[Role]] = {
    Act.LOOK: frozenset({_V, _F, _C, _O, _SYSTEM}),
    Act.TAKE: frozenset({_F, _C, _O}),
    Act.JUDGE: frozenset({_F, _C, _O}),
    Act.ORDER: frozenset({_F, _O}),
    Act.REPLAY: frozenset({_O, _SYSTEM}),
    Act.DISCARD: frozenset({_O, _SYSTEM}),
    Act.DECIDE: frozenset({_O}),
    Act.HAND_IN: frozenset({_F, _O}),
    Act.CONFIRM: frozenset({_O}),
    Act.GRANT: frozenset({_SECURITY}),
    Act.READ_AUDIT: frozenset({_AUDITOR}),
    Act.SIGN_AUDIT: frozenset({_AUDITOR}),
    Act.TEND: frozenset({_SYSTEM}),
}
"""One line a permission. What no line gives is denied."""

ADMINISTRATORS = frozenset({_SYSTEM, _SECURITY, _AUDITOR})
"""The three administrators. Their roles hold for the whole site: a part of it has none of its own."""

_APART = (frozenset({_AUDITOR, _SECURITY}), frozenset({_AUDITOR, _SYSTEM}))
"""Roles that one person never has together: who grants access or runs the server does not keep the trail of it."""

FIRST_ROLES = (_O, _SYSTEM, _SECURITY)
"""What the first administrator has: everything but the audit trail, for which they let somebody else in."""

FORMER_ROLES = (_O, _SYSTEM)
"""What everybody has who came in while Meterhouse knew no roles: all that they could do then."""


def acts_of(role: Role) -> frozenset[Act]:
    """What a role may do."""
    return frozenset(act for act, roles in PERMISSIONS.items() if role in roles)


def parse_role(word: str) -> Role:
    """The role called ``word``; raises ``Rejected`` for another."""
    try:
        return Role(word)
    except ValueError:
        raise Rejected("unknown_role", f"'{word}' is not one of {', '.join(Role)}") from None


def check_apart(roles: Collection[Role]) -> None:
    """Raise ``Rejected`` where these roles may not be one person's."""
    for pair in _APART:
        if pair <= set(roles):
            raise Rejected("roles_apart", f"nobody is {' and '.join(sorted(pair))}: give one of them to somebody else")
