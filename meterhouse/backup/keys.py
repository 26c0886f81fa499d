"""Who can open a backup: the server knows recipients alone, as age writes them; what opens it is kept elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyrage

from facility.errors import ConfigError, quoted
from meterhouse.up.private_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECIPIENTS = "backup-recipients"
"""In the folder of secrets: a line each, # begins a remark. More than one may be written there by hand."""

LONGEST_KEY = 64 * 1024


def recipients_file(folder: Path) -> Path:
    """Where the recipients of a data folder's backups stand."""
    return folder / "secrets" / RECIPIENTS


def make_key(folder: Path) -> str:
    """Make a key: its recipient is kept in the folder, and the key itself comes back, to be kept nowhere here.

    Raises ``ConfigError`` where there is one already: older backups would still need that.
    """
    file = recipients_file(folder)
    if file.exists():
        raise ConfigError(f"backups have a key already, in {file}: to begin with another, move that file away")
    identity = pyrage.x25519.Identity.generate()
    write_whole(file, f"{identity.to_public()}\n")
    return str(identity)


def read_recipients(folder: Path) -> list[pyrage.x25519.Recipient]:
    """For whom backups of a folder are written. Raises ``ConfigError`` where there is nobody, or a line is wrong."""
    file = recipients_file(folder)
    if not file.exists():
        raise ConfigError("backups have no key yet: 'meterhouse backup --new-key' makes one and shows it once")
    try:
        found = [pyrage.x25519.Recipient.from_str(line) for line in _lines(file)]
    except pyrage.RecipientError as error:
        raise ConfigError(f"{file} holds a line that is no recipient, age1…: {error}") from None
    if not found:
        raise ConfigError(f"{file} names no recipient")
    return found


def read_identities(file: Path) -> list[pyrage.x25519.Identity]:
    """The keys in a file. Raises ``ConfigError``, without repeating what stands there."""
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in _lines(file)]
    except pyrage.IdentityError:
        raise ConfigError(
            f"{file} holds no key of a backup (allowed: a line that begins with AGE-SECRET-KEY-)"
        ) from None
    if not found:
        raise ConfigError(f"{file} holds no key of a backup: it is empty")
    return found


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(LONGEST_KEY)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise ConfigError(f"the file {quoted(str(file))} cannot be read: {why}") from None
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith("#"):
            yield line
