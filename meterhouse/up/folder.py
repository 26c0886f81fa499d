"""The data folder of a server: which form it has, and who holds it."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from meterhouse.demo.folder import MARK as DEMO
from meterhouse.up.private_file import write_whole
from process.lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""The form of a data folder that this Meterhouse writes; folders that say none are of the first."""

SAID = "folder.json"
CUT_OFF = ".restoring"
"""In a volume while a restore puts its files there one by one: who finds it later knows that some of them lack."""

LOCK = "up.lock"
HOLDER = "up.json"
"""Who holds the folder, and how far it is."""


NOBODY = 0
"""The process id of a server that has only just begun."""


class Phase(StrEnum):
    """How far a server is."""

    STARTING = "starting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a folder, since when, and how far it is."""

    pid: int
    begun: float
    phase: Phase
    page: str


def check_version(folder: Path) -> None:
    """Raise ``ConfigError`` for a folder of a newer Meterhouse, for half a one, and for one that does not say which."""
    if (folder / CUT_OFF).exists():
        raise ConfigError(f"a restore into {folder} was cut off, and files are missing: restore the backup again")
    said = folder / SAID
    if not said.exists():
        return
    try:
        version = json.loads(said.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{said} cannot be read: the version of the data folder is not known") from None
    if not isinstance(version, int) or version > VERSION:
        raise ConfigError(
            f"the data folder {folder} was written by a newer Meterhouse (version {version}, this one reads {VERSION})"
        )


def say_version(folder: Path) -> None:
    """Make the folder say its version. Raises ``ConfigError`` as ``check_version`` does."""
    check_version(folder)
    if not (folder / SAID).exists():
        write_whole(folder / SAID, json.dumps({"version": VERSION, "id": str(uuid.uuid4())}) + "\n")


def known_id(folder: Path) -> str:
    """Which data folder this is, wherever it lies; empty where it does not say. Raises ``ConfigError``."""
    check_version(folder)
    if not (folder / SAID).exists():
        return ""
    return str(json.loads((folder / SAID).read_text(encoding="utf-8")).get("id", ""))


def own_id(folder: Path) -> str:
    """The same, of a folder that is made to say it."""
    if known := known_id(folder):
        return known
    made = str(uuid.uuid4())
    write_whole(folder / SAID, json.dumps({"version": VERSION, "id": made}) + "\n")
    return made


def hold(folder: Path, begun_s: float) -> FileLock:
    """Hold a folder for one server. Raises ``ConfigError`` where another runs there, and for a demo's folder."""
    if (folder / DEMO).exists():
        raise ConfigError(f"{folder} holds a demo; choose another folder by METERHOUSE_DATA")
    check_version(folder)
    held = FileLock(folder / LOCK, f"a server already runs in {folder}; 'meterhouse down' ends it")
    say_state(folder, Phase.STARTING, begun_s)
    return held


def say_state(folder: Path, phase: Phase, begun_s: float, page: str = "") -> None:
    """Let other commands know how far this process, which holds the folder, is."""
    state = {"pid": os.getpid(), "begun": begun_s, "phase": phase, "page": page}
    write_whole(folder / HOLDER, json.dumps(state))


def holder(folder: Path) -> Holder | None:
    """The server that runs in a folder, or None."""
    if not (folder / LOCK).exists():
        return None
    try:
        FileLock(folder / LOCK, "held").release()
    except ConfigError:
        return _read_holder(folder)
    return None


def _read_holder(folder: Path) -> Holder:
    if not (folder / HOLDER).exists():  # it holds the folder, and has not said so yet
        return Holder(NOBODY, 0.0, Phase.STARTING, "")
    try:
        said = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return Holder(int(said["pid"]), float(said["begun"]), Phase(said["phase"]), str(said["page"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{folder / HOLDER} cannot be read: which process runs there is not known") from None
