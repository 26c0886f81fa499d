"""An adjusting entry that waits for a person is told on the open bills that it may come to stand on, and no other."""

from datetime import UTC, datetime

import pytest
from rigs.billed_hall import EN, LATER, POINT, estate, made, sentences, steady, stored
from rigs.rich_bill import FIVE

from accounting.dirty import Dirty
from facility.ledger.installation import BEGINNING
from meterhouse.answers.account import bill_answer
from meterhouse.answers.bill import bill_text
from reports.bill_files import bill_csv
from reports.closing import close_month
from stores.records.accounting.closed_months import Adjustment
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.recomputations import Recomputations, ask
from stores.records.database import writing
from wording.formats import Formats

AT = datetime(2026, 10, 23, 9, 30, tzinfo=UTC)
SAID = "2026-09, main: an adjusting entry of -64,500.012 kWh and +51,600.00 CNY is proposed and stands on no bill"


@pytest.fixture
def store(books):
    """September is closed, and judged anew on 23 October: an entry is proposed for its head meter, one for another."""
    store = stored(estate(FIVE), steady("2026-09-01T00:00", "2026-11-01T00:00"))
    close_month(made(store, estate(FIVE), books, "2026-09"), books, based_on=0, by="li", at=LATER)
    with writing(books._engine) as connection:
        points = (POINT, "main/energy_export/total")
        ask(connection, [Dirty(points, BEGINNING, None, "hall")], by="m", at=AT, reason="r", proposes=True)
    days = {"2026-09-02": {"qty": -64_500.0123, "cost": 51_600.0}}
    both = [
        Adjustment("hall", "electricity", "main", quantity, "2026-09", AT, "judged anew", days)
        for quantity in ("energy_import", "energy_export")
    ]
    books.adjust(both, based_on=0)
    (waiting,) = books.waiting()
    done = {"next_ms": waiting.last_ms, "months": {}, "finished_at": AT}
    Recomputations(books._engine).note(waiting.id, based_on=waiting.next_ms, **done)
    return store


def test_an_open_bill_tells_it_in_every_form(store, books):
    bill = made(store, estate(FIVE), books)
    (note,) = sentences(bill.notes)
    assert note.startswith(SAID)
    assert note.endswith("(meterhouse account proposals, then accept-entry 1 or dismiss-entry 1)")
    assert bill.adjustments == ()
    assert SAID in bill_text(bill, EN)
    assert SAID in bill_csv(bill, EN)
    assert "有人决定之前不计入任何账单" in bill_text(bill, Formats("zh-Hans", "Asia/Shanghai", "CNY"))
    assert [(one.remark, one.stops_closing) for one in bill_answer(bill, EN).notes] == [("entry_proposed", False)]


def test_neither_the_bill_it_is_about_nor_one_of_before_tells_it(store, books):
    assert sentences(made(store, estate(FIVE), books, "2026-09").notes) == []
    assert not any("adjusting entry" in one for one in sentences(made(store, estate(FIVE), books, "2026-08").notes))


def test_a_bill_that_was_closed_meanwhile_still_tells_what_it_said(store, books):
    before = sentences(made(store, estate(FIVE), books).notes)
    close_month(made(store, estate(FIVE), books), books, based_on=0, by="li", at=LATER)
    Proposals(books._engine).decide(1, enter=False, by="li", at=LATER, reason="agreed")
    assert sentences(made(store, estate(FIVE), books).notes) == before


def test_once_it_is_decided_it_is_a_line_or_nothing(store, books):
    Proposals(books._engine).decide(1, enter=True, by="li", at=AT, reason="zeros at night")
    bill = made(store, estate(FIVE), books)
    assert (bill.notes, [line.amount for line in bill.adjustments]) == ((), [51_600])
