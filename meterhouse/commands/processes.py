"""``meterhouse edge``, ``ingest``, ``analytics``, ``console``: one process in the foreground, for a service manager."""

from __future__ import annotations

import os
import runpy
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = {
    "edge": (
        "edge_agent",
        "Run an edge agent: reads meters, keeps every reading.",
        ("data", "broker", "site", "agent"),
    ),
    "ingest": (
        "ingest",
        "Run ingest: checks, stores and acknowledges readings.",
        ("data", "broker", "store", "records"),
    ),
    "analytics": ("analytics", "Run analytics: rollups, baselines, alerts.", ("data", "store", "records")),
    "console": ("console", "Run the console: the web pages.", ("listen", "store", "records")),
}
"""Command → (module, help, what is set)."""

SETTINGS = {
    "data": "the folder of what is kept (meterhouse-data)",
    "broker": "mqtt://user:password@host:1883",
    "site": "the site.yaml that the agent reads (site.yaml)",
    "agent": "which of the site's agents this is",
    "listen": "host and port of the pages (127.0.0.1:8080)",
    "store": "URL of the reading store (a file in the folder)",
    "records": "URL of the records (a file in the folder)",
}
"""Setting → what it is, and in brackets its default."""


def explain(what: str, names: tuple[str, ...]) -> str:
    """A command's help: what it does and what it takes from the environment."""
    lines = [f"  METERHOUSE_{name.upper():8} {SETTINGS[name]}" for name in names]
    return "\n".join([what, "", "\b", "It takes from the environment:", *lines])


def edge_runner(module: str) -> Callable[..., None]:
    """The same for an agent, which may be given everything by one file."""

    def run(
        context: typer.Context,
        join: Annotated[
            Path | None,
            typer.Option(
                "--join",
                help="A file of 'meterhouse agent add' or with its code (- to paste): taken in, then no more needed.",
            ),
        ] = None,
    ) -> None:
        if context.invoked_subcommand:
            return
        if join is not None:
            from meterhouse.settings import Settings  # noqa: PLC0415
            from meterhouse.up import join as joining  # noqa: PLC0415

            joining.join(joining.read_join_file(join), Settings().data)
        runner(module, "edge")()

    return run


def runner(module: str, name: str) -> Callable[[], None]:
    """A command that runs ``module`` until it is told to stop, on the stores that the other commands read."""

    def run() -> None:
        # The list of commands needs none of these.
        from meterhouse.settings import Settings  # noqa: PLC0415
        from meterhouse.up.folder import check_version  # noqa: PLC0415
        from meterhouse.up.settings_file import adopt, adopt_process  # noqa: PLC0415

        check_version(Settings().data)
        adopt_process(Settings().data, name)
        adopt(Settings().data)
        settings = Settings()
        own = {"DATA": str(settings.data), "STORE": settings.store_url, "RECORDS": settings.records_url}
        for key, value in own.items():
            os.environ.setdefault(f"METERHOUSE_{key}", value)
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    return run
