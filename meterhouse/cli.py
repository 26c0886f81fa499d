"""The ``meterhouse`` command: one word per thing a person or a service manager asks for."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, cast

import typer

from facility.errors import ConfigError, MeterhouseError
from meterhouse.command_table import CommandTable
from meterhouse.language import known_language
from meterhouse.output import IN_LANGUAGE, METAVAR, speak, speak_as_terminal, speak_json, tell_failure
from process.privacy import keep_files_private
from process.threads import keep_arithmetic_in_one_thread

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
    language: Annotated[str, typer.Option("--language", metavar=METAVAR, help=IN_LANGUAGE)] = "",
) -> None:
    """Watches the meters and security sensors of public buildings."""
    del show_version  # it has been shown
    if language:
        speak(known_language(language, "--language"))
    else:
        speak_as_terminal(os.environ)


def main() -> None:
    """Run the command line; an error made on purpose is one clear sentence and an exit code, no traceback."""
    keep_files_private()
    keep_arithmetic_in_one_thread()
    for stream in (sys.stdout, sys.stderr):  # a terminal without Chinese shows ? for it, and the command goes on
        if isinstance(stream, TextIOWrapper):  # none where whoever started us closed it
            stream.reconfigure(errors="replace")
    speak_json("--json" in sys.argv)  # known before options are parsed: a wrong one is answered in JSON, too
    sys.exit(_run())


def _run() -> int | None:
    try:
        return cast("int | None", app(prog_name=str(app.info.name), standalone_mode=False))
    except ConfigError as error:
        return tell_failure(error, EXIT_CONFIG)
    except (MeterhouseError, typer.Abort) as error:
        return tell_failure(error, EXIT_FAILED)
    except typer.TyperException as error:
        return tell_failure(error, error.exit_code)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
