"""Proposed adjusting entries from the command line: what they would change, and what becomes of them."""

from contextvars import copy_context
from datetime import UTC, datetime

import msgspec
import pytest
from rigs.one_meter import POINT, estate
from typer.testing import CliRunner

from accounting.dirty import Dirty
from facility.errors import MeterhouseError
from facility.ledger.installation import BEGINNING
from meterhouse.answers.proposals import ProposalsAnswer
from meterhouse.cli import app
from meterhouse.settings import Settings
from stores.records.accounting.closed_months import Adjustment, ClosedMonths
from stores.records.accounting.recomputations import ask
from stores.records.audit import Audit
from stores.records.database import open_records, writing
from stores.records.registry import Registry

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LESS = {"2026-10-02": {"qty": -14.5, "est_qty": 3.0}, "2026-10-01": {"qty": -64_500.0, "cost": -51_600.0}}


class Desk:
    """Records with one proposed entry, and the commands."""

    def __init__(self, folder):
        self.folder = folder
        self.records = open_records(Settings(data=folder).records_url)
        Registry(self.records).apply(estate(), by="li", at=datetime(2026, 8, 1, tzinfo=UTC))
        with writing(self.records) as connection:
            ask(connection, [Dirty((POINT,), BEGINNING, None, "hall")], by="m", at=AT, reason="r", proposes=True)
        entry = Adjustment("hall", "electricity", "main", "energy_import", "2026-10", AT, "judged anew", LESS)
        ClosedMonths(self.records).adjust([entry], based_on=0)

    def run(self, *words, ok=True):
        done = self._invoke(words)
        printed = f"{done.output}{done.exception or ''}"
        assert (done.exit_code == 0) is ok, printed
        return printed

    def listed(self, *words):
        done = self._invoke(("account", "proposals", *words, "--json"))
        return msgspec.json.decode(done.stdout, type=ProposalsAnswer).proposals

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


def test_what_waits_is_listed_with_what_it_would_change(desk):
    printed = desk.run("account", "proposals")
    for words in ("hall", "main", "2026-10", "-64,514.500 kWh", "+3.000 kWh", "-51,600.00 CNY", "judged anew"):
        assert words in printed
    assert "until then they stand on no bill" in printed
    chinese = desk.run("account", "proposals", "--language", "zh-Hans")
    assert "待决定" in chinese
    assert "不计入任何账单" in chinese
    (one,) = desk.listed("--building", "hall")
    assert (one.use, one.estimated, one.cost, one.unit, one.currency) == (-64_514.5, 3, -51_600, "kWh", "CNY")
    assert [(day.day, day.use) for day in one.days] == [("2026-10-01", -64_500), ("2026-10-02", -14.5)]
    assert "--building: unknown building 'hull' (allowed: hall)" in desk.run(
        "account", "proposals", "--building", "hull", ok=False
    )


def test_an_accepted_entry_is_entered_and_listed_no_more(desk):
    printed = desk.run("account", "accept-entry", "1", "--reason", "zeros at night", "--by", "wang")
    assert "entry 1 is entered" in printed
    assert "no adjusting entry waits" in desk.run("account", "proposals")
    (one,) = desk.listed("--all")
    assert (one.state, one.decided_by, one.decision) == ("entered", "wang", "zeros at night")
    assert "accepted · wang · " in desk.run("account", "proposals", "--all")
    far = datetime(2099, 1, 1, tzinfo=UTC)
    assert len(ClosedMonths(desk.records).adjustments("hall", AT, far)) == 1
    assert Audit(desk.records).entries()[0].what == "account.accept-entry"


def test_a_dismissed_entry_stands_on_no_bill(desk):
    assert "entry 1 is dismissed" in desk.run("account", "dismiss-entry", "1", "--reason", "agreed")
    assert [one.state for one in desk.listed("--all")] == ["dismissed"]
    assert ClosedMonths(desk.records).adjustments("hall", BEGINNING, datetime(2099, 1, 1, tzinfo=UTC)) == []
    assert "entry 1 is dismissed by" in desk.run("account", "accept-entry", "1", "--reason", "r", ok=False)


def test_a_decision_is_taken_back(desk):
    desk.run("account", "accept-entry", "1", "--reason", "zeros at night")
    assert "entry 1 waits for a person again" in desk.run("account", "ask-again", "1", "--reason", "the wrong one")
    assert len(desk.listed()) == 1
    assert "nobody has decided about entry 1" in desk.run("account", "ask-again", "1", "--reason", "r", ok=False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("9", "--reason", "r"), "there is no proposed entry 9"),
        (("1", "--reason", " "), "--reason: is empty"),
        (("1",), "Missing option '--reason'"),
        ((str(2**31), "--reason", "r"), "should be less than or equal to 2147483647"),
    ],
)
def test_what_cannot_be_decided_is_told(desk, words, sentence):
    assert sentence in desk.run("account", "accept-entry", *words, ok=False)
    assert len(desk.listed()) == 1
