"""Meters with both trees, in and out at the terminal: previewed, changed in one step, found by either tree."""

import json

import pytest
from rigs.command_line import meterhouse

SITE = """
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
buildings: [{id: hall, name: Hall}]
"""
TABLE = """\
kind,id,name,valid_from,building,space,department,utility,role
department,office,Office,,,,,,
space,f1,First floor,,hall,,,,
space,r1,Room 1,2026-01-01,hall,f1,,,
meter,water,Water,2026-01-01,hall,r1,office,water,head
"""


@pytest.fixture
def data(tmp_path):
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    done = meterhouse("site", "apply", tmp_path / "site.yaml", data=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "meters.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def test_a_table_comes_in_is_found_by_either_tree_and_goes_out_as_it_is(data):
    tried = meterhouse("import", "meters", data / "meters.csv", "--dry-run", data=data)
    assert (tried.returncode, "water" in tried.stdout) == (0, True), tried.stderr
    assert json.loads(meterhouse("meter", "list", "--json", data=data).stdout)["meters"] == []
    done = meterhouse("import", "meters", data / "meters.csv", "--yes", data=data)
    assert done.returncode == 0, done.stderr
    for by in (("--space", "f1"), ("--department", "office")):
        (found,) = json.loads(meterhouse("meter", "list", *by, "--json", data=data).stdout)["meters"]
        assert (found["meter"], found["spaces"], found["departments"]) == ("water", ["f1", "r1"], ["office"])
    before = ("--space", "f1", "--on", "2025-12-31")
    assert json.loads(meterhouse("meter", "list", *before, "--json", data=data).stdout)["meters"] == []
    out = data / "out.csv"
    assert meterhouse("export", "meters", "--out", out, data=data).returncode == 0
    again = json.loads(meterhouse("import", "meters", out, "--yes", "--json", data=data).stdout)
    assert (again["change_count"], again["fault_count"], again["applied"]) == (0, 0, False)


def test_a_wrong_row_is_named_and_nothing_is_changed(data):
    (data / "meters.csv").write_text(TABLE.replace("water,head", "steam,head"), encoding="utf-8")
    done = meterhouse("import", "meters", data / "meters.csv", "--yes", data=data)
    assert done.returncode == 1
    assert "row 5, column 'utility'" in done.stdout
    assert "department,office" not in meterhouse("export", "meters", data=data).stdout
