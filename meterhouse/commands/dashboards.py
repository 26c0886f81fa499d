"""``meterhouse dashboards``: make, check and push what people look at in Grafana."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from device_profiles import load_profiles
from facility.errors import ConfigError
from meterhouse.answers.dashboards import BuiltDashboards, CheckedDashboards, LeftOutAnswer
from meterhouse.output import answer, answers, texts, warn
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.site_file import read_site

if TYPE_CHECKING:
    from facility.catalogue import Catalogue

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

NEEDED = {"grafana_foundation_sdk": "grafana-foundation-sdk", "grafana_api": "grafana-api"}

Folder = Annotated[Path, typer.Option("--out", help="The folder, with en and zh-Hans in it.")]
Site = Annotated[Path | None, typer.Option("--site", help="A site.yaml; else the estate that the registry holds.")]
Console = Annotated[
    str, typer.Option(envvar="METERHOUSE_CONSOLE_URL", help="Where a browser reaches the console; links lead there.")
]

CONSOLE = "http://127.0.0.1:8080"
OUT = Path("dashboards/generated")


@app.command(
    help="Make the dashboards of the estate, in both languages: what differs is written, what is not theirs removed.",
    short_help="Make the estate's dashboards as files.",
)
@answers(BuiltDashboards)
def build(*, out: Folder = OUT, site: Site = None, console: Console = CONSOLE) -> None:
    """Write the files; again, nothing changes."""
    _check_installed()
    from dashboards.build import made, texts_of, write  # noqa: PLC0415 - the SDK is optional

    estate = estate_of(site)
    boards = made(estate, console=console)
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
    from dashboards.build import differences, made, texts_of  # noqa: PLC0415 - the SDK is optional
    from dashboards.check import problems  # noqa: PLC0415

    estate = estate_of(site)
    boards = made(estate, console=console)
    found = [*problems(boards, estate), *differences(out, texts_of(boards))]
    if found:
        raise ConfigError(*found)
    good = CheckedDashboards(str(out), len(boards), _left_out(estate))
    answer(good, lambda: texts()("cli.dashboards.good", n=good.dashboards))


def estate_of(site: Path | None) -> Catalogue:
    """The estate of a file, or of the registry. Raises ``ConfigError`` where there is none yet."""
    if site is not None:
        return read_site(site, load_profiles())
    registry = Registry(open_records(Settings().records_url))
    if not registry.version():
        raise ConfigError("there is no estate yet: run meterhouse site apply, or name a file with --site")
    return registry.load()


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
