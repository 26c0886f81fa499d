"""Where an InfluxDB is and how to sign in there, as a store URL says it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from facility.errors import ConfigError

OF_1X = "influx://user:password@host:8086/database"
OF_2X = "influx+token://token@host:8086/organisation/database"
ALLOWED = f"{OF_1X} for InfluxDB 1.8 and later of 1.x, {OF_2X} for 2.x; influxs instead of influx for https"
QUOTING = "in a user, password or token write / ? # % @ : as %2F %3F %23 %25 %40 %3A"
GZIP_WORDS = {"": False, "gzip=no": False, "gzip=yes": True}
DEFAULT_PORT = 8086
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """``org`` is ``-`` on 1.x, which has none; ``token`` is what signs in: ``user:password`` there, else a token.

    ``is_gzipped``: whatever goes over the link is compressed.
    """

    host: str
    org: str
    database: str
    token: str = field(repr=False, default="")
    speaks_v2: bool = False
    is_gzipped: bool = False

    @property
    def place(self) -> str:
        """Where it is, for people: never with a secret."""
        organisation = f"organisation {self.org}, " if self.speaks_v2 else ""
        return f"{self.host}, {organisation}database {self.database}"


def is_influx(url: str) -> bool:
    """Whether a store URL means an InfluxDB."""
    return url.startswith("influx")


def influx_address(url: str) -> InfluxAddress:
    """The address that a store URL names. Raises ``ConfigError``, without the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_host() from None
    scheme, _, how = parts.scheme.partition("+")
    if scheme not in {"influx", "influxs"} or how not in {"", "token"}:
        raise ConfigError(f"no InfluxDB address (allowed: {ALLOWED})")
    if parts.query not in GZIP_WORDS or parts.fragment:
        raise ConfigError(f"after its database an InfluxDB address takes only ?gzip=yes or ?gzip=no; {QUOTING}")
    gzip = GZIP_WORDS[parts.query]
    host = f"{'https' if scheme == 'influxs' else 'http'}://{_host(parts)}"
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if len(names) != (2 if how else 1) or not _NAME.fullmatch(names[-1]) or not names[0]:
        needed = f"an organisation and a database: {OF_2X}" if how else f"a database: {OF_1X}"
        raise ConfigError(f"the InfluxDB address needs {needed}; {QUOTING}")
    if how:
        if not parts.username or parts.password:
            raise ConfigError(f"the InfluxDB address needs one token before the '@': {OF_2X}; {QUOTING}")
        token = _secret(parts.username, "token")
        return InfluxAddress(host, names[0], names[1], token, speaks_v2=True, is_gzipped=gzip)
    return InfluxAddress(host, "-", names[0], _user_and_password(parts), is_gzipped=gzip)


def _host(parts: SplitResult) -> str:
    try:
        name, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        name = None
    if not name:
        raise _no_host()
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _no_host() -> ConfigError:
    return ConfigError(f"the InfluxDB address needs a host, and a port from 1 to 65535: {OF_1X}; {QUOTING}")


def _user_and_password(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    if not parts.username or not parts.password:
        raise ConfigError(f"the InfluxDB address needs both a user and a password, or neither: {OF_1X}")
    return f"{_secret(parts.username, 'user')}:{_secret(parts.password, 'password')}"


def _secret(quoted: str, what: str) -> str:
    secret = unquote(quoted)
    if " " in secret:
        # InfluxDB 1.8 and 1.12 cut a token at its first space and answer 401 to the right password.
        raise ConfigError(f"InfluxDB refuses a {what} with a space in it: choose another {what}")
    if not secret.isprintable():
        raise ConfigError(f"InfluxDB cannot be told a {what} with a control character in it: choose another {what}")
    return secret
