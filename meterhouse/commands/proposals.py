"""``meterhouse account proposals``, ``accept-entry``, ``dismiss-entry``, ``ask-again``: closed months judged anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.answers.proposals import ProposalsAnswer, proposal_answer, proposals_table
from meterhouse.commands.spoken import formats_of, given_by, written_as
from meterhouse.commands.taking import looked_at
from meterhouse.output import answer, answers, say
from meterhouse.settings import Settings
from stores.records.accounting.proposals import Proposals
from stores.records.database import open_records
from stores.records.registry import Registry

app = typer.Typer(no_args_is_help=True)

LARGEST = 2**31 - 1
"""No entry has a greater number."""

Entry = Annotated[int, typer.Argument(metavar="ENTRY", help="Its number in the list.", min=1, max=LARGEST)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the entry and in the audit trail.")]
By = Annotated[str, typer.Option("--by", help="Who decides; you, unless said otherwise.")]


@app.command(help="Adjusting entries that wait for a person: what closed months turned out to be, judged anew.")
@answers(ProposalsAnswer)
def proposals(
    *,
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Accepted and dismissed ones too.")] = False,
) -> None:
    """Print proposed entries."""
    records = open_records(Settings().records_url)
    estate, entries = Registry(records).load(), Proposals(records)
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    kept = entries.all_of(building) if everything else entries.open_ones(building)
    points = {point.id for one in kept for point in estate.points_of(one.meter)}
    looked_at(records, estate, "adjusting entries", sorted(points))
    found = [proposal_answer(one, estate.site.currency) for one in kept]
    answer(ProposalsAnswer(found), lambda: proposals_table(found, formats_of(estate.site)))


@app.command("accept-entry", help="Enter a proposed entry: it stands on the bill of the present month.")
def accept_entry(entry: Entry, *, reason: Reason, by: By = "") -> None:
    """Enter what was proposed, audited."""
    _decide(entry, reason, by, enter=True)
    say("cli.proposal.entered", entry=entry)


@app.command("dismiss-entry", help="Dismiss a proposed entry: it stands on no bill, and is not proposed again.")
def dismiss_entry(entry: Entry, *, reason: Reason, by: By = "") -> None:
    """Give up what was proposed, audited."""
    _decide(entry, reason, by, enter=False)
    say("cli.proposal.dismissed", entry=entry)


@app.command("ask-again", help="Take back what was decided about an entry, until a bill that shows it is closed.")
def ask_again(entry: Entry, *, reason: Reason, by: By = "") -> None:
    """The entry waits for a person again, audited."""
    entries = Proposals(open_records(Settings().records_url))
    with written_as({"reason": "--reason", "unknown_proposal": "ENTRY"}):
        entries.ask_again(entry, by=given_by(by), at=datetime.now(UTC), reason=reason)
    say("cli.proposal.asked_again", entry=entry)


def _decide(entry: int, reason: str, by: str, *, enter: bool) -> None:
    entries = Proposals(open_records(Settings().records_url))
    with written_as({"reason": "--reason", "unknown_proposal": "ENTRY"}):
        entries.decide(entry, enter=enter, by=given_by(by), at=datetime.now(UTC), reason=reason)
