"""``meterhouse up``, ``down``, ``restart``: the server of a real site on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from facility.errors import ConfigError, Unavailable
from facility.host import is_loopback
from meterhouse.commands.access import one_time_link
from meterhouse.commands.init import Folder  # noqa: TC001 - typer reads the annotation
from meterhouse.commands.spoken import given_by
from meterhouse.language import SETTING, known_language
from meterhouse.output import say, speak, texts
from meterhouse.settings import DEFAULT_DATA, Settings
from meterhouse.up.beginning import begin, default_answers
from meterhouse.up.folder import NOBODY, Holder, Phase, check_version, holder, say_state
from meterhouse.up.prepare import ServerFolder, prepare
from meterhouse.up.private_file import write_if_new
from meterhouse.up.run import RunningServer
from meterhouse.up.settings import UpSettings, read_up_settings
from meterhouse.up.settings_file import KNOWN, NAME, adopt, keep
from process.logging import set_up_logging
from stores.records.database import open_records
from stores.records.people import People

if TYPE_CHECKING:
    from collections.abc import Callable

READY_TIMEOUT_S = 240.0
END_TIMEOUT_S = 60.0

Trial = Annotated[bool, typer.Option("--trial", help="Without Mosquitto: a broker of our own, for a look only.")]


class Restart(Exception):  # noqa: N818 - it is asked for
    """Somebody wants the server to begin anew."""


def up(
    data: Folder = DEFAULT_DATA,
    *,
    trial: Trial = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Come back once it runs; 'meterhouse down' ends it.")
    ] = False,
    headless: Annotated[bool, typer.Option("--headless", help="No sign-in link: for service managers.")] = False,
) -> None:
    """Start broker, ingest, analytics and console; end them with Ctrl-C."""
    folder = ServerFolder(data.absolute())
    settings = settings_in(folder.path)
    if detach:
        _start_beside(folder.path, trial=trial)
        _tell_page(folder.path, settings, headless=headless)
    else:
        _run(folder, settings, trial=trial, headless=headless)


def down(data: Folder = DEFAULT_DATA) -> None:
    """End the server that runs in a folder."""
    running = _running(data.absolute())
    os.kill(running.pid, signal.SIGTERM)
    until = time.monotonic() + END_TIMEOUT_S
    while holder(data.absolute()):
        if time.monotonic() > until:
            raise Unavailable(f"process {running.pid} has not ended within {END_TIMEOUT_S:.0f} s")
        time.sleep(0.1)
    say("up.stopped", folder=data)


def restart(data: Folder = DEFAULT_DATA) -> None:
    """Let the server that runs in a folder begin anew, with what its settings say now."""
    folder = data.absolute()
    settings = settings_in(folder)
    running = _running(folder)
    os.kill(running.pid, signal.SIGUSR1)
    _await_running(folder, running.begun, lambda: _is_there(running.pid))
    _tell_page(folder, settings, headless=True)


def prepare_folder(
    data: Folder = DEFAULT_DATA,
    influx: Annotated[
        str, typer.Option("--influx", help="http://host:port of an empty InfluxDB 2, which is set up for the server.")
    ] = "",
    grafana: Annotated[
        Path | None, typer.Option("--grafana", help="Folder for the secrets of a Grafana that reads that InfluxDB.")
    ] = None,
    postgres: Annotated[
        str, typer.Option("--postgres", help="host:port of a PostgreSQL of the server's own, which keeps the records.")
    ] = "",
    postgres_password: Annotated[
        Path, typer.Option("--postgres-password", help="The file of that PostgreSQL's password.")
    ] = Path("postgres-password"),
    *,
    begin_it: Annotated[
        bool,
        typer.Option("--begin", help="Do what init does, the first time; keep what the environment says as settings."),
    ] = False,
) -> None:
    """Make certificates, accounts, stores and what each process is told, and start nothing."""
    folder = ServerFolder(data.absolute())
    if begin_it:
        _begin(folder.path)
    said = {}
    if postgres:
        from meterhouse.up.postgres import records_in_postgres  # noqa: PLC0415 - not every server has one

        said["METERHOUSE_RECORDS"] = records_in_postgres(postgres, postgres_password, folder.path)
    if influx:
        from meterhouse.up.influx import set_up_influx  # noqa: PLC0415

        check_version(folder.path)
        store, shown = set_up_influx(influx, folder.path / "secrets" / "influx.json")
        said |= {"METERHOUSE_STORE": store, "METERHOUSE_SHOWN_STORE": shown}
    if said:
        keep(folder.path / NAME, said)
        os.environ.update(said)
    settings = settings_in(folder.path)
    prepare(folder, settings, datetime.now(UTC))
    if influx:
        _prepare_shown(Settings(data=folder.path), said["METERHOUSE_SHOWN_STORE"])
    if influx and grafana:
        _tell_grafana(folder, influx, grafana)
    say("up.prepared", folder=data)


def _begin(folder: Path) -> None:
    """The first files; later what the environment says now is kept, and what it leaves empty stays as it was."""
    check_version(folder)
    for name in [name for name in KNOWN if os.environ.get(name) == ""]:
        del os.environ[name]
    if not (folder / NAME).exists():
        begin(folder, default_answers(texts()), texts())
    keep(folder / NAME, {name: os.environ[name] for name in KNOWN if name in os.environ})


def _prepare_shown(settings: Settings, shown: str) -> None:
    """The database of what Grafana shows, once there is a site whose figures it holds."""
    from meterhouse.backup.sources import UNNAMED, site_of  # noqa: PLC0415
    from meterhouse.store_setup import prepare_store  # noqa: PLC0415

    if (site := site_of(settings.records_url)) != UNNAMED:
        prepare_store(shown, site, round(datetime.now(UTC).timestamp() * 1000))


def _tell_grafana(folder: ServerFolder, influx: str, grafana: Path) -> None:
    """What Grafana is told: an account that may only read, and its own administrator's password."""
    from meterhouse.up.influx import SHOWN, reading_token  # noqa: PLC0415

    token = reading_token(influx, folder.path / "secrets" / "influx.json")
    said = {"influx_token": token, "influx_url": influx, "influx_database": SHOWN}
    for name, value in said.items():
        write_if_new(grafana / name, value)
    if not (grafana / "admin_password").exists():
        write_if_new(grafana / "admin_password", secrets.token_urlsafe(24))


