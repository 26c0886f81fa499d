"""The product as the oracle meets it: its store, its writer of use, its bill. No other part knows any of that."""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from shutil import copy, rmtree

import numpy as np
from oracle.readings import Row, courses
from oracle.worlds import MANUAL, SUBSTITUTED, month_edges, utc

from accounting.spells import SpellsInMemory
from analytics.rollups.writer import RollupWriter
from edge_agent.suspicion import Suspicion
from facility.catalogue import Catalogue
from facility.ledger.installation import Installation
from facility.model import Building, Meter, MeterRole, Name, Point, Ratio, ReadingBatch, Site
from facility.quantities import ACCOUNTED, GREATEST_RATES, Utility
from facility.tariff import Demand, Period, Tariff, TariffRule
from reports.billing import make_bill
from reports.closing import close_month
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.database import open_records

BEGINNING = utc(0)


def marked(head, rows: list[Row]) -> list[Row]:
    """The readings with the marks that the edge would have given them."""
    if not head.is_judged_by_edge:
        return rows
    most = head.most or GREATEST_RATES[ACCOUNTED[Utility(head.utility)]]
    samples = [(head.point, row.t_ms, row.x, row.q) for row in rows]
    judged = Suspicion({head.point: most}, {}).judge(samples)
    qualities = [
        q if row.q not in {MANUAL, SUBSTITUTED} else row.q for row, (_, _, _, q) in zip(rows, judged, strict=True)
    ]
    return [row._replace(q=q) for row, q in zip(rows, qualities, strict=True)]


def estate(world) -> Catalogue:
    """The world's building as Meterhouse knows it."""
    site = Site("town", Name("Town"), world.zone, "GBP", tariffs=tuple(map(_tariff, world.prices)))
    meters = tuple(map(_meter, world.heads))
    points = tuple(Point(head.name, ACCOUNTED[Utility(head.utility)], ratio=Ratio.CT) for head in world.heads)
    ledger = tuple(entry for head in world.heads for entry in _ledger(world, head))
    return Catalogue(site, (), (Building("hall", Name("Hall")),), (), (), meters, points, ledger)


def _meter(head) -> Meter:
    return Meter(
        head.name,
        Name(head.name),
        "hall",
        "p",
        "a",
        "bus",
        head.name,
        utility=Utility(head.utility),
        role=MeterRole.HEAD,
        ct_ratio=head.ratio,
        rolls_over_at=head.span,
        most_per_hour=head.most,
        poll_s=head.poll / 1000,
    )


def _ledger(world, head):
    """The entries of a meter's place: the agent goes on multiplying by the first ratio."""
    found = [Installation(head.name, BEGINNING, "d0", rolls_over_at=head.span, ct_ratio=head.ratio)]
    for one in courses(world, head):
        facts = {"ct_ratio": one.ratio, "told_ct_ratio": head.ratio, "rolls_over_at": head.span}
        if one.why == "swap":
            reads = {"opening": one.opening, "closing": one.closing}
            found.append(Installation(head.name, utc(one.since), f"d{len(found)}", **facts, **reads))
        elif one.why == "ratio":
            found.append(Installation(head.name, utc(one.since), found[-1].serial, **facts, continues=True))
    return found if len(found) > 1 else []


def _tariff(price) -> Tariff:
    prices = tuple((Period(name), each) for name, each in price.prices)
    rules = tuple(TariffRule(Period(name), ((start, end),)) for name, start, end in price.slots)
    demand = Demand(price.per_kw) if price.per_kw else None
    since = date.fromisoformat(price.since)
    utility = Utility(price.utility)
    return Tariff(
        price.name, utility, since, "notice", prices, rules, Period.FLAT, demand=demand, fixed_per_month=price.fixed
    )


@cache
def _empty_records() -> Path:
    """A database at the newest schema, made once: its steps take longer than a scenario."""
    folder = tempfile.mkdtemp(prefix="oracle-")
    atexit.register(rmtree, folder, ignore_errors=True)
    path = Path(folder) / "records.db"
    open_records(f"sqlite:///{path}").dispose()
    return path


@dataclass
class Meterhouse:
    """One installation that readings come to. Close it when done: ``with``."""

    world: object
    catalogue: Catalogue = field(init=False)
    store: MemoryStore = field(default_factory=MemoryStore)
    spells: SpellsInMemory = field(default_factory=SpellsInMemory)
    handed_in: dict = field(default_factory=dict)

    def __post_init__(self):
        self.catalogue = estate(self.world)
        self._folder = tempfile.TemporaryDirectory(prefix="oracle-")
        self._engine = open_records(f"sqlite:///{copy(_empty_records(), self._folder.name)}")
        self.books = ClosedMonths(self._engine)
        self.writer = RollupWriter(self.store, self.catalogue, self.books, self.spells)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._engine.dispose()
        self._folder.cleanup()

    def take(self, batch: list[tuple[str, Row]], now_ms: int | None = None) -> None:
        """Store readings, each with the id of its counter, and bring all figures up to date."""
        cursor = self.store.cursor()
        names = sorted({name for name, _ in batch})
        place = {name: i for i, name in enumerate(names)}
        rows = [row for _, row in batch]
        p, t_ms = [place[name] for name, _ in batch], [row.t_ms for row in rows]
        self.store.write(ReadingBatch(names, p, t_ms, [float(row.x) for row in rows], [row.q for row in rows]))
        self.writer.update(self.store.changes(cursor).ranges, now_ms=now_ms)

    def bill(self, month: str):
        """The month's bill, made two days after its end."""
        _, end = month_edges(month, self.world.zone)
        return make_bill(
            self.store, self.catalogue, self.books, self.spells, "hall", month, now=utc(end) + timedelta(days=2)
        )

    def close(self, month: str) -> None:
        """Hand a month in as it is, whatever is still missing."""
        bill = self.bill(month)
        _, end = month_edges(month, self.world.zone)
        at = utc(end) + timedelta(days=2)
        close_month(bill, self.books, based_on=0, by="li", at=at, accept_missing="the rest comes later")
        self.handed_in[month] = bill

    def adjusted(self, head, month: str) -> float:
        """What a closed month of a counter turned out to be more or less."""
        days = self.books.adjusted(head.name, ACCOUNTED[Utility(head.utility)].word, month)
        return sum(fields.get("qty", 0.0) for fields in days.values())

    def rows(self, name: str, **tags: str) -> dict[int, dict[str, float]]:
        """Rows of a rollup by time (ms): field → figure."""
        found: dict[int, dict[str, float]] = {}
        for series in self.store.read_rollup(name, tags, 0, 2**52):
            columns = {field: np.asarray(column, float).tolist() for field, column in series.fields.items()}
            for k, t_ms in enumerate(series.t_ms.tolist()):
                found[t_ms] = {field: column[k] for field, column in columns.items()}
        return found
