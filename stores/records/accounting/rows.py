"""Prices, tariffs, factors, notices and installations as rows of the registry, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from facility.building_use import BuildingUse
from facility.factors import Co2Factor, TypicalUse
from facility.ledger.installation import Installation
from facility.model import Closure, Notice, Price
from facility.quantities import Utility
from facility.tariff import Capacity, Demand, Period, Step, Tariff, TariffRule, Tiers


def price_row(price: Price) -> dict[str, Any]:
    """A flat price."""
    return {
        "utility": price.utility.value,
        "per_unit": price.per_unit,
        "valid_from": price.valid_from.isoformat(),
        "basis": price.basis,
    }


def price_of(row: dict[str, Any]) -> Price:
    """The price that a row stands for."""
    return Price(Utility(row["utility"]), row["per_unit"], date.fromisoformat(row["valid_from"]), row["basis"])


def closure_row(closure: Closure) -> dict[str, Any]:
    """Days on which everything is closed."""
    return {"first": closure.first.isoformat(), "last": closure.last.isoformat(), "name": closure.name}


def closure_of(row: dict[str, Any]) -> Closure:
    """The closure that a row stands for."""
    return Closure(date.fromisoformat(row["first"]), date.fromisoformat(row["last"]), row["name"])


def co2_row(factor: Co2Factor) -> dict[str, Any]:
    """A CO2 factor."""
    return asdict(factor) | {"utility": factor.utility.value, "valid_from": factor.valid_from.isoformat()}


def co2_of(row: dict[str, Any]) -> Co2Factor:
    """The factor that a row stands for."""
    return Co2Factor(Utility(row["utility"]), row["kg_per_unit"], date.fromisoformat(row["valid_from"]), row["basis"])


def typical_row(typical: TypicalUse) -> dict[str, Any]:
    """What is typical for a kind of building."""
    return asdict(typical) | {"use": typical.use.value, "utility": typical.utility.value}


def typical_of(row: dict[str, Any]) -> TypicalUse:
    """The typical use that a row stands for."""
    return TypicalUse(BuildingUse(row["use"]), Utility(row["utility"]), row["kwh_per_m2"], row["basis"])


def tariff_row(tariff: Tariff) -> dict[str, Any]:
    """What JSON can hold of a tariff, a column for each of its parts."""
    return {
        "utility": tariff.utility.value,
        "valid_from": tariff.valid_from.isoformat(),
        "basis": tariff.basis,
        "prices": {period.value: price for period, price in tariff.prices},
        "rules": [_rule_row(rule) for rule in tariff.rules],
        "otherwise": tariff.otherwise.value if tariff.otherwise else None,
        "buildings": list(tariff.buildings),
        "tiers": asdict(tariff.tiers) | {"steps": [asdict(s) for s in tariff.tiers.steps]} if tariff.tiers else None,
        "capacity": asdict(tariff.capacity) if tariff.capacity else None,
        "demand": asdict(tariff.demand) if tariff.demand else None,
        "fixed_per_month": tariff.fixed_per_month,
    }


def tariff_of(row: dict[str, Any]) -> Tariff:
    """The tariff that a row stands for; the row's id is the tariff's id and its first day."""
    tiers = row["tiers"]
    return Tariff(
        id=row["id"].partition(" from ")[0],
        utility=Utility(row["utility"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        basis=row["basis"],
        prices=tuple((period, row["prices"][period.value]) for period in Period if period.value in row["prices"]),
        rules=tuple(_rule(rule) for rule in row["rules"]),
        otherwise=Period(row["otherwise"]) if row["otherwise"] else None,
        buildings=tuple(row["buildings"]),
        tiers=Tiers(tiers["cycle"], tuple(Step(**step) for step in tiers["steps"])) if tiers else None,
        capacity=Capacity(**row["capacity"]) if row["capacity"] else None,
        demand=Demand(**row["demand"]) if row["demand"] else None,
        fixed_per_month=row["fixed_per_month"],
    )


def _rule_row(rule: TariffRule) -> dict[str, Any]:
    return {
        "period": rule.period.value,
        "slots": [list(slot) for slot in rule.slots],
        "dates": [[list(first), list(last)] for first, last in rule.dates],
        "days": sorted(rule.days),
    }


def _rule(row: dict[str, Any]) -> TariffRule:
    slots = tuple((start, end) for start, end in row["slots"])
    dates = tuple(((a, b), (c, d)) for (a, b), (c, d) in row["dates"])
    return TariffRule(Period(row["period"]), slots, dates, frozenset(row["days"]))


def notice_row(notice: Notice) -> dict[str, Any]:
    """What JSON can hold of a year's notice."""
    days = {"workdays": notice.workdays, "days_off": notice.days_off}
    return {"basis": notice.basis, **{name: [day.isoformat() for day in found] for name, found in days.items()}}


def notice_of(row: dict[str, Any]) -> Notice:
    """The notice that a row stands for."""
    workdays, days_off = (tuple(map(date.fromisoformat, row[name])) for name in ("workdays", "days_off"))
    return Notice(int(row["id"]), row["basis"], workdays, days_off)


_INSTALLATION_FIELDS = (
    "meter", "serial", "digits", "rolls_over_at", "ct_ratio", "pt_ratio", "told_ct_ratio", "told_pt_ratio", "opening",
    "closing", "continues", "photo", "reason", "by",
)  # fmt: skip


def installation_row(one: Installation) -> dict[str, Any]:
    """What JSON can hold of an installation."""
    return {"since": one.since.isoformat(), **{field: getattr(one, field) for field in _INSTALLATION_FIELDS}}


def installation_of(row: dict[str, Any]) -> Installation:
    """The installation that a row stands for."""
    facts = {field: row[field] for field in _INSTALLATION_FIELDS}
    return Installation(since=datetime.fromisoformat(row["since"]), **facts)
