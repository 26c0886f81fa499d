"""Rights as tests give them to people: all acts everywhere, some of them, or in a part of the estate."""

from __future__ import annotations

from facility.rights import FIRST_ROLES, Act
from stores.access import Permit, Rights, Scope
from stores.records.accounts.grants import Grant, Grants

ALL = Rights((Permit(),))
EVERYWHERE = Scope()


def within(scope=EVERYWHERE, acts=tuple(Act)):
    """These acts, and looking, in a part of the estate."""
    return Rights((Permit(scope, frozenset(acts) | {Act.LOOK}),))


def everything(records, name, at):
    """Give somebody the roles of the first administrator, where they have none yet."""
    grants = Grants(records)
    if not grants.of(name, at):
        for role in FIRST_ROLES:
            grants.give(name, Grant(role), "test", at)
