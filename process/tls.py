"""TLS as a client of ours speaks it, to a broker or to a device: the other end is always verified."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from facility.tls_files import TlsFiles


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """The other end's certificate and name are verified, and nothing older than TLS 1.2 is spoken.

    Raises ``ConfigError`` for a file that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca or None)
    except OSError as error:
        raise ConfigError(f"the CA file {files.ca} cannot be used: {error.strerror or error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate:
        try:
            context.load_cert_chain(files.certificate, files.key or None, password=_no_password)
        except OSError as error:
            names = " with the key ".join(name for name in (files.certificate, files.key) if name)
            where = "" if files.key else " (its key stands in the same file, or in another that key=FILE names)"
            raise ConfigError(f"the certificate {names} cannot be used: {error.strerror or error}{where}") from None
    return context


def _no_password() -> str:
    """A key that has a password is refused; without this OpenSSL would ask for it at the terminal."""
    return ""