def settings_in(folder: Path) -> UpSettings:
    """What the server of a folder is set to. Raises ``ConfigError`` where there is none."""
    check_version(folder)
    if not (folder / NAME).exists():
        raise ConfigError(f"there is no server in {folder}: 'meterhouse init' makes one")
    os.environ["METERHOUSE_DATA"] = str(folder)
    decided = adopt(folder)
    if SETTING in decided and "--language" not in sys.argv:
        speak(known_language(os.environ[SETTING], decided[SETTING]))
    return read_up_settings(decided)


def _run(folder: ServerFolder, settings: UpSettings, *, trial: bool, headless: bool) -> None:
    set_up_logging(settings.log_level)
    running = RunningServer(folder, settings, trial=trial)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGUSR1, _begin_anew)
    try:
        running.start()
        running.wait_until_ready()
        say_state(folder.path, Phase.RUNNING, running.begun, settings.console_page)
        _tell_page(folder.path, settings, headless=headless)
        while True:
            running.supervisor.watch(3600)
    except KeyboardInterrupt:
        say("up.stopping")
    except Restart:
        running.stop()
        structlog.get_logger().info("begins_anew")
        os.execv(sys.executable, [sys.executable, "-m", "meterhouse", *sys.argv[1:]])  # noqa: S606 - our own words
    finally:
        running.stop()
    say("up.stopped", folder=folder.path)


def _tell_page(folder: Path, settings: UpSettings, *, headless: bool) -> None:
    say("up.ready", page=settings.console_page)
    if headless:
        return
    records = open_records(Settings(data=folder).records_url)
    if People(records).has_anybody_come():
        say("up.new_link")
    else:
        say("up.first", link=one_time_link(records, given_by(""), settings.console_page, datetime.now(UTC)))
    if not settings.cert and not is_loopback(settings.console[0]):
        _show_authority(ServerFolder(folder), settings)


def _show_authority(folder: ServerFolder, settings: UpSettings) -> None:
    """How a phone comes to trust the site; a picture of the address where somebody looks."""
    from meterhouse.up.certificates import fingerprint  # noqa: PLC0415 - takes long to import

    address = f"{settings.console_page}/ca"
    say("up.authority", address=address, fingerprint=fingerprint(folder.certificates.ca.read_bytes()))
    if sys.stdout.isatty():
        import segno  # noqa: PLC0415

        segno.make(address).terminal(compact=True)


def _start_beside(folder: Path, *, trial: bool) -> None:
    if holder(folder):
        raise ConfigError(f"a server already runs in {folder}; 'meterhouse down' ends it")
    log = folder / "logs" / "up.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "meterhouse", "up", "--data", str(folder), "--headless"]
    command += ["--trial"] if trial else []
    begin, asked = log.stat().st_size if log.exists() else 0, time.time()
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - our own words
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    _await_running(folder, asked, lambda: process.poll() is None, begin)


def _await_running(folder: Path, after: float, lives: Callable[[], bool], begin: int = 0) -> None:
    until = time.monotonic() + READY_TIMEOUT_S
    while True:
        found = holder(folder)
        if found and found.begun > after and found.phase is Phase.RUNNING:
            return
        if not lives():
            raise ConfigError(_last_words(folder / "logs" / "up.log", begin))
        if time.monotonic() > until:
            raise Unavailable(f"the server is not ready within {READY_TIMEOUT_S:.0f} s; see {folder / 'logs'}")
        time.sleep(0.1)


def _last_words(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = [
            line for line in file.read().decode("utf-8", "replace").splitlines() if not line.startswith("timestamp=")
        ]
    return "\n".join(lines[-3:]) or f"the server has ended; see {log}"


def _running(folder: Path) -> Holder:
    found = holder(folder)
    if found is None:
        raise Unavailable(f"no server runs in {folder}")
    if found.pid == NOBODY:
        raise Unavailable(f"a server has only just begun in {folder}: ask again in a moment")
    return found


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _interrupt(_signal: int, _frame: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _begin_anew(_signal: int, _frame: object) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    raise Restart
