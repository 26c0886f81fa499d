"""``meterhouse store``: prepare, check and move the reading store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, StoreUnavailable
from facility.so_many import so_many
from facility.status import ServerProcess
from ingest.confirmed import note_moved
from meterhouse.answers.move_progress import MoveProgress
from meterhouse.answers.store import MoveAnswer, StoreAnswer, facts_of, move_facts
from meterhouse.output import answer, answers, facts, say, texts, warn
from meterhouse.settings import Settings
from meterhouse.store_setup import check_exists, prepare_store
from stores.readings import influx_connection, open_readings, place_of
from stores.readings.influx.address import is_influx
from stores.readings.migrate import copy
from stores.readings.series import NEAR_SHARE, SERIES_BUDGET, SeriesUse, count_series
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

MOST_DAYS = 36_500
"""InfluxDB counts in nanoseconds: much more and it would take them for fewer."""

Days = Annotated[
    int | None, typer.Option(min=0, max=MOST_DAYS, help="Days; 0 keeps for ever; unsaid, it stays (new: for ever).")
]


@app.command(
    help="Create database, retention and mappings in an InfluxDB; again, it adjusts them.",
    short_help="Prepare an InfluxDB: database, retention, mappings.",
)
def init(
    *,
    raw_days: Days = None,
    hourly_days: Days = None,
    daily_days: Days = None,
    shorten: Annotated[
        bool, typer.Option("--shorten", help="Keep for less long than before: what is older is deleted at once.")
    ] = False,
) -> None:
    """Prepare the stores that METERHOUSE_STORE and METERHOUSE_SHOWN_STORE name."""
    settings = Settings()
    site = Registry(open_records(settings.records_url)).load().site.id
    for url in filter(None, (settings.store_url, settings.shown_store)):
        prepare_store(url, site, _now_ms(), (raw_days, hourly_days, daily_days), may_shorten=shorten)
    say("cli.store.ready", site=site)


@app.command(
    help="Say in one sentence what is wrong with the store, or that nothing is.",
    short_help="Say what is wrong with the store, if anything.",
)
@answers(StoreAnswer)
def check(
    *,
    series_budget: Annotated[
        int, typer.Option(min=1, envvar="METERHOUSE_SERIES_BUDGET", help="Series that the site may have.")
    ] = SERIES_BUDGET,
) -> None:
    """Look at the store that METERHOUSE_STORE names, and write a little to it."""
    settings = Settings()
    records = open_records(settings.records_url)
    registry = Registry(records)
    series = SeriesUse(count_series(registry.load()) if registry.version() else 0, series_budget)
    found = (
        _influx_answer(settings, records, series)
        if is_influx(settings.store_url)
        else _file_answer(settings, records, series)
    )
    answer(found, lambda: facts(facts_of(texts(), found)))
    _check_whole(found)
    _check_here(found)
    _judge(SeriesUse(max(series.series, found.series_in_server or 0), series_budget))


def _file_answer(settings: Settings, records: Engine, series: SeriesUse) -> StoreAnswer:
    """How a file is, every row of it judged."""
    check_exists(settings.store_url)
    store, place = open_readings(settings.store_url), place_of(settings.store_url)
    spoilt = store.count_spoilt(lambda: None) if isinstance(store, SqliteStore) else None
    elsewhere, _ = StatusBoard(records).stored_elsewhere(place)
    return StoreAnswer(
        "file",
        place,
        series.series,
        series.budget,
        points=len(store.latest()),
        spoilt=spoilt.readings.total() + spoilt.rollups.total() if spoilt is not None else None,
        ingest_elsewhere=elsewhere or None,
    )


def _influx_answer(settings: Settings, records: Engine, series: SeriesUse) -> StoreAnswer:
    """How an InfluxDB is. Raises ``StoreUnavailable`` for one that is not in order."""
    from stores.readings.influx.setup import (  # noqa: PLC0415 - the client is optional
        count_readings,
        look_over,
        server_series,
    )

    registry, wire = Registry(records), influx_connection(settings.store_url)
    found = look_over(wire, registry.load().site.id if registry.version() else None, _now_ms())
    stored = count_readings(wire, _now_ms())
    confirmed, elsewhere = _confirmed(StatusBoard(records), place_of(settings.store_url))
    return StoreAnswer(
        "influxdb",
        found.place,
        series.series,
        series.budget,
        site=found.site,
        schema=found.schema,
        kept_days=dict(found.kept_days),
        readings=stored,
        confirmed=confirmed,
        series_in_server=server_series(wire),
        ingest_elsewhere=elsewhere or None,
    )


def _check_whole(found: StoreAnswer) -> None:
    """Raise ``StoreUnavailable`` for an InfluxDB that keeps for ever and has fewer readings than it has confirmed."""
    lost = found.confirmed - found.readings if found.confirmed is not None and found.readings is not None else 0
    if lost > 0 and not (found.kept_days or {}).get("raw"):
        raise StoreUnavailable(
            f"the store lacks {so_many(lost, 'reading')} that it has confirmed to ingest:"
            " meterhouse reconcile brings back what journal and agents still have"
        )


def _check_here(found: StoreAnswer) -> None:
    """Raise ``StoreUnavailable`` where ingest has stored in another store."""
    if found.ingest_elsewhere:
        raise StoreUnavailable(
            f"the readings of this site are in {found.ingest_elsewhere}: bring them over with 'meterhouse store"
            " migrate', or name that store"
        )
    if found.spoilt:
        raise StoreUnavailable(
            f"the disk has changed {so_many(found.spoilt, 'row')}: ingest takes that out and brings back what it can"
        )


def _judge(series: SeriesUse) -> None:
    """A warning near the budget; raises ``StoreUnavailable`` beyond it."""
    if series.is_over:
        raise StoreUnavailable(
            f"{series} series: watch fewer points, or raise METERHOUSE_SERIES_BUDGET if the store has the memory"
        )
    if series.is_near:
        words = {"series": f"{series.series:,}", "budget": f"{series.budget:,}", "share": f"{NEAR_SHARE:.0%}"}
        warn(texts()("cli.store.near_budget", **words))


@app.command(
    help="Copy all readings and rollups to another store; cut short, the same command goes on."
    " Stop ingest first: the agents keep what they read meanwhile. A URL with a password belongs in the environment,"
    " for everybody on the machine can read a command line.",
    short_help="Copy everything to another store.",
)
@answers(MoveAnswer)
def migrate(
    to: Annotated[str, typer.Option(envvar="METERHOUSE_STORE_TO", help="URL of the store that is filled.")],
    source: Annotated[
        str, typer.Option("--from", envvar="METERHOUSE_STORE_FROM", help="URL of the other; METERHOUSE_STORE if none.")
    ] = "",
) -> None:
    """Copy, count and sum; exit 1 if the two differ in the end."""
    settings = Settings()
    records = open_records(settings.records_url)
    registry = Registry(records)
    from_url = source or settings.store_url
    if place_of(from_url) == place_of(to):
        raise ConfigError("the two stores are the same")
    check_exists(from_url)
    ours, theirs = open_readings(from_url, registry), open_readings(to, registry)
    try:
        with MoveProgress() as progress:
            copied = copy(ours, theirs, progress.tell)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error}; what was copied stays, the same command goes on from there") from None
    ours.close()
    theirs.close()
    moved = MoveAnswer(copied.readings, copied.rows, copied.count, copied.total, copied.differences)
    answer(moved, lambda: facts(move_facts(texts(), moved)))
    if copied.differences:
        raise StoreUnavailable("the stores differ:\n" + "\n".join(copied.differences))
    note_moved(settings.data, place_of(from_url), place_of(to))
    StatusBoard(records).note_moved(place_of(from_url), place_of(to))
    say("cli.store.same")


def _confirmed(board: StatusBoard, place: str) -> tuple[int | None, str]:
    """How many readings this store has confirmed to ingest, and the other store where ingest stored last, if any.

    None where no ingest says: then nobody knows whether readings are missing.
    """
    confirming = [one for one in board.overview().of(ServerProcess.INGEST) if one.status.facts.get("store")]
    here = [one for one in confirming if one.status.facts["store"] == place]
    if not confirming:
        return None, ""
    if not here:
        return 0, confirming[0].status.facts["store"]
    running = [one for one in here if not (one.is_silent or one.has_ended)]
    counts = [round(one.status.figures.get("confirmed", 0)) for one in running or here]
    return (sum(counts) if running else max(counts, default=0)), ""  # who does not run may run elsewhere now


def _now_ms() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)
