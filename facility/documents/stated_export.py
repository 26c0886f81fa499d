"""What is stated of an estate back to site.yaml: factor sets, figures, fuel, quotas, memberships, allocation."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facility.factors import FactorSet
    from facility.stated import AllocationRule, Stated, VehicleFuel

Tree = dict[str, Any]


def factor_set_tree(one: FactorSet) -> Tree:
    """A set, its factors by carrier."""
    factors = {"kgce": {c.value: f for c, f in one.kgce}, "co2": {c.value: f for c, f in one.co2}}
    return _filled({"id": one.id, "valid_from": one.valid_from, "basis": one.basis, **factors})


def stated_trees(stated: Stated) -> dict[str, list[Tree]]:
    """The lists of a site.yaml, by key."""
    return {
        "figures": [_plain(one) for one in stated.figures],
        "vehicle_fuel": [_fuel(one) for one in stated.vehicle_fuel],
        "quotas": [_plain(one) for one in stated.quotas],
        "memberships": [_plain(one) for one in stated.memberships],
        "allocations": [_allocation(one) for one in stated.allocations],
    }


def _fuel(one: VehicleFuel) -> Tree:
    tree = _plain(one)
    return {"quantity": tree.pop("kg"), "unit": "kg", **tree}


def _allocation(one: AllocationRule) -> Tree:
    tree = _plain(one)
    shares = [share for _, share in one.shares if share is not None]
    return _filled({**tree, "departments": [name for name, _ in one.shares], "shares": shares, "meters": [*one.meters]})


def _plain(one: Any) -> Tree:
    return _filled({key: v.value if isinstance(v, Enum) else v for key, v in asdict(one).items()})


def _filled(tree: Tree) -> Tree:
    """Without what is empty: absent keys load as the same defaults."""
    return {key: value for key, value in tree.items() if value is not None and value not in ("", [], {}, ())}
