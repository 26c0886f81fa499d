"""The files of a TLS line, as a URL names them: ``?ca=FILE&cert=FILE&key=FILE``."""

from __future__ import annotations

from dataclasses import dataclass

FILES = ("ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Whom we trust (empty: whom this machine trusts), and the certificate that we show if any, with its key."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
