"""An estate as flat rows: what the registry's tables hold, what two versions are compared by."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import time
from typing import TYPE_CHECKING, Any, TypeAlias

from facility.broker_address import without_password
from facility.catalogue import Agent, Bus, Catalogue
from facility.errors import ConfigError
from facility.levels import parse_level
from facility.model import (
    Building,
    DayHours,
    Department,
    Meter,
    MeterRole,
    Name,
    Point,
    Provenance,
    Ratio,
    Site,
    Space,
    SpaceKind,
)
from facility.quantities import BY_WORD, Utility
from stores.records.accounting.rows import (
    closure_of,
    closure_row,
    co2_of,
    co2_row,
    installation_of,
    installation_row,
    notice_of,
    notice_row,
    price_of,
    price_row,
    tariff_of,
    tariff_row,
    typical_of,
    typical_row,
)
from stores.records.accounting.stated import STATED, factor_set_of, stated_of, stated_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, dict[str, Row]]
"""Table → id → fields. Values are what JSON can hold; ``position`` is the order in the document."""

TABLES = (
    "site", "price", "tariff", "co2_factor", "typical_use", "closure", "notice", "department", "building", "space",
    "agent", "bus", "meter", "point", "installation", *STATED,
)  # fmt: skip

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^\s]*@")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions of an estate; a whole thing added or removed has no field."""

    kind: str  # added | changed | removed
    what: str
    id: str
    field: str = ""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        """``changed meter main: serial 'A1' → 'B2'``; a URL's password is told to nobody, and never to the audit."""
        subject = f"{self.kind} {self.what} {self.id}"
        if not self.field:
            return subject
        return _PASSWORD.sub(r"\1:…@", f"{subject}: {self.field} {_shown(self.before)} → {_shown(self.after)}")

    def without_secrets(self) -> Change:
        """The same change, fit to be shown: a URL without its password."""
        return replace(self, before=_unlocked(self.before), after=_unlocked(self.after))

    def touches(self, other: Change) -> bool:
        """Whether both are about the same thing, and about the same field of it where both name one."""
        same = (self.what, self.id) == (other.what, other.id)
        return same and (self.field == other.field or not self.field or not other.field)


def _unlocked(value: Any) -> Any:
    return _PASSWORD.sub(r"\1:…@", value) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else repr(value)


def compare(before: Rows, after: Rows) -> list[Change]:
    """Every difference, in the order of the tables; the order of things in a document is none."""
    return [c for table in TABLES for c in _compare_table(table, before.get(table, {}), after.get(table, {}))]


def _compare_table(table: str, before: dict[str, Row], after: dict[str, Row]) -> Iterator[Change]:
    for one, row in after.items():
        if one not in before:
            yield Change("added", table, one)
            continue
        for name, value in row.items():
            if name != "position" and before[one].get(name) != value:
                yield Change("changed", table, one, name, before[one].get(name), value)
    for one in before:
        if one not in after:
            yield Change("removed", table, one)


def rows_of(catalogue: Catalogue) -> Rows:
    """An estate as rows. Raises ``ConfigError`` where two prices or closures begin alike."""
    site = catalogue.site
    return {
        "site": _keyed("site", [(site.id, _site_row(site))]),
        "price": _keyed("price", ((f"{p.utility} from {p.valid_from}", price_row(p)) for p in site.prices)),
        "co2_factor": _keyed("co2_factor", ((f"{f.utility} from {f.valid_from}", co2_row(f)) for f in site.co2)),
        "typical_use": _keyed("typical_use", ((f"{t.utility} of {t.use}", typical_row(t)) for t in site.typical_use)),
        "tariff": _keyed("tariff", ((f"{t.id} from {t.valid_from}", tariff_row(t)) for t in site.tariffs)),
        "notice": _keyed("notice", ((str(n.year), notice_row(n)) for n in site.notices)),
        "closure": _keyed("closure", ((f"{c.first}/{c.last}", closure_row(c)) for c in site.closures)),
        "department": _keyed("department", ((d.id, _department_row(d)) for d in catalogue.departments)),
        "building": _keyed("building", ((b.id, _building_row(b)) for b in catalogue.buildings)),
        "space": _keyed("space", ((s.id, _space_row(s)) for s in catalogue.spaces)),
        "agent": _keyed("agent", ((a.id, {}) for a in catalogue.agents)),
        "bus": _keyed("bus", ((f"{a.id}/{b.id}", _bus_row(a, b)) for a in catalogue.agents for b in a.buses)),
        "meter": _keyed("meter", ((m.id, _meter_row(m)) for m in catalogue.meters)),
        "point": _keyed("point", ((p.id, _point_row(p)) for p in catalogue.points)),
        "installation": _keyed(
            "installation",
            ((f"{i.meter} from {i.since.isoformat()}", installation_row(i)) for i in catalogue.installations),
        ),
        **{name: _keyed(name, rows) for name, rows in stated_rows(site.factor_sets, catalogue.stated).items()},
    }


def catalogue_of(rows: Rows) -> Catalogue:
    """The estate that rows stand for."""
    table = {name: _ordered(rows[name]) for name in TABLES}
    return Catalogue(
        site=_site(table["site"][0], table),
        departments=tuple(Department(r["id"], _name(r), r["cost_centre"]) for r in table["department"]),
        buildings=tuple(_building(r) for r in table["building"]),
        spaces=tuple(Space(r["id"], r["building"], _name(r), SpaceKind(r["kind"])) for r in table["space"]),
        agents=tuple(_agent(r["id"], table["bus"]) for r in table["agent"]),
        meters=tuple(_meter(r) for r in table["meter"]),
        points=tuple(_point(r) for r in table["point"]),
        installations=tuple(installation_of(r) for r in table["installation"]),
        stated=stated_of(table),
    )


