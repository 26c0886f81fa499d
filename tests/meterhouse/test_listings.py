"""What can be listed: as a table in either language, and as JSON of its documented shape; and what is refused."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
import typer
from rigs.command_line import meterhouse
from rigs.sample import make_sample
from typer.core import TyperGroup

from meterhouse.answers.quarantine import ItemsAnswer
from meterhouse.cli import app
from meterhouse.command_table import COMMANDS
from meterhouse.commands.alerts import AlertsAnswer
from meterhouse.commands.latest import PointsNow

LISTINGS = {
    ("latest",): ("building  meter", "楼宇"),
    ("alerts",): ("since", "开始时间"),
    ("alerts", "--all"): ("since", "开始时间"),
    ("quarantine", "list"): ("id  received", "编号"),
    ("profiles",): ("profile", "设备规约"),
    ("store", "check"): ("  store", "  存储"),
    ("meter", "list"): ("building", "楼宇"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    sample = make_sample(folder, datetime.now(UTC))
    sample.store.close()
    sample.records.dispose()
    return folder


def answer_of(*words):
    """The shape that a command declares."""
    context = typer.Context(typer.main.get_command(app), info_name="meterhouse")
    command = context.command
    for word in words:
        if isinstance(command, TyperGroup):
            _, command, _ = command.resolve_command(context, [word])
    return command.callback.answer


@pytest.mark.parametrize(("words", "headings"), LISTINGS.items(), ids=" ".join)
def test_a_listing_speaks_both_languages_and_json(data, words, headings):
    for language, heading in zip(("en", "zh-Hans"), headings, strict=True):
        done = meterhouse(*words, "--language", language, data=data)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(heading)
    done = meterhouse(*words, "--json", data=data)
    assert done.stderr == ""
    given = msgspec.json.decode(done.stdout, type=answer_of(*words))
    assert json.loads(msgspec.json.encode(given)) == json.loads(done.stdout)  # and nothing that its shape does not have


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("latest", "--building", "nowhere"), "--building: unknown building 'nowhere' (allowed: lib,"),
        (("latest", "--buildings", "lib"), "No such option: --buildings"),
        (("latest", "lib"), "unexpected extra argument"),
        (("alerts", "--language", "chinese"), "--language: unknown language 'chinese' (allowed: en, zh-Hans)"),
        (("alerts", "--state", "open"), "No such option: --state"),
        (("alerts", "lib"), "unexpected extra argument"),
        (("quarantine", "list", "--limit", "0"), "'--limit': '0' (allowed: at least 1)"),
        (("quarantine", "list", "--limit", "many"), "'--limit': 'many' (allowed: a whole number)"),
        (("quarantine", "list", "--limit", "9" * 20), "(allowed: at most "),
        (("quarantine", "replay", "9" * 20), "(allowed: at most 9223372036854775807)"),
        (("quarantine", "show"), "Missing argument"),
        (("quarantine", "show", "7000"), "there is no item 7000"),
        (("profiles", "abb"), "unexpected extra argument"),
        (("reconcile", "--wait", "-1"), "'--wait': '-1' (allowed: at least 0)"),
        (("store", "check", "--series-budget", "none"), "'none' (allowed: a whole number)"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_is_asked_wrongly_is_refused_with_what_is_allowed(data, words, said):
    done = meterhouse(*words, data=data)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    refused = meterhouse(*words, "--json", data=data)
    assert refused.returncode == 2
    assert said in json.loads(refused.stderr)["error"]["message"]


def test_alerts_are_told_as_sentences_and_as_facts(data):
    answers = {
        language: msgspec.json.decode(meterhouse("alerts", "--json", "--language", language, data=data).stdout)
        for language in ("en", "zh-Hans")
    }
    english, chinese = (msgspec.convert(answers[language], AlertsAnswer).alerts for language in answers)
    assert [one.id for one in english] == [one.id for one in chinese]
    running = [one.state in {"open", "acknowledged"} for one in english]
    assert running == sorted(running, reverse=True)
    waste, same = (next(one for one in alerts if one.detector == "night_waste") for alerts in (english, chinese))
    assert waste.what.startswith("Library main meter: ")
    assert "图书馆总表" in same.what
    assert (waste.severity, waste.money.currency, waste.since.tzinfo) == ("act", "GBP", UTC)


def test_a_value_is_a_number_with_its_time_and_a_state_is_a_word_for_people(data):
    now = msgspec.json.decode(meterhouse("latest", "--building", "lib", "--json", data=data).stdout, type=PointsNow)
    (leak,) = (one for one in now.points if one.quantity == "leak")
    assert (leak.value, leak.building, leak.at.tzinfo) == (0.0, "lib", UTC)
    assert "dry" in meterhouse("latest", "--building", "lib", data=data).stdout
    assert (
        "干燥"
        in meterhouse("latest", "--building", "lib", data=data, LC_ALL="zh_CN.UTF-8", METERHOUSE_LANGUAGE="").stdout
    )


def test_items_carry_their_readings_and_the_size_of_the_quarantine(data):
    listed = msgspec.json.decode(meterhouse("quarantine", "list", "--json", data=data).stdout, type=ItemsAnswer)
    assert listed.size.items == len(listed.items) > 1
    assert {one.readings for one in listed.items if one.reason == "malformed"} == {None}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_a_language(name):
    page = meterhouse(name, "--help").stdout
    assert "--language en|zh-Hans" in page or "COMMAND" in page
