"""Records in a fresh database for each test."""

import shutil

import pytest

from stores.records.database import open_records


@pytest.fixture
def records(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield engine
    engine.dispose()
