"""Whoever makes cases of findings is killed at any statement and begins again: no case, step or letter is doubled."""

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa
from rigs.mortal_casebook import step_through
from rigs.trials import FULL, seeded

from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.tables import case_event

KILLS = 200 if FULL else 12
LAST = 400
"""A whole life has more statements than this."""

RIGS = Path(__file__).parents[1]


def story(records):
    """Every case, and every step of each in its order."""
    e = case_event.c
    with records.connect() as connection:
        steps = connection.execute(sa.select(e.alert, e.at, e.what, e.note).order_by(e.id)).all()
    return sorted(Casebook(records).alerts(), key=lambda one: one.id), [tuple(step) for step in steps]


def test_kills_at_any_statement_leave_what_an_undisturbed_run_leaves(records, migrated, tmp_path):
    step_through(Casebook(records))
    (tmp_path / "killed.db").write_bytes(migrated.read_bytes())
    chance, url = seeded(), f"sqlite:///{tmp_path}/killed.db"
    places = {"PYTHONPATH": f"{RIGS.parent}:{RIGS}"}
    lives = "".join(f"{chance.randint(1, LAST)}\n" for _ in range(KILLS)) + "0\n"
    done = subprocess.run(
        [sys.executable, "-m", "rigs.mortal_casebook", url],
        input=lives, capture_output=True, text=True, check=True, timeout=300, env={**os.environ, **places},
    )  # fmt: skip
    ends = done.stdout.split()
    assert ends[-1] == "0", done.stderr
    assert ends.count("killed") >= KILLS // 2
    after = open_records(url)
    assert story(after) == story(records)
    step_through(Casebook(after))
    assert story(after) == story(records), "nor does another replay"
    after.dispose()
