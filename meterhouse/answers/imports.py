"""What ``meterhouse import`` answers: the preview of a table, and the imports on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from imports.fault_words import fault_text
from meterhouse.output import facts, shown, table, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imports.readings import ImportPlan
    from stores.records.imports.book import KeptImport
    from wording.formats import Formats

MOST_FAULTS = 200
"""What a reader can go through; the rest is counted."""


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """One thing to correct in a table."""

    row: Annotated[int, "as a spreadsheet counts; 0: the whole table"]
    column: Annotated[str, "its header or letter"]
    kind: str
    text: Annotated[str, "in the reader's language"]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A reading as it would be stored."""

    row: int
    point: str
    time: datetime
    value: Annotated[float, "what the register shows, in the point's unit"]


@dataclass(frozen=True, slots=True)
class PreviewAnswer:
    """What a table would bring, or what is wrong with it."""

    file: str
    read_as: Annotated[str, "encoding and delimiter, or the sheet"]
    columns: Annotated[dict[str, str], "role, or meter → header"]
    tells: Annotated[str, "`register` or `use`; empty where the table could not be read"]
    rows: int
    new: Annotated[int, "readings that would be stored"]
    known: Annotated[int, "readings that are stored already as they are"]
    meters: list[str]
    first: datetime | None
    last: datetime | None
    preview: list[PreviewRow]
    fault_count: int
    faults: Annotated[list[FaultAnswer], "the first 200"]
    id: Annotated[int | None, "the import's number once it is on record"] = None
    state: Annotated[str | None, "how far it has come"] = None


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """An import on record."""

    id: int
    file: str
    state: Annotated[str, "proposed, confirmed, stored, refused, withdrawn, taken_back or undone"]
    tells: str
    readings: int
    meters: list[str]
    first: datetime
    last: datetime
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None
    reason: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ImportsAnswer:
    """The newest imports first."""

    imports: list[ImportAnswer]


def preview_answer(plan: ImportPlan, formats: Formats, kept: KeptImport | None = None) -> PreviewAnswer:
    """A plan for programs."""
    t, times = texts(), plan.readings.t_ms
    faults = [FaultAnswer(f.row, f.column, f.kind, fault_text(f, t, formats)) for f in plan.faults[:MOST_FAULTS]]
    return PreviewAnswer(
        plan.file,
        plan.read_as,
        dict(plan.columns),
        plan.tells,
        plan.rows,
        len(plan.readings),
        plan.known,
        plan.meters,
        _instant(min(times)) if times else None,
        _instant(max(times)) if times else None,
        [PreviewRow(one.row, one.point, _instant(one.t_ms), one.value) for one in plan.shown],
        len(plan.faults),
        faults,
        kept.id if kept else None,
        kept.state.value if kept else None,
    )


def preview_text(said: PreviewAnswer, plan: ImportPlan, formats: Formats) -> str:
    """The same for people."""
    return "\n".join(_preview(said, plan, formats))


def _preview(said: PreviewAnswer, plan: ImportPlan, formats: Formats) -> Iterator[str]:
    t = texts()
    yield facts(_facts(said, plan, formats))
    if said.preview:
        columns = ("import.row_number", "import.point", "import.time", "import.value")
        rows = [(p.row, p.point, formats.written_minute(p.time), formats.exact(p.value)) for p in said.preview]
        yield table(columns, rows, right=(0, 3))
    yield from (fault.text for fault in said.faults)
    if said.fault_count > len(said.faults):
        yield t("import.more_faults", n=f"{said.fault_count - len(said.faults):,}")


def _facts(said: PreviewAnswer, plan: ImportPlan, formats: Formats) -> Iterator[tuple[str, str]]:
    t = texts()
    yield t("import.file"), said.file
    yield t("import.read_as"), shown(said.read_as)
    if said.tells:
        yield t("import.tells"), t(f"import.tells.{said.tells}")
    names = {role: t.text_or(f"import.role.{role}", role) for role in said.columns}
    yield (
        t("import.columns"),
        t("cli.between").join(f"{names[role]} = {header}" for role, header in said.columns.items()),
    )
    if plan.writing is not None:
        yield t("import.decimal"), t(f"import.decimal.{plan.writing.decimal}")
        if plan.writing.period:
            yield t("import.period"), t(f"import.period.{plan.writing.period}")
    yield t("import.rows"), formats.number(said.rows)
    yield t("import.new"), formats.number(said.new)
    yield t("import.known"), formats.number(said.known)
    yield t("import.meters"), shown(t("cli.between").join(said.meters))
    if said.first and said.last:
        first, last = formats.written_minute(said.first), formats.written_minute(said.last)
        yield t("import.stretch"), t("import.between", first=first, last=last)
    if said.fault_count:
        yield t("import.faulty"), formats.number(said.fault_count)


def import_answer(kept: KeptImport) -> ImportAnswer:
    """An import on record for programs."""
    return ImportAnswer(
        kept.id,
        kept.file,
        kept.state.value,
        kept.kind,
        kept.count,
        sorted({point.partition("/")[0] for point in kept.points}),
        _instant(kept.first_ms),
        _instant(kept.last_ms),
        kept.proposed_by,
        kept.proposed_at,
        kept.confirmed_by or None,
        kept.confirmed_at,
        kept.undone_by or None,
        kept.undone_at,
        kept.reason or None,
        kept.outcome or None,
    )


def imports_text(found: Sequence[ImportAnswer], formats: Formats) -> str:
    """A line each."""
    t = texts()
    columns = (
        *("import.id", "import.at", "import.by", "import.state", "import.readings", "import.meters", "import.file"),
        *("import.confirmed_by", "import.reason", "import.outcome"),
    )
    rows = [
        (
            one.id,
            formats.written_minute(one.proposed_at),
            one.proposed_by,
            t(f"import.state.{one.state}"),
            one.readings,
            t("cli.between").join(one.meters),
            one.file,
            shown(one.confirmed_by),
            shown(one.reason),
            shown(one.outcome),
        )
        for one in found
    ]
    return table(columns, rows, right=(0, 4)) if rows else t("cli.import.none")


def _instant(t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, UTC)
