"""What every form of a bill says in both languages: tariffs and their validity, subtotals, registers, digits."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from rigs.billed_hall import LATER, POINT, bill_of, estate, made, ms, steady, stored
from rigs.rich_bill import FIVE

from facility.ledger.installation import Installation, first_installation, swapped
from facility.model import Price
from facility.quantities import Utility
from facility.remark import Remark, RemarkKind
from facility.tariff import Demand
from meterhouse.answers.account import bill_answer
from meterhouse.answers.bill import bill_text
from meterhouse.table import text_width
from reports.bill_files import bill_csv, bill_xlsx
from reports.closing import close_month
from reports.proof import RegisterEnd
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import LATE, Adjustment
from wording.formats import Formats

LANGUAGES = ("en", "zh-Hans")
SIDE = "side/energy_import/total"


def formats(language, currency="CNY"):
    return Formats(language, "Asia/Shanghai", currency)


def block(bill, part, language="en"):
    rows = csv.reader(io.StringIO(bill_csv(bill, formats(language))))
    return [row[1:] for row in rows if row[0] == part]


def sheet(bill, place, language="en", currency="CNY"):
    book = CalamineWorkbook.from_filelike(io.BytesIO(bill_xlsx(bill, formats(language, currency))))
    return book.get_sheet_by_index(place).to_python()


@pytest.fixture
def changing(books):
    """A month in which the estate's tariff is followed by another, and that by the building's own."""
    old = Price(Utility.ELECTRICITY, 0.5, date(2026, 1, 1), "contract 1")
    own = replace(FIVE, id="own", basis="contract 2", valid_from=date(2026, 10, 21), buildings=("hall",))
    five = replace(FIVE, valid_from=date(2026, 10, 11))
    later = replace(FIVE, id="later", valid_from=date(2026, 12, 1))
    return bill_of(estate(five, own, later, prices=(old,)), books, steady())


@pytest.mark.parametrize("language", LANGUAGES)
def test_tariffs_stand_with_their_basis_and_validity_in_every_form(changing, language):
    open_end = {"en": "until further notice", "zh-Hans": "至另行通知为止"}[language]
    found = [
        ["flat-electricity", "contract 1", "2026-01-01", "2026-10-10"],
        ["five", "notice 1093", "2026-10-11", "2026-10-20"],
        ["own", "contract 2", "2026-10-21", ""],
    ]
    assert [row[1:] for row in block(changing, "tariffs", language)[1:]] == found
    in_words = [[*row[:3], row[3] or open_end] for row in found]
    assert [row[1:] for row in sheet(changing, 3, language)[1:]] == in_words
    text = bill_text(changing, formats(language))
    table = [line.split() for line in text.splitlines()]
    assert all(any(" ".join(row).split() == words[1:] for words in table) for row in in_words)
    found = [
        (t.tariff, t.basis, t.valid_from, t.valid_until)
        for t in bill_answer(changing, formats(language)).utilities[0].tariffs
    ]
    assert found[0] == ("flat-electricity", "contract 1", date(2026, 1, 1), date(2026, 10, 10))
    assert found[2][3] is None


def test_subtotals_of_each_utility_add_up_to_the_total(books):
    catalogue = estate(FIVE)
    at = datetime(2026, 10, 9, tzinfo=UTC)
    entries = [
        Adjustment("hall", "electricity", "main", "energy_import", "2026-09", at, LATE, {"2026-09-03": {"cost": -6.6}}),
        Adjustment("hall", "water", "gone", "water_volume", "2026-08", at, LATE, {"2026-08-03": {"cost": 2.0}}),
    ]
    store = stored(catalogue, steady())
    books.close("hall", "2026-08", {"days": {"gone/water_volume": {}}}, based_on=0, by="li", at=at)
    books.adjust(entries, based_on=books.newest_entry())
    bill = made(store, catalogue, books)
    head, *rows = block(bill, "subtotals")
    assert head == ["utility", "meters", "quantity", "unit", "amount", "adjustments", "subtotal"]
    assert rows == [
        ["electricity", "main", "8928.000", "kWh", "7017.60", "-6.60", "7011.00"],
        ["water", "", "", "", "", "2.00", "2.00"],
    ]
    assert sum(Decimal(row[-1]) for row in rows) == bill.total == Decimal("7013.00")
    assert sum(row[-1] for row in sheet(bill, 2)[1:]) == pytest.approx(7_013)
    assert [row[0] for row in sheet(bill, 2, "zh-Hans")] == ["费用项目", "电费", "水费"]


def register_ends(bill):
    return [(line.opening_is, line.closing_is) for line in bill.utilities[0].registers]


NIGHT = ("2026-10-31T18:00", "2026-11-01T06:00")
READ, BETWEEN, SILENT = RegisterEnd.READ, RegisterEnd.INTERPOLATED, RegisterEnd.IN_SILENCE


@pytest.mark.parametrize(
    ("shift_min", "silence", "ends", "code", "words"),
    [
        (0, None, (READ, READ), "read", "抄见"),
        (7, None, (BETWEEN, BETWEEN), "interpolated", "插值"),
        (0, NIGHT, (READ, SILENT), "read / in a silence", "抄见 / 数据中断"),
        (
            7,
            ("2026-10-31T18:00", "2026-11-01T06:00"),
            (BETWEEN, SILENT),
            "interpolated / in a silence",
            "插值 / 数据中断",
        ),
    ],
)
def test_a_register_at_the_months_edge_is_called_what_it_is(books, shift_min, silence, ends, code, words):
    t_ms, x = steady("2026-09-20T00:00", "2026-11-05T00:00")
    t_ms = t_ms + shift_min * 60_000
    if silence:
        heard = (t_ms <= ms(silence[0])) | (t_ms >= ms(silence[1]))
        t_ms, x = t_ms[heard], x[heard]
    bill = bill_of(estate(FIVE), books, (t_ms, x))
    assert register_ends(bill) == [ends]
    assert block(bill, "registers")[1][-2:] == [code, "kWh"]
    assert sheet(bill, 6, "zh-Hans")[1][-2:] == [words, "kWh"]
    assert words in bill_text(bill, formats("zh-Hans"))


def test_a_register_at_a_swap_is_read_where_somebody_read_it(books):
    catalogue = estate(FIVE)
    at = datetime(2026, 10, 14, 2, 37, tzinfo=UTC)
    new = Installation("main", at, "B2", opening=3.0, closing=4_870.4)
    history = swapped((replace(first_installation(catalogue.meters[0]), serial="A1"),), new)
    t_ms, x = steady("2026-09-30T00:07", "2026-11-01T00:07", begin=712.0)
    at_ms = round(at.timestamp() * 1000)
    x = np.where(t_ms <= at_ms, x, 3.0 + (t_ms - at_ms) / 300_000)
    bill = bill_of(replace(catalogue, installations=history), books, (t_ms, x))
    assert register_ends(bill) == [(BETWEEN, READ), (READ, BETWEEN)]


def test_a_workbook_shows_a_price_with_the_digits_it_has_and_money_as_it_is_paid(books):
    odd = tuple(zip((period for period, _ in FIVE.prices), (1.23457, 0.98761, 0.65433, 0.3, 11.0), strict=True))
    bill = bill_of(estate(replace(FIVE, prices=odd), currency="KWD"), books, steady())
    patterns = cell_patterns(bill_xlsx(bill, formats("en", "KWD")))
    assert {"#,##0.00000", "#,##0.0", "#,##0.000", "0.00%"} <= patterns
    assert [row[6] for row in sheet(bill, 1, currency="KWD")[1:]] == [1.23457, 0.98761, 0.65433, 0.3, 11.0]
    yen = bill_of(estate(FIVE, currency="JPY"), books, steady())
    assert "#,##0" in cell_patterns(bill_xlsx(yen, formats("en", "JPY")))
    assert "#,##0.00" not in cell_patterns(bill_xlsx(yen, formats("en", "JPY")))
    assert {row[7] % 1 for row in sheet(yen, 1, currency="JPY")[1:]} == {0}
    assert "7,018 JPY" in bill_text(yen, formats("en", "JPY"))
    assert "¥" in bill_text(yen, formats("zh-Hans", "JPY"))


def cell_patterns(workbook):
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        return set(re.findall(r'formatCode="([^"]*)"', parts.read("xl/styles.xml").decode()))


def test_a_bill_is_no_wider_than_its_terminal(changing):
    wide = max(text_width(line) for line in bill_text(changing, formats("en")).splitlines())
    assert wide > 110
    lines = bill_text(changing, formats("en"), 110).split("\n\nnote")[0].splitlines()
    assert max(text_width(line) for line in lines) <= 110
    assert "until further notice" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_closed_bill_says_what_the_open_one_said_where_the_clocks_have_changed_since(books, language):
    """Its month ends, a meter is swapped and its demand is greatest beyond a change, amid the hour that comes twice."""
    catalogue = estate(replace(FIVE, demand=Demand(40.0)))
    first = replace(first_installation(catalogue.meters[0]), serial="A1")
    new = Installation("main", datetime(2026, 10, 25, 1, 40, tzinfo=UTC), "B2")
    site = replace(catalogue.site, timezone="Europe/London", holiday_country="GB", holiday_subdivision="ENG")
    catalogue = replace(catalogue, site=site, installations=swapped((first,), new))
    t_ms, x = steady(end="2026-11-02T00:00")
    busy = t_ms == round(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp() * 1000)
    bill = bill_of(catalogue, books, (t_ms, x + np.cumsum(np.where(busy, 22.0, 0.0))))
    words = Formats(language, "Europe/London", "GBP")
    close_month(bill, books, based_on=0, by="li", at=LATER, accept_missing="the last day was not read")
    kept = replace(made(MemoryStore(), catalogue, books), closed=None, accepted_missing="")
    for form in (bill_text, bill_csv):
        assert form(kept, words) == form(bill, words)
    lines = csv.reader(io.StringIO(bill_csv(kept, words)))
    assert [row[4:6] for row in lines if row[0] == "registers"][1:] == [
        ["2026-10-01 00:00", "2026-10-25 01:40+00:00"],
        ["2026-10-25 01:40+00:00", "2026-11-01 00:00"],
    ]
    assert "2026-10-25 01:15+00:00" in bill_text(kept, words)


def test_notes_and_sums_are_no_wider_than_the_terminal(books):
    bill = bill_of(estate(replace(FIVE, demand=Demand(40.0))), books, steady("2026-10-11T00:00", "2026-10-20T00:00"))
    bill = replace(bill, doubts=(Remark(RemarkKind.NOTHING_KNOWN, {"building": "hall"}),))
    for language in LANGUAGES:
        lines = bill_text(bill, formats(language), 60).splitlines()
        assert max(text_width(line) for line in lines if not set(line) & set("─│")) <= 60
        whole = bill_text(bill, formats(language))
        assert "".join("".join(lines).split()).endswith("".join(whole.rsplit("\n\n", 1)[1].split()))


def test_a_bill_that_an_earlier_meterhouse_closed_says_what_it_said(books):
    bill = bill_of(estate(FIVE), books, steady("2026-10-11T00:00"))
    close_month(bill, books, based_on=0, by="li", at=LATER, accept_missing="new")
    kept = books.closed_month("hall", "2026-10").bill
    del kept["accepted_missing"]
    for utility in kept["utilities"]:
        for name in ("heads", "tariffs", "demand_unmeasured"):
            del utility[name]
        del utility["shares"]["meter"]
        for line in utility["lines"]:
            del line["part"], line["peak"]
        for line in utility["registers"]:
            del line["opening_is"], line["closing_is"]
    books.close("hall", "2026-11", kept | {"month": "2026-11", "doubts": []}, based_on=0, by="li", at=LATER)
    text = bill_text(made(stored(estate(FIVE), steady()), estate(FIVE), books, "2026-11"), formats("en"))
    assert "tariffs" not in text
    assert "note: electricity: missing hours: 240; they are not billed" in text
    assert "worst meter" not in text
    assert POINT.split("/", maxsplit=1)[0] in text
