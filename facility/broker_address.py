"""The address of a broker as it is written down: ``mqtt://user:password@host:port``, or ``mqtts://…`` with TLS.

Beyond this machine a line without TLS must be wanted in so many words (``?plain=yes``). A password need not stand in
the address: ``password_file`` names a file that holds it, ``password_env`` a variable of the environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from facility.errors import ConfigError, Problem
from facility.host import is_host, is_loopback
from facility.tls_files import FILES, TlsFiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

PORTS = {"mqtt": 1883, "mqtts": 8883}
PLAIN, SECRETS = "plain", ("password_file", "password_env")
WORDS = (*FILES, PLAIN, *SECRETS)
ALLOWED_BROKER = "mqtt://user:password@host:1883, mqtts://user:password@host:8883?ca=FILE&cert=FILE&key=FILE"
ALLOWED_FAR = "mqtts://…?ca=FILE, or mqtt://…?plain=yes where nobody can listen on the way"
ALLOWED_SECRETS = "one of password_file, password_env, with a user"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a secret is kept: in a file, or in a variable of the environment."""

    file: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there. Without ``tls`` the line is open to whoever listens on the way.

    The password is known, or kept at ``password_place``, or none is needed.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: TlsFiles | None = None
    password_place: SecretPlace | None = None


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
    words = _words(parts, where)
    tls, place = _tls_files(parts.scheme, words, where), _password_place(parts, words, where)
    if tls is None and words.get(PLAIN) != "yes" and not is_loopback(host):
        raise ConfigError(Problem(where, f"has no TLS, and others may listen on the way to {host}", ALLOWED_FAR))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if needs_credentials and not (user and (password or place or (tls and tls.certificate))):
        raise ConfigError(Problem(where, "is no broker URL with credentials", ALLOWED_BROKER))
    return BrokerAddress(host, port or PORTS[parts.scheme], user, password, tls, place)


def without_password(url: str, name: str) -> str:
    """A broker's URL as it may be kept: where it held a password, the variable for what is called ``name`` stands."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme not in PORTS or parts.password is None:
        return url
    named, _, place = parts.netloc.rpartition("@")
    user = named.partition(":")[0]
    secret = f"password_env={password_variable(name)}" if parts.password else ""
    query = "&".join(word for word in (parts.query, secret) if word)
    return urlunsplit(parts._replace(netloc=f"{user}@{place}" if user else place, query=query))


def password_variable(name: str) -> str:
    """The variable that holds the password of the bus ``name``: ``METERHOUSE_PASSWORD_RADIO``."""
    return f"METERHOUSE_PASSWORD_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def _words(parts: SplitResult, where: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts.query.split("&") if part)
    words = {name: unquote(value) for name, _, value in pairs}
    if unknown := sorted(words.keys() - set(WORDS)):
        raise ConfigError(Problem(where, f"has '{unknown[0]}' after the question mark", ", ".join(WORDS)))
    if words.get(PLAIN, "yes") != "yes":
        raise ConfigError(Problem(where, "says something else than yes to 'plain'", ALLOWED_FAR))
    return words


def _tls_files(scheme: str, words: Mapping[str, str], where: str) -> TlsFiles | None:
    files = TlsFiles(*(words.get(name, "") for name in FILES))
    if scheme == "mqtt":
        if any(name in words for name in FILES):
            raise ConfigError(Problem(where, "names files that only mqtts:// uses", ALLOWED_BROKER))
        return None
    if PLAIN in words:
        raise ConfigError(Problem(where, "wants TLS and none", ALLOWED_FAR))
    if files.key and not files.certificate:
        raise ConfigError(Problem(where, "names a key without its certificate", ALLOWED_BROKER))
    return files


def _password_place(parts: SplitResult, words: Mapping[str, str], where: str) -> SecretPlace | None:
    if not any(name in words for name in SECRETS):
        return None
    place = SecretPlace(*(words.get(name, "") for name in SECRETS))
    if bool(place.file) == bool(place.variable) or parts.password or not parts.username:
        raise ConfigError(Problem(where, "names a password more than once, or not at all", ALLOWED_SECRETS))
    if place.variable and not _VARIABLE.fullmatch(place.variable):
        raise ConfigError(Problem(where, "names no variable of the environment", "letters, digits and _"))
    return place
