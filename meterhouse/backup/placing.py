"""A backup in another place than it was taken from: where its settings, ingest and the records say that stores are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from ingest.confirmed import note_moved, noted_store
from meterhouse.backup.contents import READINGS, RECORDS
from meterhouse.settings import Settings
from meterhouse.up.settings_file import NAME, keep, read_settings_file
from stores.readings import place_of
from stores.records.copying import copy_records
from stores.records.database import open_records
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from pathlib import Path

STORE, URL_OF_RECORDS = "METERHOUSE_STORE", "METERHOUSE_RECORDS"


def place_stores(new: Path, folder: Path) -> Settings:
    """Let what lies unpacked in ``new`` say that its stores are in ``folder``; its settings, as of now in ``new``.

    Raises ``ConfigError`` where the environment names other files, which the server would go on with.
    """
    for name, file in ((STORE, READINGS), (URL_OF_RECORDS, RECORDS)):
        if (new / file).exists():
            _check_environment(name, folder / file)
            _forget_file(new, name)
    if (new / READINGS).exists():
        _note_readings(new, folder / READINGS)
    said = Settings(data=new)
    is_here = (new / READINGS).exists()
    return Settings(data=new, store=f"sqlite://{(new / READINGS).absolute()}" if is_here else said.store)


def place_records(new: Path, url: str) -> None:
    """Bring the records into the PostgreSQL that the settings name, where they do. Raises ``ConfigError``.

    It must be an empty one: the old state stands there.
    """
    if not url.startswith("postgresql") or not (new / RECORDS).exists():
        return
    source, target = open_records(f"sqlite:///{new / RECORDS}"), open_records(url)
    try:
        copy_records(source, target)
    finally:
        source.dispose()
        target.dispose()
    (new / RECORDS).unlink()
    if URL_OF_RECORDS in os.environ and (new / NAME).exists():
        keep(new / NAME, {URL_OF_RECORDS: url})


def _check_environment(name: str, file: Path) -> None:
    said = os.environ.get(name, "")
    if said.startswith("sqlite:") and not said.endswith(str(file.absolute())):
        raise ConfigError(f"{name} in the environment names another file than {file}, where the backup goes: unset it")


def _forget_file(new: Path, name: str) -> None:
    """A file that the settings name lies in the folder from now on, where it is looked for without a setting."""
    if not (new / NAME).exists():
        return
    _, value = read_settings_file(new / NAME).get(name, (0, ""))
    if value.startswith("sqlite:"):
        keep(new / NAME, {name: ""})


def _note_readings(new: Path, file: Path) -> None:
    before, now = noted_store(new).store, place_of(f"sqlite://{file.absolute()}")
    if not before or before == now:
        return
    note_moved(new, before, now)
    if (new / RECORDS).exists():
        records = open_records(f"sqlite:///{new / RECORDS}")
        StatusBoard(records).note_moved(before, now)
        records.dispose()
