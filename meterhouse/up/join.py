"""What a fitter carries to a device: one secret file with everything that an agent needs, and how it is taken in."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from facility.errors import ConfigError
from meterhouse.up.private_file import write_whole
from meterhouse.up.settings_file import PROCESSES

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 2
PLAIN_VERSION = 1
"""What a file says that brings no profiles: agents of before read it too."""

AUTHORITY, EXTRACT, ENVIRONMENT = "ca.pem", "site.yaml", "edge.env"
PROFILES = "profiles"
PROFILE = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
"""The id of a device profile, ``maker/model``, which becomes the path of a file."""


@dataclass(frozen=True, slots=True)
class JoinFile:
    """An agent's name, account and place at the broker, whom it trusts, its part of site.yaml, and its own profiles."""

    version: int
    agent: str
    host: str
    port: int
    password: str
    ca: str
    site: str
    profiles: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """For its owner alone. Raises ``ConfigError``."""
        said = {name: value for name, value in asdict(self).items() if name != PROFILES or value}
        write_whole(path, json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def read_join_file(path: Path) -> JoinFile:
    """Raises ``ConfigError`` for a file that is none, or of a newer Meterhouse."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'") from None
    if isinstance(said, dict) and isinstance(said.get("version"), int) and said["version"] > VERSION:
        raise ConfigError(f"{path} was written by a newer Meterhouse (version {said['version']}, this one: {VERSION})")
    try:
        file = JoinFile(**said)
    except TypeError:
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'") from None
    if not _is_whole(file):
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'")
    return file


def _is_whole(file: JoinFile) -> bool:
    texts = (file.agent, file.host, file.password, file.ca, file.site)
    if not isinstance(file.port, int) or not isinstance(file.profiles, dict):
        return False
    return all(isinstance(one, str) for one in (*texts, *file.profiles.values())) and all(
        PROFILE.fullmatch(name) for name in file.profiles
    )


def join(file: JoinFile, folder: Path) -> None:
    """Lay what it says into a device's data folder, from which ``meterhouse edge`` starts ever after.

    Raises ``ConfigError`` where the folder is another agent's: its rows wait there.
    """
    environment = folder / PROCESSES / ENVIRONMENT
    if environment.exists() and f"METERHOUSE_AGENT={file.agent}\n" not in environment.read_text(encoding="utf-8"):
        raise ConfigError(f"{folder} belongs to another agent than '{file.agent}': choose another by METERHOUSE_DATA")
    host = f"[{file.host}]" if ":" in file.host else file.host
    ca = quote(str((folder / AUTHORITY).absolute()), safe="/")
    account = f"{file.agent}:{quote(file.password, safe='')}"
    said = {
        "METERHOUSE_DATA": str(folder.absolute()),
        "METERHOUSE_AGENT": file.agent,
        "METERHOUSE_SITE": str((folder / EXTRACT).absolute()),
        "METERHOUSE_BROKER": f"mqtts://{account}@{host}:{file.port}?ca={ca}",
    }
    if file.profiles:
        said["METERHOUSE_PROFILES"] = str((folder / PROFILES).absolute())
    for name, text in file.profiles.items():
        write_whole(folder / PROFILES / f"{name}.yaml", text)
    write_whole(folder / AUTHORITY, file.ca)
    write_whole(folder / EXTRACT, file.site)
    write_whole(environment, "".join(f"{name}={value}\n" for name, value in said.items()))
