"""Checkpoints of the audit trail: how many entries there are and what the last one is, signed, to be kept elsewhere.

What is kept elsewhere tells of a trail that was cut off and of an older copy that was put back, key, mark and all.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from facility.errors import ConfigError, Problem
from stores.records.audit_fault import Fault, Wrong
from stores.records.audit_look import Signed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from stores.records.audit_key import AuditKey, AuditMark

NAME = "meterhouse_audit_checkpoint"
"""How a line is known as one, also among others of a syslog."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """So many entries there were at a time, the last with this seal. ``key`` is public: anybody can check it."""

    entries: int
    seal: str
    at: str
    key: str
    signature: str = ""

    @property
    def content(self) -> bytes:
        """What is signed."""
        return json.dumps([NAME, self.entries, self.seal, self.at, self.key]).encode()

    @property
    def line(self) -> str:
        """One line of JSON, without its end."""
        return json.dumps({NAME: 1, **asdict(self)})

    @property
    def is_genuine(self) -> bool:
        """Whether whoever has the private key of ``key`` signed just this."""
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            public.verify(bytes.fromhex(self.signature), self.content)
        except (InvalidSignature, ValueError):
            return False
        return True


def signed_checkpoint(key: AuditKey, last: AuditMark, at: datetime) -> Checkpoint:
    """A checkpoint of a trail that ends with ``last``."""
    shown = at.astimezone(UTC).isoformat(timespec="seconds")
    plain = Checkpoint(last.seq, last.hash, shown, public_key(key))
    return Checkpoint(plain.entries, plain.seal, plain.at, plain.key, _private(key).sign(plain.content).hex())


def public_key(key: AuditKey) -> str:
    """By which checkpoints of this key are checked, in hex: 32 bytes of Ed25519."""
    return _private(key).public_key().public_bytes_raw().hex()


def read_checkpoints(file: Path) -> list[Checkpoint]:
    """Those in a file, oldest first; what else stands in it, and half a line, is passed over.

    Raises ``ConfigError`` for a file that cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        said = Problem(str(file), f"cannot be read: {error.strerror}", "the file that checkpoints are shipped to")
        raise ConfigError(said) from None
    found = (_checkpoint(line) for line in text.splitlines() if NAME in line)
    return [one for one in found if one]


def signed_by(checkpoints: Iterable[Checkpoint], key: AuditKey | None) -> Signed:
    """What the checkpoints of this key say. Those of a key before it count no more: a person has accepted the trail.

    A newest checkpoint of another key tells of an older copy whose key was put back with it.
    """
    known, newest = public_key(key) if key else "", ""
    seals: dict[int, str] = {}
    for one in checkpoints:
        if not one.is_genuine:
            return Signed({}, Fault(Wrong.FORGED, {"seq": one.entries}))
        newest = one.key
        if one.key == known and seals.setdefault(one.entries, one.seal) != one.seal:
            return Signed({}, Fault(Wrong.SIGNED_TWICE, {"seq": one.entries}))
    return Signed(seals, Fault(Wrong.OTHER_KEY) if newest not in {"", known} else None)


def _checkpoint(line: str) -> Checkpoint | None:
    try:
        said = json.loads(line[line.index("{") :])
        fields = {name: said[name] for name in ("seal", "at", "key", "signature")}
        return Checkpoint(int(said["entries"]), **{name: str(value) for name, value in fields.items()})
    except (ValueError, KeyError, TypeError):
        return None


def _private(key: AuditKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(key.secret, b"sign checkpoints", "sha256"))
