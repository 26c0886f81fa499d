"""What ``meterhouse meter spells`` answers: for programs, and as a table with what each decision would mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from accounting.spells import Outcome  # noqa: TC001 - the answer's shape is read by its types
from meterhouse.output import shown, table, texts
from wording.spells import ACTS, OUTCOMES_ASKED, meaning, what_it_is

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.catalogue import Catalogue
    from stores.records.accounting.spells import KeptSpell
    from wording.formats import Formats

COLUMNS = (
    "cli.column.spell",
    "cli.column.meter",
    "cli.column.quantity",
    "cli.column.what",
    "cli.column.since",
    "spell.before",
    "spell.level",
    "spell.known_since",
    "spell.decision",
)


@dataclass(frozen=True, slots=True)
class SpellAnswer:
    """A time in which a register showed what its own growth does not explain."""

    spell: Annotated[int, "its number"]
    point: Annotated[str, "the counter's id"]
    meter: Annotated[str, "its id"]
    quantity: str
    unit: Annotated[str | None, "of `before` and `level`; absent where the estate has the counter no more"]
    outcome: Outcome
    since: Annotated[datetime, "the last reading that is believed before it"]
    first: Annotated[datetime, "its first reading"]
    until: Annotated[datetime | None, "the reading that decided it; absent while it is in doubt"]
    before: Annotated[float, "what the register showed before, as the agent sent it"]
    level: Annotated[float, "what its first reading showed"]
    is_asked: Annotated[bool, "waits for a person"]
    accepted: Annotated[bool | None, "what a person decided: the register is right, or wrong"]
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SpellsAnswer:
    """Spells by counter, oldest first."""

    spells: list[SpellAnswer]


def spell_answer(kept: KeptSpell, estate: Catalogue) -> SpellAnswer:
    """A spell as it stands."""
    meter, quantity, _ = kept.point.split("/")
    known, spell = estate.point.get(kept.point), kept.spell
    return SpellAnswer(
        spell=kept.number,
        point=kept.point,
        meter=meter,
        quantity=quantity,
        unit=known.quantity.unit if known else None,
        outcome=spell.outcome,
        since=_instant(spell.since_ms),
        first=_instant(spell.first_ms),
        until=None if spell.until_ms is None else _instant(spell.until_ms),
        before=spell.before,
        level=spell.level,
        is_asked=spell.is_asked,
        accepted=spell.accepted,
        decided_at=kept.decided_at,
        decided_by=kept.decided_by or None,
        reason=kept.reason or None,
    )


def spells_text(spells: Sequence[SpellAnswer], formats: Formats) -> str:
    """One line per spell; below them, of what waits, what it is and what each decision would mean."""
    if not spells:
        return texts()("spell.none")
    rows = [_row(one, formats) for one in spells]
    return "\n".join([table(COLUMNS, rows, right=(0, 5, 6)), *_choices(spells)])


def _row(one: SpellAnswer, formats: Formats) -> tuple[str, ...]:
    t = texts()
    sign = formats.sign(one.unit) if one.unit else ""
    return (
        str(one.spell),
        one.meter,
        t.text_or(f"quantity.{one.quantity}", one.quantity),
        t(f"spell.{one.outcome}"),
        formats.written_minute(one.first),
        *(f"{formats.exact(value)} {sign}".rstrip() for value in (one.before, one.level)),
        shown(formats.written_minute(one.until) if one.until else None),
        _decision(one, formats),
    )


def _decision(one: SpellAnswer, formats: Formats) -> str:
    t = texts()
    if one.decided_at is None:
        return t("spell.waits") if one.is_asked else shown(None)
    word = t("spell.accepted" if one.accepted else "spell.rejected")
    return f"{word} · {one.decided_by} · {formats.written_minute(one.decided_at)} · {one.reason}"


def _choices(spells: Sequence[SpellAnswer]) -> Iterator[str]:
    t, waiting = texts(), {one.outcome for one in spells if one.is_asked}
    for outcome in OUTCOMES_ASKED:
        if outcome in waiting:
            yield ""
            yield t("cli.spell.means", word=t(f"spell.{outcome}"), meaning=what_it_is(t, outcome))
            yield from (t("cli.spell.choice", word=act, meaning=meaning(t, outcome, act)) for act in ACTS)


def _instant(t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, UTC)
