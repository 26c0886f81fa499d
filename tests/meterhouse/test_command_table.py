"""The list of commands: whole, and cheap to show."""

import re
import subprocess
import sys

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from meterhouse.cli import app
from meterhouse.command_table import LINES
from meterhouse.output import tell_failure


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


def every_option(group, context):
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        here = typer.Context(command, parent=context, info_name=name)
        if hasattr(command, "list_commands"):
            yield from every_option(command, here)
        else:
            yield from ((here, option) for option in command.params if option.nargs == 1 and not option.multiple)


def test_a_wrong_value_of_any_option_is_refused_with_what_is_allowed(capsys):
    refused = 0
    table = get_command(app)
    for context, option in every_option(table, typer.Context(table)):
        for wrong in ("nonsense", "-1", "1e999"):
            try:
                option.process_value(context, wrong)
            except Exception as error:  # noqa: BLE001 - whatever it raises is what a person is told
                tell_failure(error, 2)
                sentence = capsys.readouterr().err.splitlines()[-1]
                if sentence.endswith("does not exist."):
                    continue  # no file is called so
                assert re.search(rf"'{wrong}' \(allowed: (?!'|.*{wrong}')[^)]+\)$", sentence), sentence
                assert "Value error" not in sentence
                refused += 1
    assert refused > 100
