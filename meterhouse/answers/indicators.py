"""What ``meterhouse indicators`` answers: for programs and as tables."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated

from facility.remark import RemarkKind  # noqa: TC001 - the answer's shape is read by its types
from meterhouse.output import facts, shown, table, texts
from reports.indicators import EnergyLine, FigureLine, IndicatorLine  # noqa: TC001 - the same
from wording.remarks import remark_text
from wording.texts import ABSENT
from wording.units import unit_in, unit_sign

if TYPE_CHECKING:
    from reports.indicators import IndicatorReport
    from wording.formats import Formats

USES = (
    "cli.indicators.carrier", "cli.indicators.use", "cli.indicators.unit", "cli.indicators.factor",
    "cli.indicators.kgce", "cli.indicators.co2_factor", "cli.indicators.co2",
)  # fmt: skip
INDICATORS = (
    "cli.indicators.indicator", "cli.indicators.value", "cli.indicators.unit", "cli.indicators.ladder",
    "cli.indicators.rung",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LackAnswer:
    """What is not known or not stated, so that a figure is absent."""

    remark: RemarkKind
    text: Annotated[str, "in the reader's language"]


@dataclass(frozen=True, slots=True)
class IndicatorAnswer:
    """Indicators of a building or the estate over some months."""

    site: Annotated[str, "its id"]
    building: Annotated[str, "its id; empty for the estate"]
    department: Annotated[str, "its id, with those below it; empty for all"]
    first_month: Annotated[str, "local, such as `2026-01`"]
    months: int
    lines: list[EnergyLine]
    energy_kgce: Annotated[Decimal | None, "with the fuel of vehicles"]
    vehicles_kgce: Decimal | None
    co2_kg: Annotated[Decimal | None, "of all that has a factor"]
    water_m3: Annotated[Decimal | None, "never a part of energy"]
    figures: list[FigureLine]
    indicators: list[IndicatorLine]
    factor_sets: Annotated[list[str], "each with the document it rests on"]
    lacking: list[LackAnswer]


def indicator_answer(report: IndicatorReport, formats: Formats) -> IndicatorAnswer:
    """For programs."""
    lacking = [LackAnswer(one.kind, remark_text(one, formats)) for one in report.lacking]
    own = {one.name: getattr(report, one.name) for one in fields(report) if one.name != "lacking"}
    return IndicatorAnswer(**own, lacking=lacking)


def indicator_text(report: IndicatorReport, formats: Formats) -> str:
    """Tables for people."""
    t = texts()
    parts = [
        facts(
            [
                (t("cli.indicators.for"), _whose(report)),
                (t("cli.indicators.months"), t("cli.indicators.time", first=report.first_month, months=report.months)),
                (t("cli.indicators.total"), _with_unit(report.energy_kgce, "kgce")),
                (t("cli.indicators.vehicles"), _with_unit(report.vehicles_kgce, "kgce")),
                (t("cli.indicators.emitted"), _with_unit(report.co2_kg, "kg")),
                (t("cli.indicators.water"), _with_unit(report.water_m3, "m3")),
                *((t(f"figure.{one.kind}"), _figure(one)) for one in report.figures if one.value is not None),
            ]
        ),
        table(USES, [_use(one) for one in report.lines], right=(1, 3, 4, 5, 6)),
        table(INDICATORS, [_indicator(one) for one in report.indicators], right=(1,)),
        t("cli.indicators.sets", sets="; ".join(report.factor_sets) or ABSENT),
    ]
    lacking = [t("cli.indicators.lacking", what=remark_text(one, formats)) for one in report.lacking]
    return "\n\n".join([*parts, *(["\n".join(lacking)] if lacking else [])])


def _whose(report: IndicatorReport) -> str:
    names = [one for one in (report.department, report.building) if one]
    return " · ".join(names) or texts()("cli.indicators.estate")


def _figure(one: FigureLine) -> str:
    return f"{number(one.value)} ({'; '.join(one.bases)})"


def _use(one: EnergyLine) -> tuple[str, ...]:
    carrier = texts()(f"carrier.{one.carrier}")
    name = texts()("cli.indicators.of_vehicles", carrier=carrier) if one.for_vehicles else carrier
    factors = number(one.kgce), shown(one.co2_per_unit), number(one.co2_kg)
    return name, number(one.quantity), unit_sign(one.unit), shown(one.kgce_per_unit), *factors


def _indicator(one: IndicatorLine) -> tuple[str, ...]:
    steps = [one.constraint, one.benchmark, one.guide]
    ladder = " / ".join(map(shown, steps)) if one.constraint is not None else ABSENT
    rung = texts()(f"rung.{one.rung}") if one.rung else ABSENT
    return (
        texts()(f"indicator.{one.indicator}"),
        number(one.value),
        unit_in(one.unit, texts()),
        (ladder),
        rung,
    )


def _with_unit(value: Decimal | None, unit: str) -> str:
    return ABSENT if value is None else f"{number(value)} {unit_sign(unit)}"


def number(value: Decimal | None) -> str:
    """``190,294.2``: as many digits as it has, at least one after the point."""
    if value is None:
        return ABSENT
    text = f"{value:,f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"
