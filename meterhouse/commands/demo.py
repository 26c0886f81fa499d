"""``meterhouse demo``: a live estate in a browser, from nothing, by one command."""

from __future__ import annotations

import shlex
import signal
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import Unavailable
from meterhouse.commands.access import one_time_link
from meterhouse.demo.report import make_place, summary_rows
from meterhouse.demo.run import Demo
from meterhouse.output import facts, say, texts
from meterhouse.servers.influxd import OWN_INFLUX, USER
from process.logging import begin_log
from process.settings import ProcessSettings, read_settings
from stores.readings.influx.address import is_influx

if TYPE_CHECKING:
    from types import FrameType

PERSON = "demo"
INTERRUPTED = 130


class Until(StrEnum):
    """When the command ends."""

    STOPPED = "stopped"
    READY = "ready"


def demo(
    *,
    data: Annotated[Path, typer.Option("--data", help="Folder of the demo; a second start resumes there.")] = Path(
        "demo-data"
    ),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the console.")] = 8080,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Show this day as today (first start).")
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            "--store",
            envvar="METERHOUSE_DEMO_STORE",
            help="sqlite, influx (an influxd of its own), or an InfluxDB's URL; with a password: by the environment.",
        ),
    ] = "sqlite",
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the folder's earlier demo first.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="No sign-in link: for scripts.")] = False,
    until: Annotated[Until, typer.Option("--until", help="End when ready, or when stopped.")] = Until.STOPPED,
    report: Annotated[Path | None, typer.Option("--report", help="Write what was proved here, as JSON.")] = None,
) -> None:
    """Start everything, show how far it is, print what was proved, and stay until Ctrl-C."""
    begin_log(read_settings(ProcessSettings))
    listen = f"127.0.0.1:{port}"
    running = Demo(data.absolute(), listen, "" if store == "sqlite" else store)
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell may have started us with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        if report:
            make_place(report)
        say("cli.demo.preparing")
        running.prepare(as_of.date() if as_of else None, fresh=fresh)
        _run(running, until, report, None if headless else listen)
    except KeyboardInterrupt:
        say("cli.demo.stopping")
        if until is Until.READY:
            raise typer.Exit(INTERRUPTED) from None
    finally:
        running.stop()
    if until is Until.STOPPED:
        say("cli.demo.stopped", folder=data)


def _run(running: Demo, until: Until, report: Path | None, address: str | None) -> None:
    say("cli.demo.ends", day=running.shift.last_day)
    running.start()
    if address:
        say("cli.demo.live", link=_link(running, address))
    seconds = running.wait_until_ready()
    running.send_people()
    proved = running.report(seconds)
    proof = [*summary_rows(texts(), proved), (texts()("cli.demo.page"), f"http://{running.listen}")]
    say("cli.demo.ready", facts=facts(proof))
    if report:
        proved.write(report)
    if not proved.is_proved:
        raise Unavailable(texts()("cli.demo.unproved"))
    if until is Until.READY:
        return
    if address:
        say("cli.demo.open", link=_link(running, address))
        say("cli.demo.other_commands", folder=running.folder, address=address)
        _tell_of_grafana(running)
    while True:
        running.supervisor.watch(3600)


def _tell_of_grafana(running: Demo) -> None:
    """How a Grafana that somebody has is given the demo's dashboards: it reads an InfluxDB alone."""
    if is_influx(running.settings.store_url):
        store = _store_to_say(running)
        say(
            "cli.demo.grafana", folder=shlex.quote(str(running.folder)), store=store, console=f"http://{running.listen}"
        )


def _store_to_say(running: Demo) -> str:
    """The store's URL as a shell takes it: never with a secret, but with where it stands, or what to put there."""
    before, sign, place = running.settings.store_url.rpartition("@")
    if not sign:
        return place
    scheme = before.partition("://")[0]
    secret = "READ_TOKEN" if "token" in scheme else "READER:PASSWORD"
    if running.store == OWN_INFLUX:
        secret = f"{USER}:$(cat {shlex.quote(str(running.folder / 'influxd' / 'password'))})"
    return f'"{scheme}://{secret}@{place}"'


def _link(running: Demo, address: str) -> str:
    return one_time_link(running.records, PERSON, address, datetime.now(UTC))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # an impatient second Ctrl-C must not leave processes behind
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
