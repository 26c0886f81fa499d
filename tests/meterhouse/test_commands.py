"""The command line as a stranger meets it: what it says when all is well, and when something is not."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.estate import shipped_site
from meterhouse.commands.latest import format_age
from meterhouse.table import render_table

COMMANDS = (
    "demo",
    "site",
    "meter",
    "account",
    "latest",
    "alerts",
    "quarantine",
    "sign-in",
    "profiles",
    "edge",
    "ingest",
    "analytics",
    "console",
)


def meterhouse(*words, data: Path | None = None, **env: str):
    """Run the real command; nothing may end in a traceback."""
    settings = {"METERHOUSE_DATA": str(data)} if data else {}
    done = subprocess.run(
        [sys.executable, "-m", "meterhouse", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **settings, **env},
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def site(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(shipped_site(), encoding="utf-8")
    return file


def test_help_lists_every_command_with_one_line():
    told = meterhouse("--help").stdout
    assert all(f"  {command}" in told for command in COMMANDS)


def test_a_good_estate_is_counted(site):
    done = meterhouse("site", "check", site)
    assert done.returncode == 0
    assert "good. 6 buildings" in done.stdout


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("profile: schneider/iem3155", "profile: schneider/iem315", ["unknown profile", "schneider/iem3155"]),
        ("quantity: energy_import", "quantity: energie", ["unknown quantity 'energie'", "energy_import"]),
        ("id: b35-electricity", "id: b33-electricity", ["duplicate id 'b33-electricity'"]),
        ("unit: 1\n", "unit: 9000\n", ["unit '9000'", "1 to 247"]),
        ("{quantity: energy_import}", "{quantity: energy_import, unit: MWh}", ["unit 'MWh' is wrong", "kWh"]),
    ],
)
def test_a_wrong_estate_stops_check_apply_and_edge_before_anything_connects(site, tmp_path, before, after, words):
    text = site.read_text(encoding="utf-8")
    assert before in text
    site.write_text(text.replace(before, after, 1), encoding="utf-8")
    edge = {
        "METERHOUSE_SITE": str(site),
        "METERHOUSE_AGENT": "edge-1",
        "METERHOUSE_BROKER": "mqtt://edge-1:x@127.0.0.1:9",
    }
    for command in (("site", "check", site), ("site", "apply", site), ("edge",)):
        done = meterhouse(*command, data=tmp_path / "data", **edge)
        assert done.returncode == 2
        assert "site.yaml:" in done.stderr
        assert all(word in done.stderr for word in words), done.stderr


def test_applying_twice_changes_nothing_and_the_export_checks(site, tmp_path):
    first = meterhouse("site", "apply", site, data=tmp_path)
    assert "changes applied" in first.stdout
    assert "nothing to change" in meterhouse("site", "apply", site, data=tmp_path).stdout
    exported = tmp_path / "exported.yaml"
    exported.write_text(meterhouse("site", "export", "--agent", "edge-1", data=tmp_path).stdout, encoding="utf-8")
    assert meterhouse("site", "check", exported).returncode == 0


def test_what_is_kept_is_for_its_owner_alone(site, tmp_path):
    """Whatever the terminal's umask: records hold graded data and the passwords of buses."""
    before = os.umask(0o022)
    try:
        assert meterhouse("site", "apply", site, data=tmp_path / "data").returncode == 0
    finally:
        os.umask(before)
    kept = [tmp_path / "data", *(tmp_path / "data").iterdir()]
    assert len(kept) > 1
    assert not any(path.stat().st_mode & 0o077 for path in kept)


@pytest.mark.parametrize("name", ["analytics", "console", "edge_agent", "ingest"])
def test_every_process_keeps_its_files_to_itself(name):
    assert "os.umask(0o077)" in Path(name, "__main__.py").read_text(encoding="utf-8")


def test_an_empty_estate_says_what_to_do(tmp_path):
    done = meterhouse("latest", data=tmp_path)
    assert done.returncode == 2
    assert "site apply" in done.stderr


def test_nothing_yet_is_said_in_words(site, tmp_path):
    meterhouse("site", "apply", site, data=tmp_path)
    assert "never" in meterhouse("latest", data=tmp_path).stdout
    assert meterhouse("alerts", data=tmp_path).stdout == "no alerts.\n"
    assert meterhouse("quarantine", "list", data=tmp_path).stdout == "the quarantine is empty.\n"
    assert "there is no item 7" in meterhouse("quarantine", "show", "7", data=tmp_path).stderr


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = meterhouse("demo", "--headless", "--data", tmp_path / "d", "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = meterhouse("demo", "--headless", "--data", tmp_path / "file" / "below")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_fresh_deletes_nothing_that_is_no_demo(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    done = meterhouse("demo", "--headless", "--fresh", "--data", tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "precious.txt").exists()


def test_a_demo_of_another_day_is_refused(tmp_path):
    (tmp_path / "demo.json").write_text(json.dumps({"shift_days": 1456, "as_of": "2026-11-23", "seed": 1}))
    done = meterhouse("demo", "--headless", "--data", tmp_path, "--as-of", "2020-01-01")
    assert done.returncode == 2
    assert "2026-11-23" in done.stderr


def test_columns_line_up_with_wide_characters():
    lines = render_table(("name", "kWh"), [("总表", "1"), ("main", "12")], right=(1,)).splitlines()
    assert lines[2:] == ["总表    1", "main   12"]


@pytest.mark.parametrize(
    ("age_ms", "text"), [(-5, "0 s"), (950, "1 s"), (90_000, "90 s"), (7_200_000, "2 h"), (3e8, "3 d")]
)
def test_an_age_is_told_in_its_largest_unit(age_ms, text):
    assert format_age(age_ms) == text
