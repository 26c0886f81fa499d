"""``meterhouse dashboards``: make, check and push what people look at in Grafana."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accounting.local_time import DAY_MS
from facility.errors import ConfigError, Problem
from meterhouse.answers.dashboards import BuiltDashboards, CheckedDashboards, LeftOutAnswer, PushedDashboards
from meterhouse.output import answer, answers, texts, warn
from meterhouse.settings import GrafanaSettings, Settings
from stores.readings import place_of
from stores.readings.influx.address import is_influx
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.site_file import read_site

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

NEEDED = {"grafana_foundation_sdk": "grafana-foundation-sdk", "grafana_api": "grafana-api"}

Folder = Annotated[Path, typer.Option("--out", help="The folder, with en and zh-Hans in it.")]
Site = Annotated[Path | None, typer.Option("--site", help="A site.yaml; else the estate that the registry holds.")]
Console = Annotated[
    str, typer.Option(envvar="METERHOUSE_CONSOLE_URL", help="Where a browser reaches the console; links lead there.")
]

CONSOLE = "http://127.0.0.1:8080"
OUT = Path("dashboards/generated")

TRIED_DAYS = 30
"""Queries are tried with so many days."""


@app.command(
    help="Make the dashboards of the estate, in both languages: what differs is written, what is not theirs removed.",
    short_help="Make the estate's dashboards as files.",
)
@answers(BuiltDashboards)
def build(*, out: Folder = OUT, site: Site = None, console: Console = CONSOLE) -> None:
    """Write the files; again, nothing changes."""
    _check_installed()
    from dashboards.build import texts_of, write  # noqa: PLC0415 - the SDK is optional

    estate, boards = _made(site, console)
    changed, gone = write(out, texts_of(boards))
    done = BuiltDashboards(str(out), len(boards), changed, gone, _left_out(estate))
    answer(done, lambda: texts()("cli.dashboards.built", n=done.dashboards, changed=len(changed), gone=len(gone)))


@app.command(
    help="Say whether the files are as they would be made now, and whether anything on a dashboard is wrong: an unknown"
    " name, unit or colour, a text without translation or room, a query without bound.",
    short_help="Say what is wrong with the dashboards, if anything.",
)
@answers(CheckedDashboards)
def check(*, out: Folder = OUT, site: Site = None, console: Console = CONSOLE) -> None:
    """Exit 2 with every problem where there is one."""
    _check_installed()
    from dashboards.build import differences, texts_of  # noqa: PLC0415 - the SDK is optional
    from dashboards.check import problems  # noqa: PLC0415

    estate, boards = _made(site, console)
    found = [*problems(boards, estate), *differences(out, texts_of(boards))]
    if found:
        raise ConfigError(*found)
    good = CheckedDashboards(str(out), len(boards), _left_out(estate))
    answer(good, lambda: texts()("cli.dashboards.good", n=good.dashboards))


@app.command(
    help="Bring the dashboards to a Grafana 12 that takes no files: folders with permissions, data source, dashboards,"
    " home dashboard in the language of this command. All or nothing; again, it changes nothing. The token stands in"
    " METERHOUSE_GRAFANA_TOKEN, the account that reads the InfluxDB in METERHOUSE_GRAFANA_STORE.",
    short_help="Bring the dashboards to a Grafana.",
)
@answers(PushedDashboards)
def push(
    *,
    url: Annotated[str, typer.Option("--url", help="Where Grafana answers; else METERHOUSE_GRAFANA_URL.")] = "",
    site: Site = None,
    console: Console = CONSOLE,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also over what was edited by hand.")] = False,
) -> None:
    """Push, read back, ask every query once."""
    _check_installed()
    from dashboards.build import SHIPPED  # noqa: PLC0415 - the SDK is optional
    from dashboards.check import problems  # noqa: PLC0415
    from dashboards.grafana import URL, Grafana  # noqa: PLC0415
    from dashboards.push import Wish, bring  # noqa: PLC0415
    from stores.readings.influx.address import influx_address  # noqa: PLC0415

    settings = GrafanaSettings()
    where = url or settings.grafana_url
    if not where:
        raise ConfigError(Problem(URL, "is not set, and there is no --url", "http://host:3000"))
    grafana = Grafana(where, settings.grafana_token)
    estate, boards = _made(site, console)
    if found := problems(boards, estate):
        raise ConfigError(*found)
    address = influx_address(settings.grafana_store) if settings.grafana_store else None
    if address:
        _check_level(estate, SHIPPED, address.place)
    home = f"estate-{texts().language}"
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    wish = Wish(estate, boards, SHIPPED, home, address, overwrite)
    done = bring(grafana, wish, (now_ms - TRIED_DAYS * DAY_MS, now_ms))
    pushed = PushedDashboards(grafana.place, **asdict(done), left_out=_left_out(estate))
    answer(pushed, lambda: texts()("cli.dashboards.pushed", **_counts(pushed)))


def _check_level(estate: Catalogue, level: Level, place: str) -> None:
    """Raise ``ConfigError`` where Grafana would read what is above the level, however its dashboards are made."""
    store = Settings().store_url
    above = [one.id for one in estate.points if one.level is None or one.level > level]
    if above and is_influx(store) and place_of(store) == place:
        what = f"names the database of everything, and {above[0]} is above {level.word}"
        raise ConfigError(Problem("METERHOUSE_GRAFANA_STORE", what, "the database of METERHOUSE_SHOWN_STORE"))


def _counts(pushed: PushedDashboards) -> dict[str, object]:
    """Lists as how many."""
    return {name: len(some) if isinstance(some, list) else some for name, some in asdict(pushed).items()}


def estate_of(site: Path | None) -> Catalogue:
    """The estate of a file, or of the registry. Raises ``ConfigError`` where there is none yet."""
    if site is not None:
        return read_site(site, Settings().known_profiles())
    registry = Registry(open_records(Settings().records_url))
    if not registry.version():
        raise ConfigError("there is no estate yet: run meterhouse site apply, or name a file with --site")
    return registry.load()


def _made(site: Path | None, console: str) -> tuple[Catalogue, dict[str, dict[str, Any]]]:
    """The estate and its dashboards, whose links lead to the console. Raises ``ConfigError`` for a wrong address."""
    from dashboards.build import made  # noqa: PLC0415 - the SDK is optional

    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", console):
        what = "--console or METERHOUSE_CONSOLE_URL"
        raise ConfigError(Problem(what, "is no address that a browser opens", "https://host or https://host/path"))
    estate = estate_of(site)
    return estate, made(estate, console=console)


def _left_out(estate: Catalogue) -> list[LeftOutAnswer]:
    """Tells, too, which dashboards the estate does not have."""
    from dashboards.build import left_out  # noqa: PLC0415 - the SDK is optional

    found = [LeftOutAnswer(one.dashboard, one.utility) for one in left_out(estate)]
    for one in found:
        said = {"dashboard": texts()(f"board.{one.dashboard}.title"), "utility": texts()(f"utility.{one.utility}")}
        warn(texts()("cli.dashboards.left_out", **said))
    return found


def _check_installed() -> None:
    lacking = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if lacking:
        raise ConfigError(f"{', '.join(lacking)} is not installed: install meterhouse[dashboards]")
