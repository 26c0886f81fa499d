"""Records in a fresh database for each test."""

import shutil
from datetime import UTC, datetime

import pytest

from stores.records.database import open_records


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A database at the newest schema: copied, since the steps take longer than most tests."""
    path = tmp_path_factory.mktemp("records") / "records.db"
    open_records(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/records.db"


@pytest.fixture
def engine(migrated, tmp_path, url):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(url)
    yield engine
    engine.dispose()


@pytest.fixture
def now():
    return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
