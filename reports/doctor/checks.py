"""What the doctor looks at, each on its own, so that one that fails hides no other."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import stat
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from cryptography import x509

from facility.errors import StoreUnavailable
from facility.status import ServerProcess
from facility.system_alarm import SystemAlarm, outlook
from process.kernel_clock import is_kernel_synchronised
from reports.doctor.line import Check, Ground, How
from stores.backup_note import read_backup_note
from stores.looking import readings_to_look_at
from stores.records.database import NEWEST, look_at_records, present_schema
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Engine

    from stores.readings.port import ReadingStore

Found = tuple[str, How, dict[str, str]]

MIB = 2**20
LEAST_FREE_BYTES, FULL_BYTES = 1024 * MIB, 256 * MIB
ENDS_SOON, SILENT, BACKUP_OLD = timedelta(days=30), timedelta(hours=1), timedelta(hours=26)
MOST_NAMED = 3
OTHERS = stat.S_IRWXG | stat.S_IRWXO
CERTIFICATE = ".pem"

BROKER = (SystemAlarm.BROKER_UNREACHABLE, SystemAlarm.BROKER_REFUSES, SystemAlarm.BROKER_DROPS_MESSAGES)
STORE = (SystemAlarm.STORE_UNAVAILABLE, SystemAlarm.STORE_DAMAGED, SystemAlarm.STORE_HAD_LOST)


def clock(_ground: Ground, _now: datetime) -> Found:
    """Whether a time service keeps the machine's clock."""
    return ("kept", How.WELL, {}) if is_kernel_synchronised() else ("alone", How.CARE, {})


def disk(ground: Ground, _now: datetime) -> Found:
    """How much room the data folder has."""
    free = shutil.disk_usage(ground.folder).free
    how = How.WRONG if free < FULL_BYTES else How.CARE if free < LEAST_FREE_BYTES else How.WELL
    return "free", how, {"mib": f"{free // MIB:,}", "folder": str(ground.folder)}


def processes(ground: Ground, _now: datetime) -> Found:
    """Which of the server's processes tell their status."""
    with _records(ground) as engine:
        overview = StatusBoard(engine).overview()
    missing = [name for name in ServerProcess if not any(one.tells for one in overview.of(name))]
    if missing:
        return "missing", How.WRONG, {"names": ", ".join(missing)}
    return "running", How.WELL, {"names": ", ".join(ServerProcess)}


def broker(ground: Ground, _now: datetime) -> Found:
    """What ingest and analytics say of their line to the broker."""
    return _alarms_of(ground, BROKER)


def store(ground: Ground, _now: datetime) -> Found:
    """Whether the store of readings answers, and what ingest says of it."""
    with _readings(ground) as opened:
        opened.cursor()
    return _alarms_of(ground, STORE)


def records(ground: Ground, _now: datetime) -> Found:
    """Whether the records can be read, and of which schema they are."""
    with _records(ground) as engine:
        present = present_schema(engine)
    if present != NEWEST:
        return "older", How.CARE, {"present": str(present), "newest": NEWEST}
    return "current", How.WELL, {"newest": NEWEST}


def certificates(ground: Ground, now: datetime) -> Found:
    """Which certificate ends first."""
    ends = {file: _end_of(file) for file in ground.certificates if file.exists()}
    if not ends:
        return "none", How.WELL, {}
    first = min(ends, key=lambda file: ends[file])
    left = ends[first] - now
    how = How.WRONG if left < timedelta() else How.CARE if left < ENDS_SOON else How.WELL
    numbers = {"file": str(first), "day": f"{ends[first]:%Y-%m-%d}"}
    return ("ended" if how is How.WRONG else "valid"), how, numbers


def points(ground: Ground, now: datetime) -> Found:
    """Which points have told nothing for an hour; those that people read tell when they are read."""
    with _records(ground) as engine:
        registry = Registry(engine)
        estate = registry.load() if registry.version() else None
        known = [point.id for point in estate.points if estate.meter[point.meter].agent] if estate else []
    with _readings(ground) as opened:
        newest = opened.latest(known) if known else {}
    since_ms = round((now - SILENT).timestamp() * 1000)
    silent = [point for point in known if point not in newest or newest[point].t_ms < since_ms]
    if not silent:
        return "telling", How.WELL, {"count": f"{len(known):,}"}
    more = "…" if len(silent) > MOST_NAMED else ""
    numbers = {"silent": f"{len(silent):,}", "count": f"{len(known):,}"}
    return "silent", How.CARE, numbers | {"names": ", ".join(silent[:MOST_NAMED]) + more}


