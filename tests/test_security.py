"""What docs/security.md says about each requirement: tests that exist, or what is not there yet and what brings it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
REQUIREMENTS = [f"R{n}" for n in range(1, 36)]
LATER = {"a real site", "kept running for years"}
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| (R\d+) \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)}
TESTS = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_every_requirement_has_one_row():
    assert list(ROWS) == REQUIREMENTS
    assert len(re.findall(r"^\| R\d+ ", PAGE, re.MULTILINE)) == len(REQUIREMENTS)


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_requirement_has_tests_that_exist_or_says_what_brings_it(requirement):
    what, how, rest = ROWS[requirement]
    named, later = re.findall(r"`(test_\w+)`", rest), re.search(r"Not yet: .+\*(.+)\*\.$", rest)
    assert what
    assert how
    assert set(named) <= TESTS, set(named) - TESTS
    assert named or later
    assert (how == "nothing") <= bool(later)
    assert later is None or later[1] in LATER


def test_whoever_finds_a_weakness_is_told_whom_to_tell():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert all(words in text for words in ("**Report**", "working days", "docs/security.md"))
