"""After an upgrade stored months are judged anew: open ones computed again, closed ones get a proposed entry, once."""

from datetime import UTC, datetime

import pytest
from rigs.rollup_hall import NOW, batch, estate, fed, ms, rows, steady

from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING
from stores.readings.port import RollupSeries
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.judging import judge_anew
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.recomputations import Recomputations
from stores.records.status.watched import Watched, Watches

POINT = "m0/energy_import/total"
METER = {"meter": "m0"}
EVER = datetime(2030, 1, 1, tzinfo=UTC)


class Town:
    """March and April, of which older rules booked a lifetime as use on the 10th of each; March is closed.

    From 22:00 to 02:00 in the night after 20 March readings are yet to come.
    """

    def __init__(self, records):
        self.records, self.catalogue, self.books = records, estate(), ClosedMonths(records)
        t_ms, x = steady("2026-03-02T00:00", "2026-05-01T00:00")
        silent = (t_ms > ms("2026-03-20T22:00")) & (t_ms < ms("2026-03-21T02:00"))
        self.store = fed(self.catalogue, batch(POINT, t_ms[~silent], x[~silent]))
        for day in ("2026-03-10", "2026-04-10"):
            for name in ("usage_1d", "usage_1h"):
                (found,) = self.store.read_rollup(name, METER, ms(f"{day}T00:00"), ms(f"{day}T01:00"))
                fields = {"qty": found.fields["qty"] + 64_500}
                self.store.write_rollup(name, [RollupSeries(found.tags, found.t_ms, fields)])
        self.books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
        Watches(records).note(self.catalogue.site.id, Watched(1, NOW, rules=1))

    def writer(self):
        return RollupWriter(self.store, self.catalogue, self.books)

    def judge(self):
        judge_anew(self.records, self.catalogue, NOW)
        again = Recompute(self.store, self.writer(), self.catalogue, Recomputations(self.records))
        while again.step(round(NOW.timestamp() * 1000)):
            pass

    def late(self):
        """Readings of that night: all eight units were used before midnight."""
        t_ms = [ms("2026-03-20T23:00"), ms("2026-03-21T00:00"), ms("2026-03-21T01:00")]
        (before,) = self.store.read([POINT], ms("2026-03-20T22:00"), ms("2026-03-20T22:00") + 1)[POINT].x
        self.store.write(batch(POINT, t_ms, [before + 8] * 3))
        self.writer().update({POINT: (t_ms[0], t_ms[-1])}, now_ms=round(NOW.timestamp() * 1000))

    def day(self, day):
        return rows(self.store, "usage_1d", METER).fields["qty"][
            rows(self.store, "usage_1d", METER).t_ms.tolist().index(ms(f"{day}T00:00"))
        ]


@pytest.fixture
def town(records):
    return Town(records)


def test_open_months_are_computed_again_and_a_closed_one_gets_its_proposal(town):
    assert town.day("2026-04-10") > 64_000
    town.judge()
    assert town.day("2026-04-10") < 100
    assert town.day("2026-03-10") > 64_000, "a closed month was rewritten"
    (proposal,) = Proposals(town.records).open_ones()
    assert (proposal.meter, proposal.month) == ("m0", "2026-03")
    assert proposal.sum_of("qty") == pytest.approx(-64_500)
    assert set(proposal.differences) == {"2026-03-10"}
    assert "judged anew" in proposal.reason
    assert town.books.adjustments("hall", BEGINNING, EVER) == []
    assert all(one.finished_at for one in Recomputations(town.records).newest())


def test_what_was_proposed_is_not_proposed_or_entered_again(town):
    town.judge()
    (proposal,) = Proposals(town.records).open_ones()
    Recomputations(town.records).ask_meter(town.catalogue, "m0", (BEGINNING, None), by="li", at=NOW, reason="again")
    town.judge()
    assert [one.number for one in Proposals(town.records).open_ones()] == [proposal.number]
    assert town.books.adjustments("hall", BEGINNING, EVER) == []
    Proposals(town.records).decide(proposal.number, enter=False, by="li", at=NOW, reason="agreed")
    Recomputations(town.records).ask_meter(town.catalogue, "m0", (BEGINNING, None), by="li", at=NOW, reason="again")
    town.judge()
    assert Proposals(town.records).open_ones() == []
    assert town.books.adjustments("hall", BEGINNING, EVER) == []


def test_late_readings_are_entered_as_before_and_alone(town):
    town.judge()
    (proposal,) = Proposals(town.records).open_ones()
    town.late()
    assert Proposals(town.records).open_ones() == [proposal]
    (entry,) = town.books.adjustments("hall", BEGINNING, EVER)
    by_day = {day: fields["qty"] for day, fields in entry.differences.items()}
    assert by_day == {"2026-03-20": pytest.approx(4), "2026-03-21": pytest.approx(-4)}
    assert entry.reason == "readings that came late"


def test_readings_that_come_before_all_is_judged_enter_nothing_silently(town):
    judge_anew(town.records, town.catalogue, NOW)
    town.late()
    assert town.books.adjustments("hall", BEGINNING, EVER) == []
    (proposal,) = Proposals(town.records).open_ones()
    assert proposal.sum_of("qty") == pytest.approx(-64_500)
