"""What ``meterhouse meter`` answers: the meters and their ledgers, for programs and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated

from facility.ledger.installation import BEFORE_THE_LEDGER, BEGINNING
from facility.model import MeterRole  # noqa: TC001
from meterhouse.output import shown, table, texts
from wording.texts import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.ledger.installation import Installation
    from facility.model import Meter
    from facility.trees import Trees
    from wording.formats import Formats


METER_COLUMNS = (
    "cli.column.building",
    "cli.column.meter",
    "cli.column.department",
    "cli.column.role",
    "cli.column.serial",
    "cli.column.ct",
    "cli.column.pt",
    "cli.column.rolls_over_at",
    "cli.column.entries",
)
LEDGER_COLUMNS = (
    "cli.column.since",
    "cli.column.serial",
    "cli.column.ct",
    "cli.column.pt",
    "cli.column.rolls_over_at",
    "cli.column.closing",
    "cli.column.opening",
    "cli.column.by",
    "cli.column.reason",
    "cli.column.photo",
)


@dataclass(frozen=True, slots=True)
class MeterNow:
    """A meter and the device that hangs there now."""

    meter: Annotated[str, "its id"]
    building: Annotated[str, "its id"]
    name: Annotated[str, "in the reader's language"]
    role: MeterRole
    serial: str | None
    ct_ratio: Annotated[float, "of the current transformers, in truth"]
    pt_ratio: Annotated[float, "of the voltage transformers, in truth"]
    rolls_over_at: Annotated[float | None, "where the register begins again, in units of its face"]
    entries: Annotated[int, "how many the ledger has"]
    spaces: Annotated[list[str], "in which it stands, from the outermost to its own"]
    departments: Annotated[list[str], "whose it is, from the topmost to its own"]


@dataclass(frozen=True, slots=True)
class MetersNow:
    """Every meter of a utility."""

    meters: list[MeterNow]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One device, or one ratio of it, from an instant on."""

    since: Annotated[datetime | None, "absent where it has hung there since before the ledger began"]
    serial: str | None
    continues: Annotated[bool, "the device of the entry before, under other facts"]
    ct_ratio: Annotated[float, "in truth"]
    pt_ratio: Annotated[float, "in truth"]
    told_ct_ratio: Annotated[float | None, "what the agent multiplies by meanwhile, where that is not the truth"]
    told_pt_ratio: Annotated[float | None, "likewise"]
    rolls_over_at: Annotated[float | None, "where the register begins again, in units of its face"]
    closing: Annotated[float | None, "last read of the device before"]
    opening: Annotated[float | None, "first read of this one"]
    by: str | None
    reason: str | None
    photo: str | None


@dataclass(frozen=True, slots=True)
class MeterLedger:
    """Everything that hung at a meter's place, oldest first."""

    meter: Annotated[str, "its id"]
    entries: list[LedgerEntry]


def meter_now(meter: Meter, history: Sequence[Installation], trees: Trees, language: str) -> MeterNow:
    """A meter with the last of its entries, and where it belongs."""
    now = history[-1]
    return MeterNow(
        meter=meter.id,
        building=meter.building,
        name=meter.name.in_language(language),
        role=meter.role,
        serial=now.serial or None,
        ct_ratio=now.ct_ratio,
        pt_ratio=now.pt_ratio,
        rolls_over_at=now.span,
        entries=len(history),
        spaces=[*trees.spaces_of(meter)],
        departments=[*trees.departments_of(meter)],
    )


def meters_table(meters: Sequence[MeterNow], formats: Formats) -> str:
    """One line per meter."""
    if not meters:
        return texts()("cli.meter.none")
    rows = [
        (
            " / ".join((one.building, *one.spaces)),
            one.meter,
            " / ".join(one.departments) or ABSENT,
            texts()(f"role.{one.role}"),
            shown(one.serial),
            f"{one.ct_ratio:g}",
            f"{one.pt_ratio:g}",
            _number(one.rolls_over_at, formats),
            one.entries,
        )
        for one in meters
    ]
    return table(METER_COLUMNS, rows, right=(5, 6, 7, 8))


def ledger_entry(one: Installation) -> LedgerEntry:
    """An entry as it stands."""
    return LedgerEntry(
        since=None if one.since == BEGINNING else one.since,
        serial=one.serial or None,
        continues=one.continues,
        ct_ratio=one.ct_ratio,
        pt_ratio=one.pt_ratio,
        told_ct_ratio=one.told_ct_ratio,
        told_pt_ratio=one.told_pt_ratio,
        rolls_over_at=one.span,
        closing=one.closing,
        opening=one.opening,
        by=one.by or None,
        reason=one.reason or None,
        photo=one.photo or None,
    )


def ledger_table(entries: Sequence[LedgerEntry], formats: Formats) -> str:
    """One line per entry."""
    t = texts()
    rows = [
        (
            formats.written_minute(one.since) if one.since else t("cli.meter.beginning"),
            t("cli.meter.same_device") if one.continues else shown(one.serial),
            f"{one.ct_ratio:g}",
            f"{one.pt_ratio:g}",
            _number(one.rolls_over_at, formats),
            _number(one.closing, formats),
            _number(one.opening, formats),
            shown(one.by),
            t("cli.meter.before_the_ledger") if one.reason == BEFORE_THE_LEDGER else one.reason or "",
            one.photo or "",
        )
        for one in entries
    ]
    return table(LEDGER_COLUMNS, rows, right=(2, 3, 4, 5, 6))


def _number(x: float | None, formats: Formats) -> str:
    return shown(None if x is None else formats.exact(x))
