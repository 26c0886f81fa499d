"""What a server keeps and where: its folder, its stores by their URLs, and what lies elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from meterhouse.backup import influx
from meterhouse.backup.contents import READINGS, RECORDS, contents
from meterhouse.backup.snapshot import size_of
from stores.readings import place_of
from stores.readings.influx.address import is_influx
from stores.records.copying import copy_records
from stores.records.database import AUDIT_KEY, look_at_records, open_records, present_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from meterhouse.settings import Settings

OTHERWISE = "elsewhere"
"""Said in the place of an address: somebody else makes the backups of the InfluxDB, and ours need not hold it."""

UNNAMED = "unnamed"
"""A site whose estate was never applied."""


@dataclass(frozen=True, slots=True)
class Sources:
    """One server: its data folder, the files of its stores, and its records where they are a server's."""

    folder: Path
    databases: dict[str, Path]
    records_url: str
    site: str
    elsewhere: list[str]
    influx: str = ""
    """The URL of the store where it is an InfluxDB, whose own backup is a part of ours."""

    influx_rpc: str = ""
    """Where a 1.x listens for its own program."""

    lacking: list[str] = field(default_factory=list)
    """What of ``elsewhere`` should be in the backup and is not, which nobody has said to back up otherwise."""

    def expected_bytes(self, beside: Path) -> int:
        """How much a backup takes, by what the files measure now."""
        return sum(
            size_of(found.path) for found in contents(self.folder, self.databases, beside) if found.path.exists()
        )

    def audit_key(self) -> bytes:
        """The key of the audit trail as it is now."""
        file = self.folder / "records.audit.key"
        return file.read_bytes() if file.exists() else b""

    def copy_records(self, file: Path) -> dict[str, int]:
        """Copy the records of a PostgreSQL into a file; nothing of those that are a file already. Rows by table."""
        if RECORDS in self.databases:
            return {}
        source, target = look_at_records(self.records_url), open_records(f"sqlite:///{file}")
        try:
            return copy_records(source, target)
        finally:
            source.dispose()
            target.dispose()

    def copy_influx(self, into: Path, now: datetime) -> Iterator[Path]:
        """Each file of an InfluxDB's own backup; where it cannot be called from here, ``elsewhere`` names it."""
        if not self.influx:
            return
        if self.influx_rpc == OTHERWISE:
            self.elsewhere.append(f"the readings are in {place_of(self.influx)}, whose backups are made otherwise")
            return
        try:
            yield from influx.copies_of(self.influx, into, now, self.influx_rpc)
        except influx.NotHereError as why:
            self.lacking.append(f"the readings are in {place_of(self.influx)}: {why}")
            self.elsewhere.extend(self.lacking)


def named_key(records_url: str) -> Path | None:
    """The file of the audit trail's key that a URL names, if it does."""
    named = sa.make_url(records_url).query.get(AUDIT_KEY)
    return Path(str(named)) if named else None


def sources_of(settings: Settings, influx_rpc: str = "") -> Sources:
    """What the settings of a server name. Raises ``ConfigError``, and ``StoreUnavailable`` without its records."""
    folder = settings.data.absolute()
    databases, elsewhere = {}, list[str]()
    store = settings.store_url if is_influx(settings.store_url) else ""
    if not store:
        databases[READINGS] = Path(place_of(settings.store_url))
    if settings.records_url.startswith("sqlite:"):
        databases[RECORDS] = Path(str(sa.make_url(settings.records_url).database))
    elif (key := named_key(settings.records_url)) and not key.absolute().is_relative_to(folder):
        elsewhere.append(f"the key of the audit trail is in {key}")
    if settings.profiles and not settings.profiles.absolute().is_relative_to(folder):
        elsewhere.append(f"device profiles are in {settings.profiles}")
    site = site_of(settings.records_url)
    return Sources(folder, databases, settings.records_url, site, elsewhere, store, influx_rpc)


def site_of(records_url: str) -> str:
    """The id of the site by its records, of whichever schema. Raises ``StoreUnavailable`` where they cannot be read."""
    place = sa.make_url(records_url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        return UNNAMED
    records = look_at_records(records_url)
    try:
        if present_schema(records) is None:
            return UNNAMED
        with records.connect() as connection:
            return connection.execute(sa.text("SELECT id FROM site")).scalar() or UNNAMED
    finally:
        records.dispose()
