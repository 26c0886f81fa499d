"""Which commands there are. A command's module is imported when it is asked for: most need a database, some arrays."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand, TyperGroup

from meterhouse.commands.processes import PROCESSES, edge_runner, explain, runner
from meterhouse.output import spoken_options

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init:init", "Write the first files of a server, by six questions."),
    "up": ("up:up", "Start the server of a site: broker, ingest, analytics, console."),
    "down": ("up:down", "End the server."),
    "restart": ("up:restart", "Let the server begin anew with its settings."),
    "prepare": ("up:prepare_folder", "Make what a server's processes need, start none."),
    "healthy": ("healthy:healthy", "Say whether a process makes progress, for health checks."),
    "agent": ("agent:app", "Make, list and end accounts of edge agents."),
    "settings": ("settings:app", "Show what a server is set to, and who says so."),
    "backup": ("backup:backup", "Write a backup of a server, while it runs."),
    "restore": ("restore:restore", "Put a backup in the place of a server's folder."),
    "upgrade": ("upgrade:upgrade", "Bring a data folder to this release's form."),
    "rollback": ("upgrade:rollback", "Put the data folder of before an upgrade back."),
    "demo": ("demo:demo", "Start a live demo estate: real data of 2022 shown as today."),
    "latest": ("latest:latest", "Show the newest value of every point."),
    "alerts": ("alerts:alerts", "List alerts: what, where, since when, at what cost."),
    "cases": ("cases:app", "Work on cases: take, snooze, close; plans; figures."),
    "status": ("status:status", "Show alarms, and how ingest and the agents fare."),
    "doctor": ("doctor:doctor", "Say how the server itself stands, and what to do."),
    "reconcile": ("reconcile:reconcile", "Mend what the store lacks of what came in."),
    "sign-in": ("access:sign_in", "Print a one-time link to sign in to the console."),
    "people": ("people:app", "Who may come in, and what each may do."),
    "notify": ("notify:app", "Who is told of cases, by which courier; try one."),
    "orders": ("orders:app", "Work orders: list, make, give, to and from a table."),
    "roster": ("roster:app", "Who takes work orders, and when they are on shift."),
    "profiles": ("profiles:profiles", "List the device profiles that Meterhouse knows."),
    "profile": ("profile:app", "Check device profiles: every example is decoded."),
    "site": ("site:app", "Check, apply and export the estate (site.yaml)."),
    "store": ("store:app", "Prepare, check and move the reading store."),
    "records": ("records:app", "Move the records between SQLite and PostgreSQL."),
    "dashboards": ("dashboards:app", "Make, check and push the dashboards for Grafana."),
    "account": ("account:app", "Bills of buildings, closing of months, computing again."),
    "import": ("imports:app", "Readings and meters from CSV or Excel: preview, confirm, undo."),
    "export": ("estate_tables:app", "The estate's meters and both its trees as a table; readings."),
    "indicators": ("indicators:app", "Standard coal, CO2, per area, per person; codes of energy items."),
    "meter": ("meter:app", "The ledger of meters, and registers in doubt."),
    "audit": ("audit:app", "Hold what people did against its seals."),
    "quarantine": ("quarantine:app", "List, show, replay and discard what could not be stored."),
}
"""Command → (module of ``meterhouse.commands`` and what in it, one line of help)."""

LINES = {name: line for name, (_, line) in COMMANDS.items()} | {name: line for name, (_, line, _) in PROCESSES.items()}


class CommandTable(TyperGroup):
    """Lists commands by their lines alone; imports the one that is run."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002, D102
        return list(LINES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]  # noqa: ARG002, D102
        return TyperCommand(cmd_name, help=LINES[cmd_name], rich_markup_mode=None) if cmd_name in LINES else None

    def resolve_command(self, ctx: typer.Context, args: list[str]):  # type: ignore[no-untyped-def, override]  # noqa: ANN201, D102
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _load(str(name)), rest


def _load(name: str) -> object:
    holder = typer.Typer(rich_markup_mode=None, add_completion=False)
    holder.callback()(_nothing)  # makes it a group, however few commands it holds
    if name in PROCESSES:
        module, line, settings = PROCESSES[name]
        if name == "edge":
            holder.add_typer(_edge(module, explain(line, settings)), name=name)
        else:
            holder.command(name, help=explain(line, settings))(runner(module, name))
    else:
        place, line = COMMANDS[name]
        module, _, attribute = place.partition(":")
        found = getattr(import_module(f"meterhouse.commands.{module}"), attribute)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name, help=line)
        else:
            holder.command(name, help=line)(found)
    group = typer.main.get_command(holder)
    assert isinstance(group, TyperGroup)
    found_command = group.commands[name]
    if name not in PROCESSES:
        _teach_to_speak(group)
    elif isinstance(found_command, TyperGroup):
        _teach_to_speak(found_command)
    return found_command


def _edge(module: str, page: str) -> typer.Typer:
    """An agent runs; beside it one device can be read, on its machine and without a server's packages."""
    from meterhouse.commands.probe import probe  # noqa: PLC0415 - the list of commands needs no drivers

    edge = typer.Typer(rich_markup_mode=None)
    edge.callback(invoke_without_command=True, help=page)(edge_runner(module))
    edge.command(help="Read one device now, with no broker and no server.")(probe)
    return edge


def _teach_to_speak(group: TyperGroup) -> None:
    """Give each command the options that say how it speaks."""
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            _teach_to_speak(command)
        else:
            command.params += spoken_options(answers_json=hasattr(command.callback, "answer"))


def _nothing() -> None:
    """Only its subcommands do anything."""
