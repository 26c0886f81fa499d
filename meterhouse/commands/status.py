"""``meterhouse status``: what ingest and its agents say of themselves, alarms first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import typer

from facility.errors import ConfigError
from facility.system_alarm import raised
from meterhouse.commands.latest import format_age
from meterhouse.settings import Settings
from meterhouse.table import render_table

EXIT_ALARM = 1


def status() -> None:
    """Print alarms, totals and agents; the exit code is 1 while there is an alarm."""
    path = Settings().data / "ingest.json"
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there: ingest has not run with this data folder (METERHOUSE_DATA)") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    now_ms = datetime.now(UTC).timestamp() * 1000
    alarms = list(raised(told))
    for one in alarms:
        typer.echo(" ".join(["ALARM", one.alarm, *([f"agent {one.agent}"] if one.agent else []), one.words]).strip())
    typer.echo(f"ingest: {told['state']}, as of {format_age(now_ms - path.stat().st_mtime * 1000)} ago")
    typer.echo(f"readings stored {told['stored']:,}, quarantined {told['quarantined']:,}, queue {told['queue']}")
    rows = [_row(agent, facts, now_ms) for agent, facts in sorted(told["agents"].items())]
    if rows:
        typer.echo(render_table(("agent", "state", "heard", "unstored", "buses"), rows, right=(3,)))
    if alarms:
        raise typer.Exit(EXIT_ALARM)


def _row(agent: str, facts: dict[str, Any], now_ms: float) -> tuple[str, ...]:
    heard = format_age(now_ms - facts["at_ms"]) if facts.get("at_ms") else "never"
    ill = [f"{bus}: {state}" for bus, state in facts.get("buses", {}).items() if state not in {"ok", "running"}]
    unstored = f"{facts.get('figures', {}).get('unstored', 0):,.0f}"
    return agent, facts.get("state", "unknown"), heard, unstored, "; ".join(ill) or "ok"
