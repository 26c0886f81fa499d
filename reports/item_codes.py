"""Five-character codes of energy items: tables by dialect, what is valid, and the same item in another dialect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from facility.documents.part import DocumentPart, parse
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.model import Meter

DEFAULT_DIALECT = "mohurd-2008"

_FORM = re.compile(r"[0-9]{2}[0-9A-Z]{3}")

_END_USES = {
    "total": "electricity",
    "lighting": "lighting_sockets",
    "sockets": "lighting_sockets",
    "hvac": "air_conditioning",
    "cooling": "air_conditioning",
    "heating": "air_conditioning",
    "power": "power",
    "lifts": "lifts",
    "pumps": "water_pumps",
    "ventilation": "ventilation",
    "server_room": "information_centre",
    "server_it": "it_equipment",
    "kitchen": "kitchen",
    "cooking": "cooking",
}
"""End use of a meter of electricity → item. Others are exported under the item of the whole category."""


@dataclass(frozen=True, slots=True)
class ItemCode:
    """One row of a table: a code and the item that it stands for, with its names."""

    code: str
    item: str
    en: str
    zh: str


@dataclass(frozen=True)
class CodeTable:
    """The codes of one dialect, with the version that exports print and where it was seen."""

    dialect: str
    version: str
    source: str
    codes: Mapping[str, ItemCode]

    def check(self, code: str) -> ItemCode:
        """What a code stands for. Raises ``ConfigError`` naming the table for a code that is not in it."""
        if not _FORM.fullmatch(code):
            what = f"'{code}' is no item code"
            raise ConfigError(Problem("code", what, "five characters: two digits, then digits or capital letters"))
        if code not in self.codes:
            raise ConfigError(Problem("code", f"'{code}' is not in the table {self.dialect} ({self.version})"))
        return self.codes[code]

    def code_of(self, item: str) -> str:
        """The code of an item. Raises ``ConfigError`` naming the table where it has none."""
        found = next((one.code for one in self.codes.values() if one.item == item), None)
        if found is None:
            raise ConfigError(Problem("item", f"the table {self.dialect} ({self.version}) has no code for '{item}'"))
        return found


class _ItemPart(DocumentPart):
    code: str
    item: str
    en: str
    zh: str


class _TablePart(DocumentPart):
    dialect: str
    version: str
    source: str
    items: list[_ItemPart]


def dialects() -> tuple[str, ...]:
    """The dialects that there are tables of, the default first."""
    names = sorted(one.name.removesuffix(".yaml") for one in _FOLDER.iterdir() if one.name.endswith(".yaml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_DIALECT))


@cache
def code_table(dialect: str) -> CodeTable:
    """The table of a dialect. Raises ``ConfigError`` for one that there is none of."""
    if dialect not in dialects():
        raise ConfigError(Problem("dialect", f"unknown dialect '{dialect}'", ", ".join(dialects())))
    part = parse((_FOLDER / f"{dialect}.yaml").read_text(encoding="utf-8"), f"{dialect}.yaml").validate(_TablePart)
    return CodeTable(
        part.dialect, part.version, part.source, {i.code: ItemCode(i.code, i.item, i.en, i.zh) for i in part.items}
    )


def in_dialect(code: str, dialect: str, to: str) -> str:
    """The same item's code in another dialect. Raises ``ConfigError`` naming the table that lacks it."""
    return code_table(to).code_of(code_table(dialect).check(code).item)


def item_of(meter: Meter) -> str | None:
    """The item that a meter's figures are exported under; None for a meter that counts nothing."""
    if meter.utility is None:
        return None
    if meter.utility.value != "electricity":
        return meter.utility.value
    return _END_USES.get(meter.enduse, "electricity")


_FOLDER = files("reports") / "tables" / "item_codes"
