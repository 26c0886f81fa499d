"""The address of a broker as it is written down: ``mqtt://user:password@host:port``, or ``mqtts://…`` with TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from facility.errors import ConfigError, Problem
from facility.host import is_host

if TYPE_CHECKING:
    from urllib.parse import SplitResult

PORTS = {"mqtt": 1883, "mqtts": 8883}
FILES = ("ca", "cert", "key")
ALLOWED_BROKER = "mqtt://user:password@host:1883, mqtts://user:password@host:8883?ca=FILE&cert=FILE&key=FILE"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Whom we trust (empty: whom this machine trusts), and the certificate that we show if any, with its key."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there. Without ``tls`` the line is open to whoever listens on the way."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: TlsFiles | None = None


def broker_address(url: str, where: str = "METERHOUSE_BROKER", *, needs_credentials: bool = True) -> BrokerAddress:
    """Read a broker's URL. A certificate stands for a password. Raises ``ConfigError`` without repeating the latter."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(Problem(where, "is a URL that cannot be read", ALLOWED_BROKER)) from None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not is_host(host) or port == 0:
        raise ConfigError(Problem(where, "is no broker URL", ALLOWED_BROKER))
    tls = _tls_files(parts, where)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if needs_credentials and not (user and (password or (tls and tls.certificate))):
        raise ConfigError(Problem(where, "is no broker URL with credentials", ALLOWED_BROKER))
    return BrokerAddress(host, port or PORTS[parts.scheme], user, password, tls)


def _tls_files(parts: SplitResult, where: str) -> TlsFiles | None:
    pairs = (part.partition("=") for part in parts.query.split("&") if part)
    named = {name: unquote(file) for name, _, file in pairs}
    if unknown := sorted(named.keys() - set(FILES)):
        raise ConfigError(Problem(where, f"has '{unknown[0]}' after the question mark", ", ".join(FILES)))
    if parts.scheme == "mqtt":
        if named:
            raise ConfigError(Problem(where, "names files that only mqtts:// uses", ALLOWED_BROKER))
        return None
    files = TlsFiles(*(named.get(name, "") for name in FILES))
    if files.key and not files.certificate:
        raise ConfigError(Problem(where, "names a key without its certificate", ALLOWED_BROKER))
    return files
