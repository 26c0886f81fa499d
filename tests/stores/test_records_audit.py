"""The audit chain notices every kind of tampering."""

import pytest
import sqlalchemy as sa

from stores.records.audit import Audit
from stores.records.database import writing


@pytest.fixture
def audit(engine, now):
    audit = Audit(engine)
    for i in range(5):
        audit.append(now, "anna", "alert.close", f"case-{i}", "fixed")
    return audit


def test_an_empty_chain_and_a_whole_one_are_true(engine, audit):
    assert audit.verify()
    assert [entry.seq for entry in audit.entries(limit=2)] == [5, 4]


def test_entries_are_turned_over_page_by_page(audit):
    first = audit.entries(limit=2)
    assert [entry.seq for entry in audit.entries(before=first[-1].seq, limit=2)] == [3, 2]
    assert audit.entries(before=1) == []


def test_a_chain_without_entries_is_true(engine):
    assert Audit(engine).verify()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET detail = 'expected' WHERE seq = 3",
        "UPDATE audit SET who = 'eve' WHERE seq = 5",
        "UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1",
        "UPDATE audit SET seq = 9 WHERE seq = 5",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 6, at, who, what, subject, detail, hash FROM audit WHERE seq = 5",
        "DELETE FROM audit_head",
    ],
)
def test_tampering_is_detected(engine, audit, tampering):
    with writing(engine) as connection:
        connection.execute(sa.text(tampering))
    assert not audit.verify()
