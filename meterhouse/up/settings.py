"""What a server is set to: the environment over its settings file over defaults, checked before anything is changed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import Field

from facility.errors import ConfigError, Problem
from meterhouse.settings import DEFAULT_DATA
from meterhouse.up.mosquitto import PORT
from meterhouse.up.names import from_here, names_found
from process.settings import EnvironmentSettings, LogLevel, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PROCESSES = (
    "ingest.settings:IngestSettings",
    "analytics.settings:AnalyticsSettings",
    "console.settings:ConsoleSettings",
    "meterhouse.backup.settings:BackupSettings",
)
"""Named, not imported: commands need no web."""

LATER = {"data": DEFAULT_DATA, **dict.fromkeys(("store", "records", "broker"), "made later")}
"""What a process is told only once everything else was found good."""

Address = tuple[str, int]


class UpSettings(EnvironmentSettings):
    """``METERHOUSE_LISTEN`` and what else a server is told."""

    data: Path = DEFAULT_DATA
    listen: str = "127.0.0.1:8443"
    hosts: str = ""
    cert: Path | None = None
    key: Path | None = None
    broker_listen: str = ""
    broker_at: str = ""
    broker: str = Field(default="", repr=False)
    store: str = Field(default="", repr=False)
    records: str = Field(default="", repr=False)
    console_url: str = Field(default="", pattern=r"^(https?://\S+)?$", examples=["https://meters.example.org"])
    log_level: LogLevel = "info"

    @property
    def console(self) -> Address:
        """Where the console listens. Raises ``ConfigError``."""
        return address_of("METERHOUSE_LISTEN", self.listen)

    @property
    def broker_place(self) -> Address:
        """Where the broker listens: as the console does, unless it was said. Raises ``ConfigError``."""
        if self.broker_listen:
            return address_of("METERHOUSE_BROKER_LISTEN", self.broker_listen)
        return self.console[0], PORT

    @property
    def broker_from_here(self) -> Address:
        """Where the server's own processes reach the broker: here, unless it runs elsewhere, in a container say."""
        if self.broker_at:
            return address_of("METERHOUSE_BROKER_AT", self.broker_at)
        host, port = self.broker_place
        return from_here(host), port

    @property
    def stated(self) -> tuple[str, ...]:
        """What others call the server: METERHOUSE_HOSTS, a port left out."""
        return tuple(name for one in self.hosts.split(",") if (name := _without_port(one.strip())))

    @property
    def names(self) -> tuple[str, ...]:
        """The same, and under which name its own processes reach the broker: its certificate stands for all."""
        return (*self.stated, *([self.broker_from_here[0]] if self.broker_at else []))

    @property
    def found(self) -> tuple[str, ...]:
        """What the machine itself says it is called."""
        return tuple(dict.fromkeys([*names_found(self.console[0]), *names_found(self.broker_place[0])]))

    @property
    def console_page(self) -> str:
        """Where people open the console."""
        if self.console_url:
            return self.console_url.rstrip("/")
        host, port = self.console
        name = next(iter([*self.stated, *names_found(host)]), host)
        return f"https://{_bracketed(name)}:{port}"

    @property
    def agents_place(self) -> Address:
        """Where agents reach the broker."""
        host, port = self.broker_place
        return next(iter([*self.stated, *names_found(host)]), host), port

    @property
    def answered(self) -> str:
        """METERHOUSE_HOSTS for the console: every name with the port that browsers put behind it."""
        port = self.console[1]
        names = [*self.names, *self.found]
        stated = [one.strip() for one in self.hosts.split(",") if one.strip()]
        return ",".join(dict.fromkeys([*stated, *(f"{_bracketed(name)}:{port}" for name in names), *self._bare(names)]))

    def _bare(self, names: list[str]) -> list[str]:
        return [_bracketed(name) for name in (*names, "localhost")] if self.console[1] == 443 else []  # noqa: PLR2004 - HTTPS


KNOWN_WORDS = frozenset(
    {
        *("admin", "administrator", "root", "user", "guest", "test", "public", "default", "secret", "password"),
        *("passw0rd", "changeme", "change-me", "123456", "12345678", "123456789", "qwerty", "letmein"),
        *("meterhouse", "mosquitto", "mqtt", "influx", "influxdb", "postgres", "postgresql", "grafana"),
        *("my-super-secret-auth-token", "mytoken", "token", "password123", "admin123", "influxdb-password"),
    }
)
"""Passwords and tokens of examples and of images."""


def read_up_settings(decided: Mapping[str, str]) -> UpSettings:
    """The settings; ``decided`` says of names where in the settings file they stand. Raises ``ConfigError``."""
    try:
        settings = read_settings(UpSettings)
        _check(settings)
        for place in PROCESSES:
            read_settings(_settings_of(place), **LATER, listen="127.0.0.1:1")
    except ConfigError as error:
        raise ConfigError(*(_placed(one, decided) for one in error.problems)) from None
    return settings


def address_of(where: str, text: str) -> Address:
    """Host and port. Raises ``ConfigError``."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - the ports there are
        raise ConfigError(Problem(where, f"'{text}' is no host:port", "127.0.0.1:8443"))
    return host, int(port)


def _check(settings: UpSettings) -> None:
    if (settings.cert is None) != (settings.key is None):
        raise ConfigError(Problem("METERHOUSE_CERT", "a certificate and its key are given together", "METERHOUSE_KEY"))
    _check_words(settings)
    if settings.console == settings.broker_place:
        raise ConfigError(Problem("METERHOUSE_BROKER_LISTEN", "console and broker listen at one port", "another port"))


def _check_words(settings: UpSettings) -> None:
    """Raise ``ConfigError`` for a password that everybody knows: many servers come with one."""
    for name in ("broker", "store", "records"):
        place = urlsplit(str(getattr(settings, name, "")))
        word = place.username if place.scheme.endswith("+token") else place.password
        if word is not None and unquote(word).lower() in KNOWN_WORDS:
            what = "its password is one that everybody knows"
            raise ConfigError(Problem(f"METERHOUSE_{name.upper()}", what, "one of its own, which nobody can guess"))


def _settings_of(place: str) -> type[EnvironmentSettings]:
    module, _, name = place.partition(":")
    found: type[EnvironmentSettings] = getattr(import_module(module), name)
    return found


def _placed(problem: Problem | str, decided: Mapping[str, str]) -> Problem | str:
    if isinstance(problem, Problem) and problem.where in decided:
        return Problem(f"{decided[problem.where]}: {problem.where}", problem.what, problem.allowed)
    return problem


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, colon, port = text.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else text


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
