"""Books of closed months on records of their own."""

import shutil

import pytest

from stores.records.accounting.closed_months import ClosedMonths
from stores.records.database import open_records


@pytest.fixture
def books(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield ClosedMonths(engine)
    engine.dispose()


@pytest.fixture
def other_books(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "others.db")
    engine = open_records(f"sqlite:///{tmp_path}/others.db")
    yield ClosedMonths(engine)
    engine.dispose()
