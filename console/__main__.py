"""``python -m console``: settings, stores and application put together, and the server that runs them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from console.app import create_app
from console.authority import Authority
from console.metrics import Timed
from console.server import ConsoleServer, listen
from console.settings import ConsoleSettings
from console.tls import open_tls
from facility.broker_address import SecretPlace
from facility.errors import ConfigError
from facility.status import LONGEST_STILL_S, ProcessStatus, ServerProcess
from process.health import HealthServer, note_file
from process.kept_secret import kept_secret
from process.pulse import Pulse
from process.run import run
from reports.doctor import Ground
from stores.access import LiveValues
from stores.mailbox import Mailbox
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller, this_instance

if TYPE_CHECKING:
    from threading import Event

    from console.provider import Provider


def main() -> int:
    """Run until stopped; 2 where a person must change something first."""
    return run(ConsoleSettings, _run)


def _run(settings: ConsoleSettings, stop: Event) -> bool:
    tls = open_tls(settings.cert, settings.key)
    listening = listen(*settings.address)
    records = open_records(settings.records)
    store = open_readings(settings.store, Registry(records))
    live = LiveValues(store)
    app = create_app(
        store,
        records,
        lambda: datetime.now(UTC),
        hosts=settings.host_names,
        session_s=round(settings.session_hours * 3600),
        idle_s=settings.idle_minutes * 60,
        live=live,
        grafana=settings.grafana_url.rstrip("/"),
        authority=Authority.at(settings.ca, settings.host_names),
        second_factor=settings.second_factor,
        provider=_provider(settings),
        ground=_ground(settings),
        mailbox=Mailbox(settings.mailbox) if settings.mailbox else None,
    )
    timed = Timed(app, time.monotonic)
    pulse = Pulse(settings.data, "console", time.monotonic) if settings.data else None
    teller = Teller(
        StatusBoard(records),
        this_instance(ServerProcess.CONSOLE, settings.listen),
        ProcessStatus,
        moves=lambda: time.monotonic() - timed.moved_s < LONGEST_STILL_S[ServerProcess.CONSOLE],
    )
    note = note_file(settings.data, "console") if settings.data else None
    try:
        with teller, HealthServer(settings.metrics, teller.health, timed, note=note):
            structlog.get_logger().info("listening", address=settings.listen)
            ConsoleServer(timed, live, pulse, stop, tls).run(sockets=[listening])
    finally:
        store.close()
        records.dispose()
    return True


def _provider(settings: ConsoleSettings) -> Provider | None:
    """Who vouches for people. Raises ``ConfigError``, also where the package that asks them is not installed."""
    if not settings.oidc_issuer:
        return None
    try:
        from console.provider import Provider  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        needed = f"the Python package {error.name} (Meterhouse's extra 'oidc')"
        raise ConfigError(f"METERHOUSE_OIDC_ISSUER needs {needed}") from None
    kept = settings.oidc_secret_file
    secret = kept_secret(SecretPlace(file=str(kept))) if kept else ""
    return Provider(settings.oidc_issuer, settings.oidc_client, secret, settings.oidc_name)


def _ground(settings: ConsoleSettings) -> Ground | None:
    if settings.data is None:
        return None
    certificates = tuple(file for file in (settings.ca, settings.cert) if file)
    return Ground(settings.data, settings.store, settings.records, certificates, settings.backup)


if __name__ == "__main__":
    sys.exit(main())
