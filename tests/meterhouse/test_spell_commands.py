"""Registers in doubt from the command line: what waits, what a decision would mean, and what becomes of it."""

from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from rigs.command_line import meterhouse
from rigs.one_meter import at, estate, ms
from typer.testing import CliRunner

from accounting.spells import Outcome, Spell
from facility.errors import MeterhouseError
from meterhouse.answers.spells import SpellsAnswer
from meterhouse.cli import app
from meterhouse.settings import Settings
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.registry import Registry

POINT = "main/energy_import/total"
SINCE, FIRST, UNTIL = (ms(f"2026-09-14T{clock}") for clock in ("07:45", "08:00", "21:00"))
DOUBT = Spell(SINCE, FIRST, None, 59_700.5, 0.0, Outcome.IN_DOUBT)
FALSE = replace(DOUBT, until_ms=UNTIL, outcome=Outcome.FALSE)
LEAP = Spell(UNTIL, UNTIL + 900_000, UNTIL + 1_800_000, 60_000.0, 4_294_967.295, Outcome.LEAP)


class Desk:
    """Records with one meter, and the commands."""

    def __init__(self, folder):
        self.folder = folder
        self.records = open_records(Settings(data=folder).records_url)
        Registry(self.records).apply(estate(), by="li", at=datetime(2026, 8, 1, tzinfo=UTC))
        self.spells = Spells(self.records)

    def run(self, *words, ok=True):
        done = self._invoke(words)
        printed = f"{done.output}{done.exception or ''}"
        assert (done.exit_code == 0) is ok, printed
        return printed

    def listed(self, *words):
        done = self._invoke(("meter", "spells", *words, "--json"))
        return msgspec.json.decode(done.stdout, type=SpellsAnswer).spells

    def _invoke(self, words):
        env = {"METERHOUSE_DATA": str(self.folder)}
        done = copy_context().run(CliRunner().invoke, app, words, env=env)  # how it speaks ends with the command
        assert done.exception is None or isinstance(done.exception, SystemExit | MeterhouseError), done.exception
        return done


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.records.dispose()


def test_what_waits_is_listed_in_local_time_with_units_and_what_each_choice_would_mean(desk):
    assert "no register is in doubt." in desk.run("meter", "spells")
    desk.spells.replace(POINT, 0, 2**62, [DOUBT])
    printed = desk.run("meter", "spells")
    for words in ("1  main", "in doubt", "2026-09-14 08:00", "59,700.5 kWh", "0 kWh", "waits for a person"):
        assert words in printed
    assert "accept: it is right: the register began again there" in printed
    assert "reject: it is wrong: its readings are left out" in printed
    assert "the leap is" not in printed
    chinese = desk.run("meter", "spells", "--language", "zh-Hans")
    for words in ("异常段", "存疑", "待判定", "accept：读数正确"):
        assert words in chinese


def test_those_that_need_no_decision_are_listed_when_asked_for(desk):
    desk.spells.replace(POINT, 0, 2**62, [FALSE, LEAP])
    assert [one.outcome for one in desk.listed()] == ["leap"]
    (false, leap) = desk.listed("--all", "--meter", "main")
    assert (false.since, false.first, false.until) == tuple(at(f"2026-09-14T{c}") for c in ("07:45", "08:00", "21:00"))
    assert (false.before, false.level, false.unit, false.is_asked) == (59_700.5, 0, "kWh", False)
    assert (leap.spell, leap.is_asked, leap.accepted, leap.decided_by) == (2, True, None, None)
    assert "--meter: unknown meter 'mein'" in desk.run("meter", "spells", "--meter", "mein", ok=False)


