"""``meterhouse status``: what ingest and its agents say of themselves, alarms first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from console.system import System
from facility.errors import ConfigError
from meterhouse.commands.latest import format_age
from meterhouse.settings import Settings
from meterhouse.table import render_table

EXIT_ALARM = 1


def status() -> None:
    """Print alarms, totals and agents; the exit code is 1 while there is an alarm."""
    folder = Settings().data
    system = System(folder, lambda: datetime.now(UTC))
    if not (told := system.told()):
        path = folder / "ingest.json"
        raise ConfigError(f"{path} cannot be read: has ingest run with this folder (METERHOUSE_DATA)?")
    alarms, now_ms = system.alarms(), datetime.now(UTC).timestamp() * 1000
    for one in alarms:
        typer.echo(" ".join(["ALARM", one.alarm, *([f"agent {one.agent}"] if one.agent else []), one.words]).strip())
    typer.echo(f"ingest: {told['state']}")
    typer.echo(f"readings stored {told['stored']:,}, quarantined {told['quarantined']:,}, queue {told['queue']}")
    rows = [_row(agent, facts, now_ms) for agent, facts in sorted(told["agents"].items())]
    if rows:
        typer.echo(render_table(("agent", "state", "heard", "unstored", "buses"), rows, right=(3,)))
    if alarms:
        raise typer.Exit(EXIT_ALARM)


def _row(agent: str, facts: dict[str, Any], now_ms: float) -> tuple[str, ...]:
    heard = format_age(now_ms - facts["heard_ms"]) if facts.get("heard_ms") else "never"
    ill = [f"{bus}: {state}" for bus, state in facts.get("buses", {}).items() if state not in {"ok", "running"}]
    unstored = f"{facts.get('figures', {}).get('unstored', 0):,.0f}"
    return agent, facts.get("state", "unknown"), heard, unstored, "; ".join(ill) or "ok"
