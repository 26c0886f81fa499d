"""Records in a fresh database for each test."""

import shutil

import pytest

from stores.records.database import open_records


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.db"
    open_records(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def records(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield engine
    engine.dispose()
