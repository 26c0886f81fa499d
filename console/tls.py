"""TLS of the pages: a certificate from files, read again when a new one lies there."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

LOOK_EVERY_S = 60.0

log = structlog.get_logger()


class ReloadingTls:
    """The context of every connection; one that is made from now on shows the certificate that lies there now."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises ``ConfigError`` for files that cannot be used."""
        self._files = (certificate, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        try:
            self._load()
        except OSError as error:
            raise ConfigError(
                Problem("METERHOUSE_CERT", f"{certificate} with {key} cannot be used ({error})")
            ) from None
        self._changed, self._due_s = self._when(), 0.0

    def look(self) -> None:
        """Once a minute: read the files again where they have changed. What cannot be used is left alone."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + LOOK_EVERY_S
        if (now := self._when()) == self._changed:
            return
        self._changed = now
        try:
            self._load()
        except OSError as error:
            log.warning("certificate_not_read", file=str(self._files[0]), error=str(error))
        else:
            log.info("certificate_read_again")

    def _load(self) -> None:
        self.context.load_cert_chain(*self._files, password=_no_password)

    def _when(self) -> tuple[float, ...]:
        return tuple(file.stat().st_mtime if file.exists() else 0.0 for file in self._files)


def open_tls(certificate: Path | None, key: Path | None) -> ReloadingTls | None:
    """None where no certificate is named. Raises ``ConfigError``."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError(Problem("METERHOUSE_CERT", "a certificate and its key are given together", "METERHOUSE_KEY"))
    return ReloadingTls(certificate, key)


def _no_password() -> str:
    """A key that has a password is refused; without this OpenSSL would ask for it at the terminal."""
    return ""
