"""What a fitter carries to a device: one secret file with everything that an agent needs, and how it is taken in."""

from __future__ import annotations

import base64
import json
import re
import ssl
import sys
import zlib
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


CODE = "METERHOUSE-JOIN:"
"""How the same begins as a text for a QR code: capitals and digits alone, for which such a code has most room."""

MOST_BYTES = 1024 * 1024


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
        write_whole(path, json.dumps(self._said, ensure_ascii=False, indent=1) + "\n")

    @property
    def code(self) -> str:
        """The same as one line of text, to be photographed."""
        packed = zlib.compress(json.dumps(self._said, ensure_ascii=False).encode(), 9)
        return CODE + base64.b32encode(packed).decode().rstrip("=")

    @property
    def _said(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if name != PROFILES or value}


def read_join_file(path: Path) -> JoinFile:
    """A file of ``meterhouse agent add``, or one that holds the text of its QR code; ``-`` is standard input.

    Raises ``ConfigError`` for a file that is none, or of a newer Meterhouse.
    """
    try:
        text = sys.stdin.read(MOST_BYTES) if str(path) == "-" else path.read_text(encoding="utf-8")
        said = json.loads(_unpacked(text) if text.lstrip().upper().startswith(CODE) else text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, zlib.error):
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'") from None
    if isinstance(said, dict) and isinstance(said.get("version"), int) and said["version"] > VERSION:
        raise ConfigError(f"{path} was written by a newer Meterhouse (version {said['version']}, this one: {VERSION})")
    try:
        file = JoinFile(**said)
    except TypeError:
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'") from None
    if not _is_whole(file):
        raise ConfigError(f"{path} is no whole file of 'meterhouse agent add'")
    if not _is_authority(file.ca):
        raise ConfigError(f"{path} has no certificate of the server's authority: nobody could be trusted")
    return file


def _is_authority(text: str) -> bool:
    trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trusts.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return False
    return trusts.cert_store_stats()["x509_ca"] > 0


def _unpacked(text: str) -> bytes:
    """What was packed into a code; apps break long lines, and some write small letters."""
    letters = "".join(text.split()).upper().removeprefix(CODE)
    packed = base64.b32decode(letters + "=" * (-len(letters) % 8))
    opened = zlib.decompressobj()
    whole = opened.decompress(packed, MOST_BYTES)
    if not opened.eof:
        raise ValueError
    return whole


def _is_whole(file: JoinFile) -> bool:
    texts = (file.agent, file.host, file.password, file.ca, file.site)
    if not isinstance(file.port, int) or not isinstance(file.profiles, dict):
        return False
    if not all(isinstance(one, str) and one.isprintable() for one in texts[:3]):
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
