"""The records of a server in a PostgreSQL that was started for it alone, with a password that was made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError
from meterhouse.up.settings import address_of

if TYPE_CHECKING:
    from pathlib import Path

OWNER = DATABASE = "meterhouse"


def records_in_postgres(place: str, password: Path, folder: Path) -> str:
    """The records' URL of the server at ``host:port``; the audit trail's key lies in the data folder.

    Raises ``ConfigError`` without a password, and where the folder has records of its own: nobody would find them.
    """
    host, port = address_of("--postgres", place)
    try:
        word = password.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"the password of PostgreSQL, {password}, cannot be read: {error.strerror}") from None
    if not word:
        raise ConfigError(f"the password of PostgreSQL, {password}, is empty")
    if (folder / "records.db").exists():
        raise ConfigError(
            f"the records of this server stand in {folder / 'records.db'}, and PostgreSQL would begin without them:"
            " go on without the profile, or begin in another data folder"
        )
    key = {"audit_key": str((folder / "records.audit.key").absolute())}
    url = sa.URL.create("postgresql+psycopg", OWNER, word, host, port, DATABASE, key)
    return url.render_as_string(hide_password=False)
