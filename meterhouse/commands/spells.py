"""``meterhouse meter spells``, ``accept``, ``reject``, ``ask-again``: registers in doubt, and what people decide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, Problem
from facility.ledger.changes import known_meter
from meterhouse.answers.spells import SpellsAnswer, spell_answer, spells_text
from meterhouse.commands.spoken import formats_of, given_by, written_as
from meterhouse.commands.taking import looked_at
from meterhouse.output import answer, answers, say
from meterhouse.settings import Settings
from stores.records.accounting.spells import Spells
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from stores.records.accounting.spells import KeptSpell

app = typer.Typer(no_args_is_help=True)

LARGEST = 2**31 - 1
"""No spell has a greater number."""

LIST_HELP = """Registers in doubt: spells that wait for a person.

A spell is a time in which a register showed what its own growth does not explain. In doubt: nothing is counted from
there on. New register: it went on from another level. Leap: it went on from a level that its feeder cannot have
delivered.

accept: what the register shows is right. In doubt: it began again there, and counts from its first reading on. Leap: it
is use, estimated. New register: it stands.

reject: it is wrong. In doubt: its readings are left out until it returns or goes on rising. Leap: it is no use. New
register: its first readings are; it counts on from there all the same.

Where another device hangs there, note the swap with its reads instead: meter swap."""

Number = Annotated[int, typer.Argument(metavar="SPELL", help="Its number in the list.", min=1, max=LARGEST)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the spell and in the audit trail.")]
By = Annotated[str, typer.Option("--by", help="Who decides; you, unless said otherwise.")]


@app.command("spells", help=LIST_HELP)
@answers(SpellsAnswer)
def list_spells(
    *,
    meter: Annotated[str, typer.Option("--meter", help="Only this meter.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Those that need no decision and decided ones too.")
    ] = False,
) -> None:
    """Print spells with what each decision would mean."""
    records = open_records(Settings().records_url)
    estate, spells = Registry(records).load(), Spells(records)
    points = None
    if meter:
        with written_as({"meter": "--meter"}):
            points = [point.id for point in estate.points_of(known_meter(estate, meter).id)]
    kept = spells.all_of(points) if everything else spells.asked(points)
    looked_at(records, estate, "registers in doubt", sorted({one.point for one in kept}))
    found = [spell_answer(one, estate) for one in kept]
    answer(SpellsAnswer(found), lambda: spells_text(found, formats_of(estate.site)))


@app.command(help="What the register showed in a spell is right; see meter spells for what that means.")
def accept(spell: Number, *, reason: Reason, by: By = "") -> None:
    """Keep a decision and have the counter computed again from there on."""
    _decide(spell, reason, by, accepted=True)


@app.command(help="What the register showed in a spell is wrong; see meter spells for what that means.")
def reject(spell: Number, *, reason: Reason, by: By = "") -> None:
    """Keep a decision and have the counter computed again from there on."""
    _decide(spell, reason, by, accepted=False)


@app.command("ask-again", help="Take back what was decided about a spell: it waits for a person again.")
def ask_again(spell: Number, *, reason: Reason, by: By = "") -> None:
    """Take a decision back and have the counter computed again from there on."""
    spells, known = _known(spell)
    with written_as({"reason": "--reason"}):
        spells.ask_again(spell, by=given_by(by), at=datetime.now(UTC), reason=reason, based_on=known.changes)
    _say("cli.spell.asked_again", known)


def _decide(number: int, reason: str, by: str, *, accepted: bool) -> None:
    spells, known = _known(number)  # as it stands now: who commands has no page of it open
    now = datetime.now(UTC)
    with written_as({"reason": "--reason"}):
        spells.decide(number, accepted=accepted, by=given_by(by), at=now, reason=reason, based_on=known.changes)
    _say("cli.spell.accepted" if accepted else "cli.spell.rejected", known)


def _known(number: int) -> tuple[Spells, KeptSpell]:
    spells = Spells(open_records(Settings().records_url))
    known = spells.spell(number)
    if known is None:
        raise ConfigError(Problem("SPELL", f"there is no spell {number}", "a number that meter spells --all lists"))
    return spells, known


def _say(text_id: str, known: KeptSpell) -> None:
    say(text_id, number=known.number, meter=known.point.partition("/")[0])
    say("cli.meter.computed_again")
