"""Records in a fresh database for each test; an influxd, and stores on it that end with the test."""

import shutil
import time
from datetime import UTC, datetime

import pytest
from rigs.influx_server import InfluxServer, make_ready
from rigs.influx_town import Registry

from stores.readings import open_readings
from stores.records.database import open_records


@pytest.fixture
def records_url(tmp_path):
    return f"sqlite:///{tmp_path}/records.db"


@pytest.fixture
def engine(migrated, tmp_path, records_url):
    shutil.copy(migrated, tmp_path / "records.db")
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