def _keyed(table: str, rows: Iterable[tuple[str, Row]]) -> dict[str, Row]:
    keyed: dict[str, Row] = {}
    for position, (one, row) in enumerate(rows):
        if one in keyed:
            raise ConfigError(f"there are two entries '{one}' under {table}")
        keyed[one] = {"position": position, **row}
    return keyed


def _ordered(rows: dict[str, Row]) -> list[Row]:
    return [{"id": one, **row} for one, row in sorted(rows.items(), key=lambda item: item[1]["position"])]


def _name_row(name: Name) -> Row:
    return {"name_en": name.en, "name_zh": name.zh}


def _name(row: Row) -> Name:
    return Name(row["name_en"], row["name_zh"])


def _site_row(site: Site) -> Row:
    return {
        **_name_row(site.name),
        "timezone": site.timezone,
        "currency": site.currency,
        "holiday_country": site.holiday_country,
        "holiday_subdivision": site.holiday_subdivision,
        "holiday_shift_days": site.holiday_shift_days,
        "banner_en": site.banner.en if site.banner else None,
        "banner_zh": site.banner.zh if site.banner else None,
        "custodian": site.custodian or None,
    }


def _site(row: Row, table: dict[str, list[Row]]) -> Site:
    return Site(
        id=row["id"],
        name=_name(row),
        timezone=row["timezone"],
        currency=row["currency"],
        holiday_country=row["holiday_country"],
        holiday_subdivision=row["holiday_subdivision"],
        holiday_shift_days=row["holiday_shift_days"],
        closures=tuple(closure_of(r) for r in table["closure"]),
        prices=tuple(price_of(r) for r in table["price"]),
        banner=None if row["banner_en"] is None else Name(row["banner_en"], row["banner_zh"]),
        custodian=row["custodian"] or "",
        tariffs=tuple(tariff_of(r) for r in table["tariff"]),
        notices=tuple(notice_of(r) for r in table["notice"]),
        co2=tuple(co2_of(r) for r in table["co2_factor"]),
        typical_use=tuple(typical_of(r) for r in table["typical_use"]),
        factor_sets=tuple(factor_set_of(r) for r in table["factor_set"]),
    )


def _department_row(department: Department) -> Row:
    return {**_name_row(department.name), "cost_centre": department.cost_centre}


def _building_row(building: Building) -> Row:
    return {
        **_name_row(building.name),
        "department": building.department,
        "use": building.use,
        "floor_area_m2": building.floor_area_m2,
        "hours": _hours_row(building.hours),
        "armed": _hours_row(building.armed),
        "totals": {one.value: level.word for one, level in sorted(building.totals.items())} or None,
    }


def _building(row: Row) -> Building:
    spans = _hours(row["hours"]), _hours(row["armed"])
    totals = {Utility(one): parse_level(word) for one, word in (row.get("totals") or {}).items()}
    return Building(row["id"], _name(row), row["department"], row["use"], row["floor_area_m2"], *spans, totals)


def _hours_row(hours: dict[int, DayHours]) -> Row:
    return {str(day): [span.start.isoformat(), span.end.isoformat()] for day, span in sorted(hours.items())}


def _hours(row: Row) -> dict[int, DayHours]:
    return {int(day): DayHours(*map(time.fromisoformat, span)) for day, span in row.items()}


def _space_row(space: Space) -> Row:
    return {"building": space.building, **_name_row(space.name), "kind": space.kind}


def _bus_row(agent: Agent, bus: Bus) -> Row:
    return {"agent": agent.id, "bus": bus.id, "url": without_password(bus.url, bus.id), "timeout_s": bus.timeout_s}


def _agent(one: str, buses: list[Row]) -> Agent:
    return Agent(one, tuple(Bus(r["bus"], r["url"], r["timeout_s"]) for r in buses if r["agent"] == one))


_METER_FIELDS = (
    "building", "profile", "agent", "connection", "unit", "space", "enduse", "serial", "ct_ratio", "pt_ratio", "digits",
    "poll_s", "rolls_over_at", "most_per_hour", "read_every_days",
)  # fmt: skip


def _meter_row(meter: Meter) -> Row:
    return {
        **_name_row(meter.name),
        **{field: getattr(meter, field) for field in _METER_FIELDS},
        "utility": meter.utility.value if meter.utility else None,
        "role": meter.role.value,
        "provenance": meter.provenance.value,
        "shares_device": meter.shares_device or None,  # as in documents that were applied before there was the word
    }


def _meter(row: Row) -> Meter:
    return Meter(
        id=row["id"],
        name=_name(row),
        utility=Utility(row["utility"]) if row["utility"] else None,
        role=MeterRole(row["role"]),
        provenance=Provenance(row["provenance"]),
        shares_device=bool(row["shares_device"]),
        **{field: row[field] for field in _METER_FIELDS},
    )


def _point_row(point: Point) -> Row:
    return {
        "meter": point.meter,
        "quantity": point.quantity.word,
        "channel": point.channel,
        "level": point.level.word if point.level else None,
        "low": point.low,
        "high": point.high,
        "ratio": point.ratio.value if point.ratio else None,
    }


def _point(row: Row) -> Point:
    level = parse_level(row["level"]) if row["level"] else None
    ratio = Ratio(row["ratio"]) if row["ratio"] else None
    return Point(row["meter"], BY_WORD[row["quantity"]], row["channel"], level, row["low"], row["high"], ratio)
