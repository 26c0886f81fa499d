"""How entries of the audit trail are sealed: each over the one before it, and the end by itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stores.records.audit_key import AuditKey

GENESIS = "0" * 64


def content_of(before: str, seq: int, at: str, who: str, what: str, subject: str, detail: str) -> bytes:
    """What is sealed of an entry: all it says, and the seal of the one before it."""
    return json.dumps([before, seq, at, who, what, subject, detail]).encode()


def seal_of(secret: bytes | None, content: bytes) -> str:
    """With the key, or as entries of an older Meterhouse were sealed: without."""
    return hmac.digest(secret, content, "sha256").hex() if secret else hashlib.sha256(content).hexdigest()


def head_seal(key: AuditKey, seq: int, seal: str) -> str:
    """Says which entry is the last: without the key nobody can move the end."""
    return hmac.digest(key.secret, json.dumps(["end", seq, seal]).encode(), "sha256").hex()