@pytest.mark.parametrize(("act", "accepted", "word"), [("accept", True, "accepted"), ("reject", False, "rejected")])
def test_a_decision_is_kept_audited_and_computed_again(desk, act, accepted, word):
    desk.spells.replace(POINT, 0, 2**62, [DOUBT])
    printed = desk.run("meter", act, "1", "--reason", "display reads zero", "--by", "wang")
    assert f"spell 1 of main is {word}." in printed
    assert "computed again by analytics" in printed
    assert desk.listed() == []
    (one,) = desk.listed("--all")
    assert (one.accepted, one.decided_by, one.reason) == (accepted, "wang", "display reads zero")
    assert f"{word} · wang · " in desk.run("meter", "spells", "--all")
    assert Audit(desk.records).entries()[0].what == f"meter.{act}"
    (again,) = Recomputations(desk.records).open_ones()
    assert (again.first_ms, again.points) == (SINCE, (POINT,))


def test_a_decision_is_taken_back(desk):
    desk.spells.replace(POINT, 0, 2**62, [DOUBT])
    desk.run("meter", "accept", "1", "--reason", "r")
    assert "waits for a person again" in desk.run("meter", "ask-again", "1", "--reason", "the wrong meter")
    assert [one.is_asked for one in desk.listed()] == [True]
    assert "nobody has decided" in desk.run("meter", "ask-again", "1", "--reason", "r", ok=False)


def test_a_refusal_is_a_sentence_and_an_unknown_number_a_mistake_of_the_command_line(tmp_path):
    open_records(Settings(data=tmp_path).records_url).dispose()
    for words, sentence in (
        (("meter", "accept", "9", "--reason", "r"), "SPELL: there is no spell 9 (allowed: a number that"),
        (("account", "accept-entry", "9", "--reason", "r"), "ENTRY: there is no proposed entry 9"),
        (("status", "--forget", "console@nowhere"), "--forget: no process 'console@nowhere' has told its status"),
        (("quarantine", "discard", "9", "--reason", "r"), "ITEM: there is no item 9 in quarantine"),
        (("quarantine", "replay", "9"), "ITEM: there is no item 9"),
        (("quarantine", "show", "9"), "ITEM: there is no item 9 in quarantine"),
    ):
        done = meterhouse(*words, data=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.startswith(sentence)


def test_what_needs_no_decision_is_told_without_a_slug(desk):
    desk.spells.replace(POINT, 0, 2**62, [FALSE])
    done = meterhouse("meter", "accept", "1", "--reason", "r", data=desk.folder)
    assert done.returncode == 1
    assert done.stderr.startswith("spell 1 needs no decision: ")
    mistaken = meterhouse("meter", "spells", "--meter", "mein", "--json", data=desk.folder)
    assert msgspec.json.decode(mistaken.stderr)["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("9", "--reason", "r"), "there is no spell 9"),
        (("1", "--reason", "r"), "spell 1 needs no decision: the register returned to where it would have been"),
        (("2", "--reason", " "), "--reason: is empty"),
        (("2",), "Missing option '--reason'"),
        (("0", "--reason", "r"), "should be greater than or equal to 1"),
        ((str(2**31), "--reason", "r"), "should be less than or equal to 2147483647"),
    ],
)
def test_what_cannot_be_decided_is_told(desk, words, sentence):
    desk.spells.replace(POINT, 0, 2**62, [FALSE, LEAP])
    assert sentence in desk.run("meter", "accept", *words, ok=False)
    assert Recomputations(desk.records).open_ones() == []


def test_what_is_decided_is_not_decided_again_without_taking_it_back(desk):
    desk.spells.replace(POINT, 0, 2**62, [LEAP])
    desk.run("meter", "reject", "1", "--reason", "a bus fault", "--by", "wang")
    refused = desk.run("meter", "accept", "1", "--reason", "r", ok=False)
    assert "spell 1 is decided already: wang" in refused
    assert "a bus fault" in refused


def test_a_spell_of_a_counter_that_the_estate_has_no_more_is_still_listed(desk):
    desk.spells.replace("gone/energy_import/total", 0, 2**62, [DOUBT])
    (one,) = desk.listed()
    assert (one.meter, one.quantity, one.unit) == ("gone", "energy_import", None)
    assert "59,700.5" in desk.run("meter", "spells")