def backup(ground: Ground, now: datetime) -> Found:
    """How old the newest backup is."""
    note = read_backup_note(ground.folder)
    if note.made_at is None:
        case = "unset" if not ground.backups and not note.failed else "none"
        return case, How.CARE if case == "unset" else How.WRONG, {"why": note.failed or "–"}
    numbers = {"at": f"{note.made_at:%Y-%m-%d %H:%M} UTC", "file": note.file, "why": note.failed or "–"}
    if note.failed:
        return "failed", How.WRONG, numbers
    if note.lacks:
        return "partial", How.WRONG, numbers | {"why": note.lacks}
    return ("old", How.CARE, numbers) if now - note.made_at > BACKUP_OLD else ("fresh", How.WELL, numbers)


def versions(_ground: Ground, _now: datetime) -> Found:
    """What runs here."""
    numbers = {
        "meterhouse": version("meterhouse"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    return "running", How.WELL, numbers


def permissions(ground: Ground, _now: datetime) -> Found:
    """Whether others may read or write what is ours alone."""
    open_ones = sorted(str(path) for path in _ours(ground.folder) if path.stat().st_mode & OTHERS)
    if not open_ones:
        return "ours", How.WELL, {}
    return "open", How.WRONG, {"file": open_ones[0], "count": str(len(open_ones))}


def _ours(folder: Path) -> Iterator[Path]:
    """Secrets, databases, keys. Where others may not enter the folder they reach none of them."""
    if not folder.stat().st_mode & OTHERS:
        return
    yield from (path for path in folder.glob("secrets/*") if path.suffix != CERTIFICATE)
    for pattern in ("*.db", "*.key", "settings.env", "processes/*.env"):
        yield from folder.glob(pattern)


@contextmanager
def _records(ground: Ground) -> Iterator[Engine]:
    engine = look_at_records(ground.records_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _readings(ground: Ground) -> AbstractContextManager[ReadingStore]:
    return readings_to_look_at(ground.records_url, ground.store_url)


def _alarms_of(ground: Ground, alarms: tuple[SystemAlarm, ...]) -> Found:
    with _records(ground) as engine:
        overview = StatusBoard(engine).overview()
    if not any(one.tells for one in overview.of(ServerProcess.INGEST)):
        return "untold", How.CARE, {}
    raised = [one for one in outlook(overview).alarms if one.alarm in alarms]
    if raised:
        return "alarm", How.WRONG, {"why": " ".join(f"{raised[0].alarm} {raised[0].words}".split())}
    return "well", How.WELL, {}


def _end_of(file: Path) -> datetime:
    """Of the first certificate in a file."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.astimezone(UTC)
    except ValueError as error:
        raise StoreUnavailable(f"{file} is no certificate: {error}") from None


CHECKS: Mapping[str, Check] = {
    "clock": clock,
    "disk": disk,
    "processes": processes,
    "broker": broker,
    "store": store,
    "records": records,
    "certificates": certificates,
    "points": points,
    "backup": backup,
    "versions": versions,
    "permissions": permissions,
}
"""Name → check, in the order in which they are told."""

CASES: Mapping[str, tuple[str, ...]] = {
    "clock": ("kept", "alone"),
    "disk": ("free",),
    "processes": ("running", "missing"),
    "broker": ("well", "untold", "alarm"),
    "store": ("well", "untold", "alarm"),
    "records": ("current", "older"),
    "certificates": ("valid", "ended", "none"),
    "points": ("telling", "silent"),
    "backup": ("unset", "none", "failed", "partial", "old", "fresh"),
    "versions": ("running",),
    "permissions": ("ours", "open"),
}
"""Name → what a check can find: each has a sentence."""

ADVISED: Mapping[str, tuple[str, ...]] = {"backup": ("failed", "partial", "old")}
"""Name → cases of which something else is to be done than of the others."""
