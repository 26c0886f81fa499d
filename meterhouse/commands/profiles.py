"""``meterhouse profiles``: which devices are known, and what each says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from meterhouse.output import answer, answers, table, texts
from meterhouse.settings import Settings


@dataclass(frozen=True, slots=True)
class KnownProfile:
    """A device that can be read."""

    id: Annotated[str, "what a site.yaml calls it"]
    name: Annotated[str, "maker and model"]
    protocol: Annotated[str, "modbus, mqtt_json …"]
    quantities: Annotated[list[str], "what it measures, in words of the glossary"]


@dataclass(frozen=True, slots=True)
class KnownProfiles:
    """Every device profile."""

    profiles: list[KnownProfile]


@answers(KnownProfiles)
def profiles() -> None:
    """Print one line per device profile."""
    known = [
        KnownProfile(p.id, p.name, p.protocol, list(dict.fromkeys(point.quantity.word for point in p.points)))
        for p in Settings().known_profiles().values()
    ]
    answer(KnownProfiles(known), lambda: _table(known))


def _table(known: list[KnownProfile]) -> str:
    t = texts()
    rows = [
        (p.id, p.name, p.protocol, t("cli.between").join(t(f"quantity.{word}") for word in p.quantities)) for p in known
    ]
    columns = ("cli.column.profile", "cli.column.name", "cli.column.protocol", "cli.column.quantities")
    return table(columns, rows)
