"""The site's own authority as phones and other machines are given it: its certificate, never its key."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.host import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Authority:
    """Its certificate, and the host by which a phone reaches this console."""

    der: bytes
    host: str

    @property
    def fingerprint(self) -> str:
        """SHA-256, as phones show it: ``AB:CD:…``."""
        return hashlib.sha256(self.der).digest().hex(":").upper()

    @classmethod
    def at(cls, file: Path | None, hosts: Sequence[str]) -> Authority | None:
        """The authority in a file in PEM. Raises ``ConfigError``."""
        if file is None:
            return None
        try:
            der = ssl.PEM_cert_to_DER_cert(file.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise ConfigError(Problem("METERHOUSE_CA", f"{file} cannot be used ({error})")) from None
        return cls(der, next((host for host in hosts if not _is_here(host)), hosts[0]))


def _is_here(host: str) -> bool:
    name = host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name)
