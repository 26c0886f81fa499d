"""The ``meterhouse`` command: one word per thing a person or a service manager asks for."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from facility.errors import ConfigError, MeterhouseError
from meterhouse.commands import (
    access,
    account,
    alerts,
    demo,
    latest,
    meter,
    processes,
    profiles,
    quarantine,
    reconcile,
    site,
    status,
    store,
)

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="meterhouse",
    help="Watches the meters and security sensors of public buildings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(help="Start a live demo estate: real data of 2022 shown as today.")(demo.demo)
app.add_typer(site.app, name="site", help="Check, apply and export the estate (site.yaml).")
app.add_typer(store.app, name="store", help="Prepare, check and move the reading store.")
app.add_typer(account.app, name="account", help="Bills of buildings, closing of months, computing again.")
app.add_typer(meter.app, name="meter", help="The ledger of meters: list, history, swap, correct.")
app.command(help="Show the newest value of every point.")(latest.latest)
app.command(help="List alerts: what, where, since when, at what cost.")(alerts.alerts)
app.command(help="Show alarms, and how ingest and the agents fare.")(status.status)
app.add_typer(quarantine.app, name="quarantine", help="List, show, replay and discard what could not be stored.")
app.command(
    help="Compare what came in with what is stored, and mend what differs.", short_help="Mend what the store lacks."
)(reconcile.reconcile)
app.command(help="Print a one-time link to sign in to the console.")(access.sign_in)
app.command(help="List the device profiles that Meterhouse knows.")(profiles.profiles)
for name, (module, what, settings) in processes.PROCESSES.items():
    app.command(name, help=processes.explain(what, settings), short_help=what)(processes.runner(module))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"meterhouse {version('meterhouse')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Watches the meters and security sensors of public buildings."""


def main() -> None:
    """Run the command line; an error made on purpose is one clear sentence and an exit code, no traceback."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    try:
        app()
    except ConfigError as error:
        sys.exit(_say(error, EXIT_CONFIG))
    except MeterhouseError as error:
        sys.exit(_say(error, EXIT_FAILED))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _say(error: MeterhouseError, code: int) -> int:
    typer.echo(str(error), err=True)
    return code
