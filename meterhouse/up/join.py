"""What a fitter carries to a device: one secret file with everything that an agent needs, and how it is taken in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from facility.errors import ConfigError
from meterhouse.up.private_file import write_whole
from meterhouse.up.settings_file import PROCESSES

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
AUTHORITY, EXTRACT, ENVIRONMENT = "ca.pem", "site.yaml", "edge.env"


@dataclass(frozen=True, slots=True)
class JoinFile:
    """An agent's name, account and place at the broker, whom it trusts, and its part of site.yaml."""

    version: int
    agent: str
    host: str
    port: int
    password: str
    ca: str
    site: str

    def write(self, path: Path) -> None:
        """For its owner alone. Raises ``ConfigError``."""
        write_whole(path, json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n")


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
    texts = ("agent", "host", "password", "ca", "site")
    try:
        file = JoinFile(**said)
    except TypeError:
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'") from None
    if not isinstance(file.port, int) or not all(isinstance(getattr(file, one), str) for one in texts):
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'")
    return file


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
    write_whole(folder / AUTHORITY, file.ca)
    write_whole(folder / EXTRACT, file.site)
    write_whole(environment, "".join(f"{name}={value}\n" for name, value in said.items()))
