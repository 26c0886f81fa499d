"""A table of meters with both trees, held to the estate: what it would change, or what is wrong with which row.

The table adds and changes; what it does not name stays. The estate that results is read as a site.yaml would be, so
that whatever a site.yaml may not say, a table may not say either. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from facility.documents.part import Document, Place
from facility.documents.site import read_estate
from facility.documents.site_export import site_tree
from facility.documents.yaml_tree import YamlTree
from facility.errors import ConfigError, visible
from facility.stated import Member
from imports.estate_columns import DEVICE, KEY_OF, EstateColumn, EstateRow
from imports.estate_rows import columns_in, read_rows
from imports.faults import FaultKind, TableError, TableFault, whole
from imports.sheets import read_sheet
from stores.records.estate import compare, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from facility.catalogue import Catalogue
    from facility.profile import DeviceProfile
    from stores.records.estate import Change

C = EstateColumn
_LIST = {Member.DEPARTMENT: "departments", Member.BUILDING: "buildings", Member.METER: "meters"}
_TREES = (C.SPACE, C.DEPARTMENT)
_UNDATED = {(Member.METER, C.SPACE), (Member.BUILDING, C.DEPARTMENT)}
"""What may be said without a day: it holds for ever, where no dated row says otherwise."""


@dataclass(frozen=True, slots=True)
class EstatePlan:
    """What a table would make of an estate; with ``faults`` nothing (``estate`` is what it was)."""

    read_as: str
    rows: int
    estate: Catalogue
    changes: tuple[Change, ...]
    faults: tuple[TableFault, ...]


def plan_estate(
    content: bytes,
    estate: Catalogue,
    profiles: Mapping[str, DeviceProfile],
    *,
    valid_from: date | None = None,
    encoding: str = "",
    sheet: str = "",
) -> EstatePlan:
    """Read a table and hold it to the estate. ``valid_from`` is the day of rows that state none and need one."""
    try:
        table = read_sheet(content, encoding=encoding, sheet=sheet)
        rows, faults = read_rows(table, columns_in(table))
    except TableError as error:
        return EstatePlan("", 0, estate, (), error.faults)
    nothing = EstatePlan(table.read_as, len(table.rows), estate, (), ())
    made = _Made(estate)
    faults += made.take(rows, valid_from)
    if not faults:
        document = TableDocument("table", YamlTree(made.tree, {}, {}, {}), rows=made.places)
        try:
            found = read_estate(document, profiles, reader="registry")
            return EstatePlan(table.read_as, len(table.rows), found, tuple(_changes(estate, found)), ())
        except ConfigError as error:
            faults = document.faults or [whole(FaultKind.AS_TOLD, what=str(error), allowed="–")]
    return EstatePlan(nothing.read_as, nothing.rows, estate, (), tuple(sorted(faults, key=lambda one: one.row)))


def _changes(before: Catalogue, after: Catalogue) -> Iterable[Change]:
    return compare(rows_of(before), rows_of(after))


@dataclass
class TableDocument(Document):
    """An estate of which parts stand in a table: what is wrong there is told with the row."""

    rows: Mapping[Place, int] = field(default_factory=dict)
    faults: list[TableFault] = field(default_factory=list)

    def report(self, place: Place, what: str, allowed: str | Iterable[str] = "") -> None:
        """Note it with the row that says the part, 0 where none does, and the column where the place names one."""
        words = allowed if isinstance(allowed, str) else ", ".join(allowed)
        row = next((self.rows[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.rows), 0)
        last = str(place[-1]) if place and row else ""
        column = next((key.value for key in C if key.value == last), "")
        params = {"what": visible(what, 300), "allowed": visible(words, 300) or "–"}
        self.faults.append(TableFault(row, column, FaultKind.AS_TOLD, params))
        super().report(place, what, allowed)


class _Made:
    """The keys and values of the estate's document, changed row by row, and which row says each part."""

    def __init__(self, estate: Catalogue) -> None:
        self._estate, self.tree = estate, site_tree(estate)
        self.places: dict[Place, int] = {}
        self._parts = {kind: {one["id"]: one for one in self.tree[name]} for kind, name in _LIST.items()}
        spaces = (one for building in self.tree["buildings"] for one in building.get("spaces", ()))
        self._parts[Member.SPACE] = {one["id"]: one for one in spaces}
        self._home = {one["id"]: b["id"] for b in self.tree["buildings"] for one in b.get("spaces", ())}
        self._members = {(m["member"], m["id"], m["valid_from"], _tree(m)): m for m in self.tree["memberships"]}
        self._place_of = {id(one): i for i, one in enumerate(self.tree["memberships"])}

    def take(self, rows: Sequence[EstateRow], valid_from: date | None) -> list[TableFault]:
        """Every row; departments and buildings first, so that the order of rows is nobody's concern."""
        faults: list[TableFault] = []
        things: dict[tuple[Member, str], list[EstateRow]] = defaultdict(list)
        for row in rows:
            things[row.kind, row.id].append(row)
        for kind in (Member.DEPARTMENT, Member.BUILDING, Member.SPACE, Member.METER):
            for (of, one), own in things.items():
                if of is kind:
                    faults += self._thing(kind, one, own)
        for row in rows:
            faults += self._belongings(row, valid_from)
        self._number(things)
        return faults

    def _thing(self, kind: Member, one: str, rows: Sequence[EstateRow]) -> Iterator[TableFault]:
        """What its rows say of a thing itself; two that say different things are a fault of the later one."""
        said: dict[EstateColumn, tuple[Any, int]] = {}
        for row in rows:
            for column, value in row.cells.items():
                if column is C.VALID_FROM or column in _TREES:
                    continue
                if column in said and said[column][0] != value:
                    params = {"said": str(value), "row": said[column][1], "before": str(said[column][0])}
                    yield TableFault(row.number, column.value, FaultKind.SAID_OTHERWISE, params)
                said.setdefault(column, (value, row.number))
        facts = {column: value for column, (value, _) in said.items()}
        part = self._parts[kind].get(one)
        if part is None:
            yield from self._add(kind, one, facts, rows[0])
        else:
            yield from self._change(kind, part, facts, rows[0])

    def _add(self, kind: Member, one: str, facts: dict[EstateColumn, Any], row: EstateRow) -> Iterator[TableFault]:
        part: dict[str, Any] = {"id": one}
        if kind is Member.SPACE:
            home = facts.pop(C.BUILDING, "")
            building = self._parts[Member.BUILDING].get(home)
            if building is None:
                allowed = ", ".join(self._parts[Member.BUILDING])
                params = {"what": f"unknown building '{home}'", "allowed": allowed}
                yield TableFault(row.number, C.BUILDING.value, FaultKind.AS_TOLD, params)
                return
            building.setdefault("spaces", []).append(part)
            self._home[one] = home
        else:
            self.tree[_LIST[kind]].append(part)
        self._parts[kind][one] = part
        part |= _keys(kind, facts) | {"name": _name(facts, facts.get(C.NAME_ZH, one), "")}

    def _change(
        self, kind: Member, part: dict[str, Any], facts: dict[EstateColumn, Any], row: EstateRow
    ) -> Iterator[TableFault]:
        if kind is Member.SPACE and facts.pop(C.BUILDING, home := self._home[part["id"]]) != home:
            params = {"what": f"space {part['id']} is of building {home}", "allowed": home}
            yield TableFault(row.number, C.BUILDING.value, FaultKind.AS_TOLD, params)
        if kind is Member.METER:
            yield from self._fixed(part, facts, row)
        name = part["name"] if isinstance(part["name"], dict) else {"en": part["name"], "zh": ""}
        part |= _keys(kind, facts) | {"name": _name(facts, name["en"], name["zh"])}

    def _fixed(self, part: dict[str, Any], facts: dict[EstateColumn, Any], row: EstateRow) -> Iterator[TableFault]:
        """Take out what a table only repeats: levels, and the device of a meter with a ledger."""
        meter = self._estate.meter[part["id"]]
        if C.LEVEL in facts:
            level = facts.pop(C.LEVEL)
            if {point.level.word if point.level else "" for point in self._estate.points_of(meter.id)} != {level}:
                yield TableFault(row.number, C.LEVEL.value, FaultKind.NOT_HERE, {"allowed": "meterhouse site apply"})
        if "installations" in part:
            for column in DEVICE:
                if column in facts and facts.pop(column) != getattr(meter, column.value):
                    yield TableFault(
                        row.number, column.value, FaultKind.NOT_HERE, {"allowed": "meterhouse meter swap, correct"}
                    )

    def _belongings(self, row: EstateRow, valid_from: date | None) -> Iterator[TableFault]:
        """Where a thing belongs by a row: from its day on, or for ever."""
        for column in _TREES:
            if column not in row.cells:
                continue
            day = row.cells.get(C.VALID_FROM)
            if day is None and (row.kind, column) in _UNDATED:
                if row.id in self._parts[row.kind]:
                    self._parts[row.kind][row.id][column.value] = row.cells[column]
                continue
            day = day or valid_from
            if day is None:
                yield TableFault(row.number, C.VALID_FROM.value, FaultKind.EMPTY)
                continue
            yield from self._belongs(row, column, day)

    def _belongs(self, row: EstateRow, column: EstateColumn, day: date) -> Iterator[TableFault]:
        key = row.kind.value, row.id, day, column.value
        known = self._members.get(key)
        if known is None:
            known = {"member": row.kind.value, "id": row.id, "valid_from": day, column.value: row.cells[column]}
            self._members[key], self._place_of[id(known)] = known, len(self.tree["memberships"])
            self.tree["memberships"].append(known)
        place = ("memberships", self._place_of[id(known)])
        said_in = self.places.get(place)
        if said_in and known[column.value] != row.cells[column]:
            params = {"said": row.cells[column], "row": said_in, "before": known[column.value]}
            yield TableFault(row.number, column.value, FaultKind.SAID_OTHERWISE, params)
        known[column.value] = row.cells[column]
        self.places[place] = row.number

    def _number(self, things: Mapping[tuple[Member, str], Sequence[EstateRow]]) -> None:
        """Which row says the part at each place."""
        for kind, name in _LIST.items():
            for i, part in enumerate(self.tree[name]):
                if own := things.get((kind, part["id"])):
                    self.places[name, i] = own[0].number
        for i, building in enumerate(self.tree["buildings"]):
            for j, part in enumerate(building.get("spaces", ())):
                if own := things.get((Member.SPACE, part["id"])):
                    self.places["buildings", i, "spaces", j] = own[0].number


def _keys(kind: Member, facts: Mapping[EstateColumn, Any]) -> dict[str, Any]:
    """Facts by the words of site.yaml."""
    names = (C.NAME, C.NAME_ZH)
    return {KEY_OF.get((kind, one), one.value): value for one, value in facts.items() if one not in names}


def _name(facts: Mapping[EstateColumn, Any], en: str, zh: str) -> str | dict[str, str]:
    """The name that facts tell, else what it was."""
    en, zh = facts.get(C.NAME, en), facts.get(C.NAME_ZH, zh)
    return {"en": en, "zh": zh} if zh else en


def _tree(membership: Mapping[str, Any]) -> str:
    return "space" if membership.get("space") else "department"
