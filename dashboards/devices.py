"""Devices and pipeline: whether agents, their buses and the server's own processes do their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent, each
from dashboards.sheet import Choice, Column, Limits, Panel, Shape, Sheet
from dashboards.units import COUNT, SECONDS, SHARE

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

ITSELF = "\"device\" = ''"
"""Of the agent, not of one of its buses or devices."""

RATE, PERCENT, SIGNAL = "1/min", "%", "dBm"
LAG = Limits(60, 300)


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of six hours."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "devices",
        (
            (_latency(asking), _behind(asking), _errors(asking), _series(asking)),
            (_agents(asking), _processes(asking)),
            (_states(asking),),
            (_rates(asking), _queues(asking)),
            (_devices(asking),),
        ),
        choices=(Choice("agent", tuple(catalogue.agent), "agent"),),
        start="now-6h",
        refresh="1m",
    )


def _where(asking: Asking, *more: str) -> str:
    return Extent(asking.site).where(*more)


def _latency(asking: Asking) -> Panel:
    asked = asking.one('last("latency_p95_s") AS "latency"', "platform_1m", _where(asking, "\"process\" = 'ingest'"))
    column = Column("latency", SECONDS)
    return Panel("latency", Shape.STAT, (6, 4), (asked,), (column,), SECONDS, 1, LAG, "1m", within="15m")


def _behind(asking: Asking) -> Panel:
    asked = asking.one('last("rollups_behind_s") AS "behind"', "platform_1m", _where(asking))
    column = Column("behind", SECONDS)
    return Panel("behind", Shape.STAT, (6, 4), (asked,), (column,), SECONDS, 0, Limits(900, 7200), "1m", within="15m")


def _errors(asking: Asking) -> Panel:
    asked = asking.sums('sum("some") AS "alarms"', 'last("alarms") AS "some"', "platform_1m", _where(asking), "process")
    column = Column("alarms", COUNT)
    return Panel("errors", Shape.STAT, (6, 4), (asked,), (column,), COUNT, 0, Limits(1, 3), "1m", within="15m")


def _series(asking: Asking) -> Panel:
    asked = asking.one('last("series_used") / last("series_budget") AS "series"', "platform_1m", _where(asking))
    column = Column("series", SHARE, "column.series_share")
    return Panel("series", Shape.STAT, (6, 4), (asked,), (column,), SHARE, 0, Limits(0.8, 1.0), "1m", within="1h")


def _agents(asking: Asking) -> Panel:
    """A row an agent."""
    names = ("state", "age_s", "queue", "lost", "unread", "alarms")
    asked = asking.table(each("last", names), "device_health", _where(asking, ITSELF), "gateway")
    columns = (
        Column("gateway", words="column.agent", leads="devices?agent"),
        Column("state", named="speaks"),
        Column("age_s", SECONDS, digits=0, limits=Limits(300, 900)),
        Column("queue", COUNT, digits=0, limits=Limits(10_000, 100_000)),
        Column("lost", COUNT, digits=0, limits=Limits(1, 1000)),
        Column("unread", COUNT, digits=0, limits=Limits(1, 10)),
        Column("alarms", COUNT, digits=0, limits=Limits(1, 3)),
    )
    return Panel("agents", Shape.TABLE, (12, 9), (asked,), columns, step="1m", within="15m")


def _processes(asking: Asking) -> Panel:
    """A row a kind of process."""
    names = ("running", "age_s", "alarms", "store_errors")
    asked = asking.table(each("last", names), "platform_1m", _where(asking), "process")
    columns = (
        Column("process"),
        Column("running", COUNT, "column.running_jobs", digits=0, limits=Limits(1, 1, falling=True)),
        Column("age_s", SECONDS, digits=0, limits=LAG),
        Column("alarms", COUNT, digits=0, limits=Limits(1, 3)),
        Column("store_errors", COUNT, digits=0, limits=Limits(1, 1)),
    )
    return Panel("processes", Shape.TABLE, (12, 9), (asked,), columns, step="1m", within="15m")


def _states(asking: Asking) -> Panel:
    """When each agent spoke; nothing is drawn while nobody knows."""
    asked = asking.course('last("state") AS "state"', "device_health", _where(asking, ITSELF), "gateway")
    return Panel("states", Shape.STATES, (24, 8), (asked,), step="1m", unit=COUNT, states="speaks")


def _rates(asking: Asking) -> Panel:
    names = ("received_rate", "stored_rate", "quarantined_rate")
    asked = asking.course(each("mean", names), "platform_1m", _where(asking, "\"process\" = 'ingest'"))
    fills = dict(zip(names, (colours.EXPECTED, colours.ACTUAL, colours.ACT), strict=True))
    columns = tuple(Column(name, RATE, colour=fills[name]) for name in names)
    return Panel("rates", Shape.LINES, (12, 9), (asked,), columns, RATE, 0, step="1m")


def _queues(asking: Asking) -> Panel:
    """What waits on the agents for the server."""
    asked = asking.course('max("queue") AS "queue"', "device_health", _where(asking, ITSELF), "gateway")
    return Panel("queues", Shape.LINES, (12, 9), (asked,), (), COUNT, 0, step="1m")


def _devices(asking: Asking) -> Panel:
    """Buses and radio devices of the agent that is chosen."""
    names = ("state", "age_s", "unread", "battery", "rssi")
    where = _where(asking, "\"gateway\" = '$agent'", "\"device\" != ''")
    asked = asking.table(each("last", names), "device_health", where, "device")
    columns = (
        Column("device"),
        Column("state", named="speaks"),
        Column("age_s", SECONDS, digits=0, limits=Limits(300, 900)),
        Column("unread", COUNT, digits=0, limits=Limits(1, 10)),
        Column("battery", PERCENT, digits=0, limits=Limits(30, 15, falling=True)),
        Column("rssi", SIGNAL, digits=0),
    )
    return Panel("devices", Shape.TABLE, (24, 10), (asked,), columns, step="1m", within="24h")
