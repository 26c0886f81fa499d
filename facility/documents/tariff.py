"""Reads the tariffs of a site.yaml: slots, seasons and words for days; holes and overlaps name their line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from facility.tariff import (
    DAY_KINDS,
    MINUTES,
    PERIODS,
    WEEKDAYS,
    Capacity,
    Demand,
    Step,
    Tariff,
    TariffRule,
    Tiers,
    faults_of,
)

if TYPE_CHECKING:
    from facility.documents.part import Document, Place
    from facility.documents.site_schema import SiteDocument
    from facility.documents.tariff_schema import RulePart, TariffPart
    from facility.tariff import MonthDay, Slot

_SLOT = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_DATES = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_WORDS = (*WEEKDAYS, *DAY_KINDS)


def read_tariffs(document: Document, body: SiteDocument) -> tuple[Tariff, ...]:
    """Every tariff of the site; what is wrong is reported to the document with its line."""
    tariffs = tuple(_tariff(document, i, part) for i, part in enumerate(body.site.tariffs))
    buildings = [building.id for building in body.buildings]
    for i, part in enumerate(body.site.tariffs):
        for j, name in enumerate(part.buildings):
            if name not in buildings:
                document.report(_place(i, "buildings", j), f"unknown building '{name}'", buildings)
    _check_overlaps(document, tariffs, body)
    return tariffs


def _place(i: int, *rest: str | int) -> Place:
    return ("site", "tariffs", i, *rest)


def _tariff(document: Document, i: int, part: TariffPart) -> Tariff:
    rules = tuple(_rule(document, _place(i, "rules", j), rule) for j, rule in enumerate(part.rules))
    only = next(iter(part.prices)) if not rules and len(part.prices) == 1 else None
    tariff = Tariff(
        id=part.id,
        utility=part.utility,
        valid_from=part.valid_from,
        basis=part.basis,
        prices=tuple((period, part.prices[period]) for period in PERIODS if period in part.prices),
        rules=rules,
        otherwise=part.otherwise or only,
        buildings=tuple(part.buildings),
        tiers=Tiers(part.tiers.cycle, tuple(Step(s.above, s.plus) for s in part.tiers.steps)) if part.tiers else None,
        capacity=Capacity(part.capacity.kva, part.capacity.per_kva_month) if part.capacity else None,
        demand=Demand(**part.demand.model_dump()) if part.demand else None,
        fixed_per_month=part.fixed_per_month,
    )
    if not document.problems:
        _check(document, i, tariff)
    return tariff


def _check(document: Document, i: int, tariff: Tariff) -> None:
    """Report periods without a price, holes, overlaps and steps that do not rise."""
    for j, rule in enumerate(tariff.rules):
        if rule.period not in tariff.price:
            document.report(_place(i, "rules", j, "period"), f"'{rule.period}' has no price", list(tariff.price))
    if tariff.otherwise is not None and tariff.otherwise not in tariff.price:
        document.report(_place(i, "otherwise"), f"'{tariff.otherwise}' has no price", list(tariff.price))
    above = [step.above for step in tariff.tiers.steps] if tariff.tiers else []
    if above != sorted(set(above)):
        document.report(_place(i, "tiers"), "the steps do not rise", "each above more than the one before")
    for fault in faults_of(tariff):
        when = f"{fault.at[0]:02}-{fault.at[1]:02} ({fault.day[0]}, {fault.day[1]}) {fault.span}"
        if not fault.rules:
            document.report(
                _place(i), f"tariff '{tariff.id}' has a hole: {when} has no period", "rules, or 'otherwise'"
            )
            continue
        words = " and ".join(f"'{tariff.rules[j].period}' (rule {j + 1})" for j in fault.rules)
        document.report(
            _place(i, "rules", fault.rules[-1]), f"tariff '{tariff.id}' overlaps: {when} is {words}", "one of a rank"
        )


def _check_overlaps(document: Document, tariffs: tuple[Tariff, ...], body: SiteDocument) -> None:
    """Report two prices of one utility that begin on one day for one building."""
    flat = [(price.utility, price.valid_from) for price in body.site.prices]
    for i, (utility, valid_from) in enumerate(flat):
        if flat[i] in flat[:i]:
            what = f"two flat prices of {utility} both begin on {valid_from}"
            document.report(("site", "prices", i, "valid_from"), what, "one price for a utility at a time")
    for i, one in enumerate(tariffs):
        if not one.buildings and (one.utility, one.valid_from) in flat:
            what = f"tariff '{one.id}' and a flat price of {one.utility} both begin on {one.valid_from}"
            document.report(_place(i, "valid_from"), what, "one price for a utility and a building at a time")
        for other in tariffs[:i]:
            same = one.utility is other.utility and one.valid_from == other.valid_from
            both = set(one.buildings) & set(other.buildings) or not (one.buildings or other.buildings)
            if same and both:
                what = f"tariffs '{other.id}' and '{one.id}' overlap: both begin on {one.valid_from}"
                document.report(_place(i, "valid_from"), what, "one price for a utility and a building at a time")


def _rule(document: Document, place: Place, part: RulePart) -> TariffRule:
    for k, word in enumerate(part.days):
        if word not in _DAY_WORDS:
            document.report((*place, "days", k), f"unknown day '{word}'", _DAY_WORDS)
    slots = [_slot(document, (*place, "slots", k), text) for k, text in enumerate(part.slots)]
    dates = [_dates(document, (*place, "dates", k), text) for k, text in enumerate(part.dates)]
    return TariffRule(part.period, tuple(s for s in slots if s), tuple(d for d in dates if d), frozenset(part.days))


def _slot(document: Document, place: Place, text: str) -> Slot | None:
    match = _SLOT.fullmatch(text)
    hours = [int(part) for part in match.groups()] if match else [99] * 4
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    good = max(hours[1], hours[3]) < 60 and start < MINUTES and end <= MINUTES and start != end  # noqa: PLR2004
    if not good:
        document.report(place, f"'{text}' is no slot of a day", "such as 08:30-11:00, or 22:00-02:00 over midnight")
    return (start, end) if good else None


def _dates(document: Document, place: Place, text: str) -> tuple[MonthDay, MonthDay] | None:
    match = _DATES.fullmatch(text)
    a, b, c, d = (int(part) for part in match.groups()) if match else (0, 0, 0, 0)
    good = all(1 <= month <= len(_MONTH_DAYS) and 1 <= day <= _MONTH_DAYS[month - 1] for month, day in ((a, b), (c, d)))
    if not good:
        document.report(place, f"'{text}' is no range of dates", "such as 07-15..08-31, or 12-15..01-31")
    return ((a, b), (c, d)) if good else None
