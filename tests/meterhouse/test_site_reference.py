"""The reference of site.yaml has every key that a document may hold, and its example is a good one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rigs.command_line import meterhouse

from facility.building_use import BuildingUse
from facility.documents import site_schema, tariff_schema
from facility.documents.part import DocumentPart
from tools.site_reference import EXAMPLE, site_reference_text

ROOT = Path(__file__).parents[2]
PARTS = {
    part.__name__: part
    for module in (site_schema, tariff_schema)
    for part in vars(module).values()
    if isinstance(part, type) and issubclass(part, DocumentPart) and part is not DocumentPart
}


def test_the_page_is_up_to_date():
    assert (ROOT / "docs/site.md").read_text(encoding="utf-8") == site_reference_text(), "write it anew: make docs"


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_every_key_has_a_row_with_type_example_and_meaning(part):
    rows = re.findall(r"^\| (?:\*\*)?`(\w+)`(?:\*\*)? \| (.*) \|$", site_reference_text(), re.MULTILINE)
    for key in part.model_fields:
        shown = [[cell.strip() for cell in rest.split(" | ")] for name, rest in rows if name == key]
        assert any(cells[0] and cells[3] and cells[4] for cells in shown), key


def test_what_is_allowed_is_written_out():
    page = site_reference_text()
    assert ", ".join(f"`{use}`" for use in BuildingUse) in page
    assert "from 1, up to 86400" in page
    assert "modbus+rtu-over-tcp" in page


def test_the_example_is_good_to_the_last_warning():
    done = meterhouse("site", "check", EXAMPLE)
    assert (done.returncode, done.stdout.split(": ")[1][:5]) == (0, "good.")
    assert "notice" in done.stderr or not done.stderr  # of the year to come, until it is known
