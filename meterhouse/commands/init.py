"""``meterhouse init``: the first files of a server, by six questions at most."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from facility.errors import ConfigError
from meterhouse.language import SETTING, known_language
from meterhouse.output import say, speak, texts
from meterhouse.settings import DEFAULT_DATA
from meterhouse.up.beginning import DEFAULT_LISTEN, Answers, begin, check_answer, currency_of, zone_here

Folder = Annotated[Path, typer.Option("--data", envvar="METERHOUSE_DATA", help="Folder of the server.")]


def init(
    data: Folder = DEFAULT_DATA,
    name: Annotated[str, typer.Option("--name", help="What people call the site.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Its time zone, such as Asia/Shanghai.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="What is paid with, such as EUR.")] = "",
    listen: Annotated[str, typer.Option("--listen", help="Where the console listens: host and port.")] = "",
    custodian: Annotated[
        str, typer.Option("--custodian", help="Who decides about data levels; then each point needs one.")
    ] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the default of what no option says.")] = False,
) -> None:
    """Write site.yaml and settings.env; asks for what no option says, at a terminal alone."""
    asks = not yes and sys.stdin is not None and sys.stdin.isatty()
    if asks and "--language" not in sys.argv:
        speak(_asked("language", texts().language, asks=asks))
    language = texts().language
    site = name or _asked("name", texts()("init.default_name"), asks=asks)
    place = zone or _asked("zone", zone_here(), asks=asks)
    paid = currency or _asked("currency", currency_of(place, language), asks=asks)
    where = listen or _asked("listen", DEFAULT_LISTEN, asks=asks)
    decides = custodian or _asked("custodian", "", asks=asks)
    begin(data, Answers(language, site, place, paid, where, decides), texts())
    say("init.done", folder=data, up="meterhouse up" if data == DEFAULT_DATA else f"meterhouse up --data {data}")


def _asked(what: str, default: str, *, asks: bool) -> str:
    """The answer, asked for again until it can be used."""
    if not asks:
        return default
    question = {
        "language": "init.ask.language",
        "name": "init.ask.name",
        "zone": "init.ask.zone",
        "currency": "init.ask.currency",
        "listen": "init.ask.listen",
        "custodian": "init.ask.custodian",
    }[what]
    while True:
        said = str(typer.prompt(texts()(question), default=default, show_default=bool(default))).strip()
        try:
            return known_language(said, SETTING) if what == "language" else check_answer(what, said)
        except ConfigError as error:
            typer.echo(str(error), err=True)
