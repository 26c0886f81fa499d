"""The ``meterhouse`` command: one word per thing a person or a service manager asks for."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from facility.errors import ConfigError, MeterhouseError
from meterhouse.command_table import CommandTable

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="meterhouse",
    help="Watches the meters and security sensors of public buildings.",
    cls=CommandTable,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
