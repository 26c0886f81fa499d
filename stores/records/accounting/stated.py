"""What is stated of an estate as rows of the registry, and back: figures, fuel, quotas, memberships, allocation."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.factors import Carrier, FactorSet
from facility.quantities import Utility
from facility.stated import (
    AllocationRule,
    Figure,
    FigureKind,
    Indicator,
    Member,
    Membership,
    Quota,
    RestBy,
    Stated,
    VehicleFuel,
)
from stores.records.columns import METADATA, id_column, position_column, text_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]

factor_set = sa.Table(
    "factor_set",
    METADATA,
    id_column(),
    position_column(),
    text_column("name"),
    text_column("valid_from"),
    text_column("basis"),
    sa.Column("kgce", sa.JSON, nullable=False),
    sa.Column("co2", sa.JSON, nullable=False),
)

figure = sa.Table(
    "figure",
    METADATA,
    id_column(),
    position_column(),
    text_column("kind"),
    sa.Column("value", sa.Double, nullable=False),
    text_column("valid_from"),
    text_column("basis"),
    text_column("building"),
    text_column("department"),
)

vehicle_fuel = sa.Table(
    "vehicle_fuel",
    METADATA,
    id_column(),
    position_column(),
    text_column("fuel"),
    sa.Column("kg", sa.Double, nullable=False),
    text_column("month"),
    text_column("basis"),
    text_column("building"),
    text_column("department"),
)

quota = sa.Table(
    "quota",
    METADATA,
    id_column(),
    position_column(),
    text_column("indicator"),
    sa.Column("constraint", sa.Double, nullable=False),
    sa.Column("benchmark", sa.Double),
    sa.Column("guide", sa.Double),
    text_column("valid_from"),
    text_column("basis"),
    text_column("factor_set"),
    text_column("building"),
)

membership = sa.Table(
    "membership",
    METADATA,
    id_column(),
    position_column(),
    text_column("member"),
    text_column("member_id"),
    text_column("valid_from"),
    text_column("department"),
    text_column("space"),
)

allocation = sa.Table(
    "allocation",
    METADATA,
    id_column(),
    position_column(),
    text_column("building"),
    text_column("valid_from"),
    text_column("basis"),
    text_column("rest"),
    sa.Column("shares", sa.JSON, nullable=False),
    sa.Column("meters", sa.JSON, nullable=False),
    sa.Column("utility", sa.Text),
)

STATED = ("factor_set", "figure", "vehicle_fuel", "quota", "membership", "allocation")
"""The tables of what is stated."""


def _factor_set_row(one: FactorSet) -> tuple[str, Row]:
    row = {"name": one.id, "valid_from": one.valid_from.isoformat(), "basis": one.basis}
    factors = {"kgce": {c.value: f for c, f in one.kgce}, "co2": {c.value: f for c, f in one.co2}}
    return f"{one.id} from {one.valid_from}", {**row, **factors}


def factor_set_of(row: Row) -> FactorSet:
    """The set that a row stands for."""
    kgce, co2 = (tuple((Carrier(name), per_unit) for name, per_unit in row[key].items()) for key in ("kgce", "co2"))
    return FactorSet(row["name"], date.fromisoformat(row["valid_from"]), row["basis"], kgce, co2)


def stated_rows(sets: Sequence[FactorSet], stated: Stated) -> dict[str, list[tuple[str, Row]]]:
    """Table → each thing's id there and its row."""
    return {
        "factor_set": [_factor_set_row(one) for one in sets],
        "figure": [(f"{_of(one.kind, one)} from {one.valid_from}", _row(one)) for one in stated.figures],
        "vehicle_fuel": [(f"{_of(one.fuel, one)} in {one.month}", _row(one)) for one in stated.vehicle_fuel],
        "quota": [(f"{_of(one.indicator, one)} from {one.valid_from}", _row(one)) for one in stated.quotas],
        "membership": [_membership_row(one) for one in stated.memberships],
        "allocation": [
            (f"{one.building} {one.utility or 'all'} from {one.valid_from}", _allocation_row(one))
            for one in stated.allocations
        ],
    }


def stated_of(table: Mapping[str, list[Row]]) -> Stated:
    """What rows stand for, in their order."""
    return Stated(
        figures=tuple(
            Figure(FigureKind(r["kind"]), r["value"], _day(r), r["basis"], r["building"], r["department"])
            for r in table["figure"]
        ),
        vehicle_fuel=tuple(
            VehicleFuel(Carrier(r["fuel"]), r["kg"], r["month"], r["basis"], r["building"], r["department"])
            for r in table["vehicle_fuel"]
        ),
        quotas=tuple(_quota_of(r) for r in table["quota"]),
        memberships=tuple(
            Membership(Member(r["member"]), r["member_id"], _day(r), r["department"], r["space"])
            for r in table["membership"]
        ),
        allocations=tuple(_allocation_of(r) for r in table["allocation"]),
    )


def _quota_of(row: Row) -> Quota:
    ladder = row["benchmark"], row["guide"]
    what = Indicator(row["indicator"]), row["constraint"], _day(row), row["basis"]
    return Quota(*what, *ladder, row["factor_set"], row["building"])


def _allocation_of(row: Row) -> AllocationRule:
    shares = tuple((name, share) for name, share in row["shares"])
    utility = Utility(row["utility"]) if row["utility"] else None
    start = row["building"], _day(row), row["basis"], RestBy(row["rest"])
    return AllocationRule(*start, shares, tuple(row["meters"]), utility)


def _allocation_row(one: AllocationRule) -> Row:
    return {**_row(one), "shares": [list(share) for share in one.shares], "meters": [*one.meters]}


def _membership_row(one: Membership) -> tuple[str, Row]:
    row = _row(one)
    row["member_id"] = row.pop("id")
    return f"{one.member} {one.id} in {'space' if one.space else 'department'} from {one.valid_from}", row


def _of(what: str, one: Figure | VehicleFuel | Quota) -> str:
    names = [getattr(one, "department", ""), one.building]
    return f"{what} of {' in '.join(name for name in names if name) or 'the estate'}"


def _row(one: Any) -> Row:
    return {name: _plain(value) for name, value in asdict(one).items()}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _day(row: Row) -> date:
    return date.fromisoformat(row["valid_from"])
