"""The settings file of a server, ``settings.env``: a line for each value, in the form that systemd and Docker read too.

Its last line says the version of its form: a file without it was written by half, and nothing is believed of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem, quoted
from meterhouse.up.private_file import write_if_new

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

NAME = "settings.env"
LAST = "METERHOUSE_SETTINGS_VERSION"
VERSION = "1"

PROCESSES = "processes"
"""The folder of what each process is told."""

KNOWN: dict[str, tuple[str, str]] = {
    "METERHOUSE_LANGUAGE": ("setting.language", ""),
    "METERHOUSE_LISTEN": ("setting.listen", "127.0.0.1:8443"),
    "METERHOUSE_HOSTS": ("setting.hosts", ""),
    "METERHOUSE_CERT": ("setting.cert", ""),
    "METERHOUSE_KEY": ("setting.cert_key", ""),
    "METERHOUSE_BROKER_LISTEN": ("setting.broker_listen", ""),
    "METERHOUSE_BROKER_AT": ("setting.broker_at", ""),
    "METERHOUSE_BROKER": ("setting.broker", ""),
    "METERHOUSE_STORE": ("setting.store", ""),
    "METERHOUSE_SHOWN_STORE": ("setting.shown_store", ""),
    "METERHOUSE_RECORDS": ("setting.records", ""),
    "METERHOUSE_PROFILES": ("setting.profiles", ""),
    "METERHOUSE_SESSION_HOURS": ("setting.session_hours", "12"),
    "METERHOUSE_SECOND_FACTOR": ("setting.second_factor", "administrators"),
    "METERHOUSE_OIDC_ISSUER": ("setting.oidc_issuer", ""),
    "METERHOUSE_OIDC_CLIENT": ("setting.oidc_client", ""),
    "METERHOUSE_OIDC_SECRET_FILE": ("setting.oidc_secret_file", ""),
    "METERHOUSE_OIDC_NAME": ("setting.oidc_name", ""),
    "METERHOUSE_SERIES_BUDGET": ("setting.series_budget", ""),
    "METERHOUSE_STEP_DAYS": ("setting.step_days", "30"),
    "METERHOUSE_TICK_S": ("setting.tick_s", "2"),
    "METERHOUSE_LOG_LEVEL": ("setting.log_level", "info"),
    "METERHOUSE_HEARTBEAT": ("setting.heartbeat", ""),
    "METERHOUSE_HEARTBEAT_METHOD": ("setting.heartbeat_method", "post"),
    "METERHOUSE_HEARTBEAT_S": ("setting.heartbeat_s", "60"),
    "METERHOUSE_AUDIT_CHECKPOINTS": ("setting.audit_checkpoints", ""),
    "METERHOUSE_BACKUP": ("setting.backup", ""),
    "METERHOUSE_BACKUP_AT": ("setting.backup_at", "03:10"),
    "METERHOUSE_BACKUP_KEEP": ("setting.backup_keep", "14"),
    "METERHOUSE_INFLUX_BACKUP_AT": ("setting.influx_backup_at", ""),
    "METERHOUSE_NOTIFY": ("setting.notify", ""),
    "METERHOUSE_ORDERS_HOOK": ("setting.orders_hook", ""),
    "METERHOUSE_DAILY_AT": ("setting.daily_at", "08:00"),
    "METERHOUSE_GRAFANA_URL": ("setting.grafana_url", ""),
    "METERHOUSE_CONSOLE_URL": ("setting.console_url", ""),
}
"""Setting of a server → the text that explains it, and its default where one stands for it."""

SECRET = frozenset(
    {
        *("METERHOUSE_BROKER", "METERHOUSE_STORE", "METERHOUSE_SHOWN_STORE", "METERHOUSE_RECORDS"),
        *("METERHOUSE_HEARTBEAT", "METERHOUSE_NOTIFY", "METERHOUSE_ORDERS_HOOK"),
    }
)
"""Values that may hold a password or a key: they are never shown."""


def read_settings_file(path: Path) -> dict[str, tuple[int, str]]:
    """Name → line and value; empty where there is no file. Raises ``ConfigError`` with every line that is wrong."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(path), f"cannot be read: {error}")) from None
    said, problems = _said(path, lines)
    version = said.pop(LAST, None)
    if version is None or any(number > version[0] for number, _ in said.values()):
        how = f"{LAST}={VERSION} as its last line"
        raise ConfigError(Problem(str(path), "ends too early: it was written by half", how))
    if version[1] != VERSION:
        raise ConfigError(Problem(f"{path}:{version[0]}", f"is of version {quoted(version[1])}", VERSION))
    if problems:
        raise ConfigError(*problems)
    return said


def keep(path: Path, said: Mapping[str, str]) -> None:
    """Let the file say these values: in the place of what it said of each, or of the comment that stands for it.

    Raises ``ConfigError`` for a file that cannot be believed or written.
    """
    read_settings_file(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, value in said.items():
        place = next((at for said_as in (name, f"#{name}") if (at := _place(lines, said_as)) is not None), None)
        if place is None:
            lines.insert(len(lines) - 1, f"{name}={value}")
        else:
            lines[place] = f"{name}={value}"
    write_if_new(path, "\n".join(lines) + "\n")


def _place(lines: list[str], name: str) -> int | None:
    return next((n for n, line in enumerate(lines) if line.partition("=")[0].strip() == name), None)


def _said(path: Path, lines: list[str]) -> tuple[dict[str, tuple[int, str]], list[Problem]]:
    said: dict[str, tuple[int, str]] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = (part.strip() for part in line.partition("="))
        where = f"{path}:{number}"
        if not sign:
            problems.append(Problem(where, f"{quoted(line)} is no setting", "NAME=VALUE"))
        elif name not in KNOWN and name != LAST:
            problems.append(Problem(where, f"unknown setting {quoted(name)}", ", ".join(KNOWN)))
        elif name in said:
            problems.append(Problem(where, f"{name} stands in line {said[name][0]} already"))
        elif value[:1] in {'"', "'"}:
            problems.append(Problem(where, f"{name} stands in quotes", "the bare value"))
        else:
            said[name] = (number, value)
    return said, problems


def adopt_process(folder: Path, process: str, environ: MutableMapping[str, str] = os.environ) -> None:
    """Let what ``meterhouse prepare`` wrote for a process hold where the environment says nothing."""
    path = folder / PROCESSES / f"{process}.env"
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            environ.setdefault(name, value)


def adopt(folder: Path, environ: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """Let what the folder's settings file says hold where the environment says nothing.

    Returns name → where its value comes from, ``settings.env:4``, for those that the file decides.
    """
    path = folder / NAME
    decided = {}
    for name, (line, value) in read_settings_file(path).items():
        if name not in environ:
            environ[name] = value
            decided[name] = f"{path}:{line}"
    return decided
