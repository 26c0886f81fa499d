"""Records in a fresh database for each test, of either kind; an influxd, and stores on it that end with the test."""

import shutil
import time
from datetime import UTC, datetime

import pytest
from rigs.influx_server import InfluxServer, make_ready
from rigs.influx_town import Registry
from rigs.postgres_server import Databases, PostgresServer

from stores.readings import open_readings
from stores.records.database import open_records


@pytest.fixture(scope="session")
def databases():
    with PostgresServer() as server:
        yield Databases(server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """The kind of database that the records of a test stand in: every test of theirs runs on each."""
    return request.param


@pytest.fixture
def empty_url(request, database, tmp_path):
    """Where no records are yet."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    databases = request.getfixturevalue("databases")
    name = databases.make(template="template1")
    yield databases.server.url(name)
    databases.drop(name)


@pytest.fixture
def records_url(request, database, tmp_path):
    """Records at the newest schema that hold nothing."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), tmp_path / "records.db")
        yield f"sqlite:///{tmp_path}/records.db"
        return
    databases = request.getfixturevalue("databases")
    name = databases.make()
    yield databases.server.url(name)
    databases.drop(name)


@pytest.fixture
def engine(records_url):
    engine = open_records(records_url)
    yield engine
    engine.dispose()


@pytest.fixture
def now():
    return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with InfluxServer() as running:
        yield running


@pytest.fixture
def url(server):
    made = server.url_of(f"t{time.time_ns()}")
    make_ready(made, "town")
    return made


@pytest.fixture
def opened():
    stores = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def make(url, opened):
    def open_one(registry=None):
        opened.append(open_readings(url, registry or Registry()))
        return opened[-1]

    return open_one
