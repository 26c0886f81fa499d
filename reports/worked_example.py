"""A worked example of indicators: a year of one building whose figures everybody can compute by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.resources import files

from accounting.standard_coal import CarrierUse, factor_on
from accounting.stated_figures import MeanFigure
from facility.documents.part import DocumentPart, parse
from facility.documents.stated import factor_set_of
from facility.documents.stated_schema import FactorSetPart
from facility.factors import Carrier, FactorSet, co2_factors, kgce_factors
from facility.stated import FigureKind
from reports.indicators import IndicatorReport, report_of

EXAMPLE = "the worked example"

_DAY = date(2026, 1, 1)
_USES = (
    (Carrier.ELECTRICITY, 1_200_000, False),
    (Carrier.WATER, 9_000, False),
    (Carrier.GAS, 30_000, False),
    (Carrier.DIESEL, 2_000, True),
)
_FIGURES = ((FigureKind.FLOOR_AREA, 20_000), (FigureKind.PERSONS, 600), (FigureKind.WATER_PERSONS, 600))


class _SetsPart(DocumentPart):
    factor_sets: list[FactorSetPart]


def factor_sets_text() -> str:
    """The factor sets that come with Meterhouse, in the words of a site.yaml."""
    return (files("reports") / "tables" / "factor_sets.yaml").read_text(encoding="utf-8")


def shipped_factor_sets() -> tuple[FactorSet, ...]:
    """The same as records."""
    return tuple(map(factor_set_of, parse(factor_sets_text(), "factor_sets.yaml").validate(_SetsPart).factor_sets))


def worked_example() -> IndicatorReport:
    """1,200,000 kWh, 30,000 m³ of gas, 2,000 kg of diesel for vehicles, 9,000 m³ of water; 20,000 m², 600 persons."""
    sets = tuple(one for one in shipped_factor_sets() if one.id in {"gbt2589-equivalent", "cn-2023-national"})
    kgce, co2 = kgce_factors(sets), co2_factors((), sets)
    uses = [
        CarrierUse(carrier, Decimal(qty), factor_on(kgce, carrier, _DAY), factor_on(co2, carrier, _DAY), vehicles)
        for carrier, qty, vehicles in _USES
    ]
    figures = [MeanFigure(kind, Decimal(value), (EXAMPLE,)) for kind, value in _FIGURES]
    return report_of(EXAMPLE, "", ("2026-01", 12), uses, figures, {}, ())
