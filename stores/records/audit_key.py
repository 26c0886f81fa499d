"""The key of the audit trail: in a file beside the records, so that who can write the database alone cannot seal."""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from facility.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO

AUDIT_FILES = "audit_files"
"""Under this option an engine of the records has the files of the trail's key."""

Before = Literal["chained", "accepted"]
"""What stands before the first entry with a key: a chain without one, or what a person has accepted as it is."""


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key, the first entry that is sealed with it, and what stands before."""

    secret: bytes
    first: int
    before: Before


@dataclass(frozen=True, slots=True)
class AuditMark:
    """The newest entry when the trail was last found whole: what is restored or cut off later lacks it."""

    seq: int
    hash: str


class AuditFiles:
    """Key and mark, beside each other: ``records.audit.key`` and ``records.audit.mark``."""

    def __init__(self, key_file: Path) -> None:
        self.key_file, self.mark_file = key_file, key_file.with_suffix(".mark")

    def key(self) -> AuditKey | None:
        """The key, or None where there is none yet.

        Raises ``ConfigError`` where others may read it, ``StoreUnavailable`` where it cannot be used.
        """
        said = _read(self.key_file)
        if said is None:
            return None
        try:
            before: Before = "accepted" if said["before"] == "accepted" else "chained"
            return AuditKey(bytes.fromhex(said["key"]), int(said["first"]), before)
        except (KeyError, ValueError, TypeError):
            raise StoreUnavailable(f"{self.key_file} is no key of an audit trail") from None

    def make_key(self, first: int, before: Before) -> AuditKey:
        """A new key for all entries from ``first`` on. A file that is there already is replaced."""
        key = AuditKey(secrets.token_bytes(32), first, before)
        _write(self.key_file, {"key": key.secret.hex(), "first": first, "before": before})
        return key

    def mark(self) -> AuditMark | None:
        """The newest entry that was found whole, if any was."""
        said = _read(self.mark_file)
        try:
            return AuditMark(int(said["seq"]), str(said["hash"])) if said else None
        except (KeyError, ValueError, TypeError):
            raise StoreUnavailable(f"{self.mark_file} is no mark of an audit trail") from None

    def set_mark(self, mark: AuditMark) -> None:
        """Remember it; on a full disk the one before stays."""
        with suppress(StoreUnavailable):
            _write(self.mark_file, {"seq": mark.seq, "hash": mark.hash})

    def forget_mark(self) -> None:
        """A person has accepted the trail as it is."""
        self.mark_file.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, str] | None:
    try:
        if file.stat().st_mode & OTHERS:
            raise ConfigError(f"others than its owner may read {file}: chmod 600 {file}")
        said = json.loads(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"{file} cannot be read: {error}") from None
    return said if isinstance(said, dict) else {}


def _write(file: Path, content: dict[str, object]) -> None:
    """Whole or not at all, and for us alone."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            json.dump(content, opened)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreUnavailable(f"{file} cannot be written: {error.strerror}") from None
