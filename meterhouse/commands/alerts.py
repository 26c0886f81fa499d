"""``meterhouse alerts``: the cases, as sentences."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from console.cases import in_order
from facility.work import AlertState
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.alerts import render

if TYPE_CHECKING:
    from facility.work import Alert


class Language(StrEnum):
    """Languages of the texts."""

    EN = "en"
    ZH = "zh-Hans"


def alerts(
    *,
    language: Annotated[Language, typer.Option("--language", help="Language of the sentences.")] = Language.EN,
    everything: Annotated[bool, typer.Option("--all", help="Closed cases too.")] = False,
) -> None:
    """Print one line per case: open ones first, newest first."""
    records = open_records(Settings().records_url)
    estate = Registry(records).load()
    states = None if everything else [s for s in AlertState if s is not AlertState.CLOSED]
    cases = in_order(Casebook(records).alerts(states=states))
    if not cases:
        typer.echo("no alerts.")
        return
    zone = ZoneInfo(estate.site.timezone)
    rows = [
        (
            f"{alert.since.astimezone(zone):%Y-%m-%d %H:%M}",
            alert.state.value,
            estate.building[alert.building].name.in_language(language.value),
            render(alert.message_id, alert.params, language.value, estate).what,
            _cost(alert),
        )
        for alert in cases
    ]
    typer.echo(render_table(("since", "state", "building", "what", "cost so far"), rows, right=(4,)))


def _cost(alert: Alert) -> str:
    return f"{alert.money.to_date:,.2f} {alert.money.currency}" if alert.money else "–"
