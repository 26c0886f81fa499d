"""A real PostgreSQL for tests, in memory and on a socket of its own: a cluster a session, a database a test."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from rigs.patience import until
from rigs.servers import end
from stores.records.database import open_records

QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own in it, in memory
OWNER = "meterhouse"
TEMPLATE = "migrated"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "16MB",
    "fsync": "off",  # a test's database need not outlive the machine
    "full_page_writes": "off",
    "autovacuum": "off",
}


def need_postgres() -> Path:
    """The folder of the programs; a visible skip where there are none, which ``REQUIRE_SERVERS=1`` makes a failure."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    programs = [Path(found)] if found else installed  # Debian keeps them off the PATH, a folder a version
    if not programs:
        pytest.skip("PostgreSQL is not installed")
    return programs[-1].resolve().parent


class PostgresServer:
    """Context manager: a cluster that only this test run can reach; ``kill`` and ``start`` keep its folder."""

    def __init__(self) -> None:
        self.programs = need_postgres()
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=QUICK))
        self.process: subprocess.Popen[bytes] | None = None
        self.making, self.settings, self.login = ["-A", "trust"], SETTINGS, {}
        self._as: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("postgres")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def url(self, database: str) -> str:
        """The records' URL of a database, there or not."""
        return f"postgresql+psycopg://{OWNER}@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Do what no transaction can hold, such as making a database."""
        with psycopg.connect(
            host=str(self.folder), user=OWNER, dbname="postgres", autocommit=True, **self.login
        ) as connection:
            connection.execute(statement)

    def start(self) -> None:
        """Start and wait until it answers."""
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self._as)
        until(self._answers, says=lambda: self.log)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Take it away without a word, as a crash does."""
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> None:
        end(self.process, number)
        self.process = None

    def __enter__(self) -> Self:
        making = [self.programs / "initdb", "-D", self.folder / "data", *self.making, "-U", OWNER, "-E", "UTF8"]
        subprocess.run([*making, "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True, **self._as)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Databases:
    """Databases of a server: empty ones, and copies of one whose records are at the newest schema."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        open_records(server.url(TEMPLATE)).dispose()

    def make(self, template: str = TEMPLATE) -> str:
        """The name of a new database."""
        name = f"t{next(self._numbers)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Take a database away, whoever is still connected to it."""
        self.server.execute(f"DROP DATABASE {name} WITH (FORCE)")
