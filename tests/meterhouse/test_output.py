"""How every command speaks: in which language, as which JSON, and with which exit code."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from rigs.command_line import meterhouse

from facility.errors import ConfigError, Problem, StoreUnavailable
from meterhouse.commands.profiles import KnownProfiles
from meterhouse.language import known_language, language_of_terminal
from meterhouse.output import answer, speak_json, tell, tell_failure, warn

DEMO_SITE = Path(__file__).parents[2] / "demo" / "site.yaml"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-Hans"),
        ({"LANG": "zh_CN.GB18030", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_SG"}, "zh-Hans"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "", "METERHOUSE_LANGUAGE": ""}, "zh-Hans"),
        ({"LANG": "zh_CN.UTF-8", "METERHOUSE_LANGUAGE": "en"}, "en"),
    ],
)
def test_a_terminal_says_its_language(environ, language):
    assert language_of_terminal(environ) == language


def test_an_unknown_language_is_refused_with_what_is_allowed():
    with pytest.raises(ConfigError, match=r"METERHOUSE_LANGUAGE: unknown language 'zh_CN' \(allowed: en, zh-Hans\)"):
        language_of_terminal({"METERHOUSE_LANGUAGE": "zh_CN"})
    with pytest.raises(ConfigError, match=r"--language: unknown language 'fr'"):
        known_language("fr", "--language")


@pytest.mark.parametrize("words", [("--language", "zh-Hans", "profiles"), ("profiles", "--language", "zh-Hans")])
def test_the_language_is_chosen_before_or_after_the_command(words):
    assert meterhouse(*words).stdout.startswith("设备规约")


def test_the_nearer_option_wins_over_the_farther_and_the_environment():
    done = meterhouse("--language", "en", "profiles", "--language", "zh-Hans", METERHOUSE_LANGUAGE="en")
    assert done.stdout.startswith("设备规约")
    refused = meterhouse("profiles", METERHOUSE_LANGUAGE="de")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "allowed: en, zh-Hans" in refused.stderr
    for words in (("--language", "zh-Hans", "profiles"), ("profiles", "--language", "zh-Hans")):
        done = meterhouse(*words, METERHOUSE_LANGUAGE="de")
        assert (done.stdout[:4], done.stderr) == ("设备规约", "")


def test_a_wrong_language_stops_no_process(tmp_path):
    """A process speaks no language; it stops here for another reason."""
    done = meterhouse("edge", data=tmp_path, METERHOUSE_LANGUAGE="de")
    assert (done.returncode, done.stderr) == (2, "METERHOUSE_AGENT: is not set (allowed: a text, such as edge-1)\n")


def test_an_answer_is_what_its_shape_says():
    done = meterhouse("profiles", "--json", "--language", "zh-Hans")
    known = msgspec.json.decode(done.stdout, type=KnownProfiles)
    assert any("energy_import" in profile.quantities for profile in known.profiles)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("profiles", "--json", "--colour"), 2, "No such option: --colour"),
        (("profiles", "--json", "--language", "fr"), 2, "--language: unknown language 'fr' (allowed: en, zh-Hans)"),
        (("nonsense", "--json"), 2, "No such command 'nonsense'."),
    ],
)
def test_a_wrong_command_line_under_json_is_one_object_on_standard_error(words, code, message):
    done = meterhouse(*words)
    failure = json.loads(done.stderr)["error"]
    assert (done.returncode, done.stdout) == (code, "")
    assert (failure["exit_code"], failure["message"]) == (code, message)


def test_a_wrong_option_shows_how_the_command_is_used():
    done = meterhouse("profiles", "--colour")
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: meterhouse profiles [OPTIONS]")


@dataclass(frozen=True)
class Told:
    """Whatever an answer may hold."""

    at: datetime
    amount: Decimal
    unknown: float
    nobody: Annotated[str | None, "a person"] = None
    name: str = "总表"


def test_times_are_utc_numbers_are_numbers_and_what_is_absent_is_null(capsys, as_json):
    as_json()
    answer(Told(datetime(2026, 11, 30, 9, 30, tzinfo=UTC), Decimal("12.30"), float("nan")), lambda: "words")
    assert json.loads(text := capsys.readouterr().out) == {
        "at": "2026-11-30T09:30:00Z", "amount": 12.3, "unknown": None, "nobody": None, "name": "总表",
    }  # fmt: skip
    assert '"amount": 12.30' in text
    assert "总表" in text


def test_a_failure_names_every_problem_in_sentences_or_as_an_object(capsys, as_json):
    error = ConfigError(Problem("site.yaml:3", "unknown word", "a, b"), "nothing is there")
    assert tell_failure(error, 2) == 2
    assert capsys.readouterr().err == "site.yaml:3: unknown word (allowed: a, b)\nnothing is there\n"
    as_json()
    tell_failure(error, 2)
    assert json.loads(capsys.readouterr().err)["error"]["problems"] == [
        {"where": "site.yaml:3", "what": "unknown word", "allowed": "a, b"},
        {"where": "", "what": "nothing is there", "allowed": ""},
    ]
    tell_failure(StoreUnavailable("away"), 1)
    assert json.loads(capsys.readouterr().err)["error"] == {"exit_code": 1, "message": "away", "problems": []}


@pytest.mark.parametrize("print_it", [warn, tell, lambda words: tell_failure(ConfigError(words), 2)])
def test_no_sentence_moves_the_terminal(capsys, print_it):
    print_it("hall \x1b[2J \u202e")
    done = capsys.readouterr()
    assert "hall \N{REPLACEMENT CHARACTER}[2J \N{REPLACEMENT CHARACTER}" in done.out + done.err


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    done = meterhouse("site", "apply", DEMO_SITE, data=tmp_path / "file" / "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert "METERHOUSE_DATA: the folder" in done.stderr


def test_closed_streams_stop_no_command():
    words = "[sys.executable, '-m', 'meterhouse', 'profiles']"
    program = f"import os, sys; os.close(1); os.close(2); os.execv(sys.executable, {words})"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_a_terminal_cannot_show_does_not_stop_a_command():
    done = meterhouse("profiles", "--language", "zh-Hans", PYTHONIOENCODING="iso8859-5")
    assert done.returncode == 0
    assert done.stdout.startswith("????")


@pytest.fixture
def as_json():
    yield lambda: speak_json(wanted=True)
    speak_json(wanted=False)
