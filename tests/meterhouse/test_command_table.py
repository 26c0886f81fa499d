"""The list of commands: whole, and cheap to show."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from meterhouse.cli import app
from meterhouse.command_table import LINES


def test_every_command_is_listed_with_its_line():
    listed = CliRunner().invoke(app, []).output
    for name, line in LINES.items():
        assert f"  {name} " in listed
        assert line in listed


@pytest.mark.parametrize("name", LINES)
def test_a_command_that_is_listed_is_there(name):
    page = CliRunner().invoke(app, [name, "-h"])
    assert page.exit_code == 0
    assert f"Usage: meterhouse {name} [OPTIONS]" in page.output
    assert LINES[name] in page.output


def test_the_list_needs_neither_database_nor_arrays():
    look = "import sys, meterhouse.cli; print([m for m in ('sqlalchemy', 'numpy', 'alembic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "[]\n"
