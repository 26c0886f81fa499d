"""What a month misses is said by meter, and closing it all the same takes a reason that stays with it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from python_calamine import CalamineWorkbook
from rigs.billed_hall import EN, LATER, POINT, QUARTER, ZONE, bill_of, estate, made, ms, sentences, steady, stored
from rigs.rich_bill import FIVE

from accounting.spells import Outcome, Spell, SpellsInMemory
from facility.errors import ConfigError
from facility.model import Point, ReadingBatch
from facility.quantities import Quantity, Utility
from meterhouse.answers.account import bill_answer
from meterhouse.answers.bill import bill_text
from reports.bill_files import bill_csv, bill_xlsx
from reports.closing import close_month
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import LATE, Adjustment
from stores.records.audit import Audit
from wording.formats import Formats

SIDE = "side/energy_import/total"
REASON = "the side meter was being replaced"


def close(bill, books, reason="", at=LATER):
    return close_month(bill, books, based_on=0, by="li", at=at, accept_missing=reason)


def two_heads(books, side="2026-10-11T00:00"):
    return bill_of(estate(FIVE, heads=2), books, steady(), steady(side, per_hour=3.0), points=(POINT, SIDE))


def with_gas(catalogue):
    gas = replace(catalogue.meters[0], id="gas", utility=Utility.GAS)
    points = (*catalogue.points, Point("gas", Quantity.GAS_VOLUME))
    return replace(catalogue, meters=(*catalogue.meters, gas), points=points)


def test_shares_over_several_heads_name_the_worst_and_mean_nothing(books):
    bill = two_heads(books)
    (electricity,) = bill.utilities
    assert [(one.meter, one.measured_h, one.missing_h) for one in electricity.heads] == [
        ("main", 744, 0),
        ("side", 504, 240),
    ]
    assert (electricity.shares.meter, electricity.shares.missing_h) == ("side", 240)
    assert "electricity, side: missing hours: 240 of 744; they are not billed" in sentences(bill.notes)
    assert ",side\n" in bill_csv(bill, EN)


def test_of_meters_that_miss_as_much_the_one_that_is_estimated_most_is_named(books):
    t_ms, x = steady()
    silent = (t_ms > ms("2026-10-12T01:00")) & (t_ms < ms("2026-10-12T20:00"))
    columns = (t_ms, x), (t_ms[~silent], x[~silent])
    bill = bill_of(estate(FIVE, heads=2), books, *columns, points=(POINT, SIDE))
    assert (bill.utilities[0].shares.meter, bill.utilities[0].shares.estimated_h) == ("side", 19)
    assert bill.utilities[0].shares.estimated_quantity == 19 * 12


def test_hours_that_are_missing_need_a_reason_to_be_closed(books):
    bill = two_heads(books)
    with pytest.raises(ConfigError) as caught:
        close(bill, books)
    assert "hall 2026-10 cannot be closed: electricity, side: missing hours: 240 of 744" in str(caught.value)
    assert "--accept-missing: is not given" in str(caught.value)
    with pytest.raises(ConfigError, match="is not given"):
        close(bill, books, "  ")
    assert books.closed() == frozenset()
    close(bill, books, f" {REASON} ")
    (entry, *_) = Audit(books._engine).entries()
    assert (entry.what, entry.subject) == ("account.close", "hall/2026-10")
    assert entry.detail.endswith(f"missing accepted: {REASON}")
    again = made(MemoryStore(), estate(FIVE, heads=2), books)
    assert again.accepted_missing == REASON
    assert REASON in bill_text(again, EN)
    assert REASON in bill_text(again, Formats("zh-Hans", "Asia/Shanghai", "CNY"))
    assert f"bill,accepted missing,{REASON}\n" in bill_csv(again, EN)
    assert bill_answer(again, EN).accepted_missing == REASON
    assert "electricity, side: missing hours: 240 of 744; they are not billed" in sentences(again.notes)


def test_a_utility_of_which_nothing_is_known_is_no_use_of_zero_and_does_not_close_silently(books):
    catalogue = with_gas(estate(FIVE))
    bill = made(stored(catalogue, steady()), catalogue, books)
    _, gas = bill.utilities
    assert (gas.quantity, gas.lines) == (None, ())
    with pytest.raises(ConfigError, match="gas, gas: missing hours: 744 of 744"):
        close(bill, books)
    text = bill_text(bill, EN)
    assert "  gas: nothing is known of its use, –; gas" in text
    assert "0.00 CNY" not in text
    assert "subtotals,gas,gas,,m3,,,\n" in bill_csv(bill, EN)
    assert bill_answer(bill, EN).utilities[1].quantity is None


def test_a_closed_month_of_which_nothing_was_known_is_no_bill_of_zero(books):
    close(made(MemoryStore(), estate(FIVE), books), books, "the hall was pulled down")
    bill = made(MemoryStore(), estate(FIVE), books)
    for text in (bill_text(bill, EN), bill_text(bill, Formats("zh-Hans", "Asia/Shanghai", "CNY")), bill_csv(bill, EN)):
        assert "0.00" not in text.replace("0.00 %", "").replace("0.000", "")
    assert "bill,total,\n" in bill_csv(bill, EN)
    assert bill_answer(bill, EN).total is None
    assert (
        CalamineWorkbook.from_filelike(io.BytesIO(bill_xlsx(bill, EN))).get_sheet_by_name("bill").to_python()[5][1]
        == ""
    )
    charged = made(MemoryStore(), estate(replace(FIVE, fixed_per_month=15)), books, "2026-09")
    assert (charged.due, charged.is_known) == (15, False)


def test_where_one_of_two_meters_never_spoke_something_is_known(books):
    bill = bill_of(estate(FIVE, heads=2), books, steady(), (steady()[0][:0], []), points=(POINT, SIDE))
    assert [one.kind for one in bill.doubts] == []
    assert sentences(bill.notes) == ["electricity, side: missing hours: 744 of 744; they are not billed"]


@pytest.mark.parametrize("beside", [True, False])
def test_a_head_meter_whose_counter_is_not_read_does_not_close_silently(books, beside):
    """Alone of its utility, which the bill then does not name at all, or beside another."""
    catalogue = with_gas(estate(FIVE)) if not beside else estate(FIVE, heads=2)
    catalogue = replace(catalogue, points=catalogue.points[:1])
    bill = made(stored(catalogue, steady()), catalogue, books)
    unread, counter = ("side", "energy_import") if beside else ("gas", "gas_volume")
    with pytest.raises(ConfigError, match=f"cannot be closed: {unread} reads no {counter}: its use of"):
        close(bill, books)
    close(bill, books, "it is read by hand")
    assert any(one.startswith(f"{unread} reads no") for one in sentences(made(MemoryStore(), catalogue, books).notes))


def test_a_month_in_doubt_does_not_close_silently(books):
    store, spells = stored(estate(FIVE), steady()), SpellsInMemory()
    first_ms = ms("2026-10-20T08:00")
    spells.replace(POINT, 0, 2**60, [Spell(first_ms - QUARTER, first_ms, None, 3_000.0, 0.0, Outcome.IN_DOUBT)])
    bill = made(store, estate(FIVE), books, spells=spells)
    with pytest.raises(ConfigError, match="main: the register went from 3,000 to 0 kWh on 2026-10-20 08:00"):
        close(bill, books)
    close(bill, books, "the display was read: nothing was used")
    again = made(MemoryStore(), estate(FIVE), books)
    assert sentences(again.doubts) == sentences(bill.doubts)  # as they were known when it was closed


def test_a_running_month_is_closed_with_a_reason_and_what_comes_later_adjusts_the_next(books):
    now = datetime(2026, 10, 30, 12, tzinfo=ZONE)
    bill = bill_of(estate(FIVE), books, steady(end="2026-10-30T12:00"), now=now)
    assert bill.utilities[0].shares.missing_h == 0  # what is yet to come is not missing
    with pytest.raises(ConfigError, match="the month is not over before 2026-11-01"):
        close(bill, books, at=now)
    close(bill, books, "the hall was given back", at=now)
    days = {"2026-10-31": {"qty": 3.0, "cost": 1.5}}
    for at in (datetime(2026, 10, 31, tzinfo=ZONE), datetime(2026, 11, 3, tzinfo=ZONE)):
        found = Adjustment("hall", "electricity", "main", "energy_import", "2026-10", at, LATE, days)
        books.adjust([found], based_on=books.newest_entry())
    november = bill_of(estate(FIVE), books, steady("2026-11-01T00:00", "2026-12-01T00:00"), month="2026-11")
    assert [(one.quantity, one.amount) for one in november.adjustments] == [(6, 3)]


def test_no_reason_closes_a_month_that_has_not_begun(books):
    at = datetime(2026, 9, 30, 23, tzinfo=ZONE)
    bill = made(MemoryStore(), estate(FIVE), books, now=at)
    with pytest.raises(ConfigError, match="the month begins on 2026-10-01; nothing can be known of it yet") as caught:
        close(bill, books, "in a hurry", at=at)
    assert "is not over" not in str(caught.value)
    assert "--accept-missing" not in str(caught.value)


def test_no_reason_closes_a_month_whose_figures_are_still_to_be_computed(books):
    t_ms, x = steady()
    store = stored(estate(FIVE), (t_ms[:-96], x[:-96]))
    store.write(ReadingBatch([POINT], [0] * 96, t_ms[-96:].tolist(), x[-96:].tolist()))
    with pytest.raises(ConfigError, match=r"registers and intervals differ by 288\.000000 kWh"):
        close(made(store, estate(FIVE), books), books, "in a hurry")


def test_a_reason_is_not_kept_where_nothing_was_missing(books):
    close(bill_of(estate(FIVE), books, steady()), books, "to be sure")
    assert made(MemoryStore(), estate(FIVE), books).accepted_missing == ""
    assert "accepted" not in Audit(books._engine).entries()[0].detail


def test_a_month_is_closed_on_the_day_that_the_clocks_of_the_site_show(books):
    """At seven o'clock on the first of November in Shanghai it is still October in UTC."""
    close(bill_of(estate(FIVE), books, steady()), books, at=datetime(2026, 11, 1, 7, tzinfo=ZONE).astimezone(UTC))
    bill = made(MemoryStore(), estate(FIVE), books)
    assert "bill,closed,2026-11-01 by li" in bill_csv(bill, EN)
    assert "2026-11-01 by li" in bill_text(bill, EN)
    assert "2026-11-01" in bill_text(bill, Formats("zh-Hans", "Asia/Shanghai", "CNY")).split("合计")[0]
