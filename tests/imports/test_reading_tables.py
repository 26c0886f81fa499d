"""Tables of readings as offices have them: each is read as it is meant, or every wrong cell is named."""

import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from facility.catalogue import Agent, Catalogue
from facility.ledger.installation import BEGINNING, Installation
from facility.levels import Level
from facility.model import Building, Meter, MeterRole, Name, Point, Ratio, ReadingBatch, Site
from facility.quantities import Quantity, Utility
from imports.fault_words import fault_text
from imports.readings import plan_import
from imports.rows import Wishes
from stores.readings.memory import MemoryStore
from wording.formats import Formats
from wording.texts import load_texts

ZONE, NOW_MS = ZoneInfo("Asia/Shanghai"), 1_795_000_000_000
ENERGY, WATER = "m1/energy_import/total", "w1/water_volume/total"


def meter(name, utility, zh, **more):
    named = Name(f"{name} meter", zh)
    return Meter(name, named, "hall", "p", "e", "b", "1", utility=utility, role=MeterRole.HEAD, **more)


def estate(*installations, zone="Asia/Shanghai", ratio=None):
    level = Level.INTERNAL
    return Catalogue(
        site=Site("town", Name("Town"), zone, "CNY"),
        departments=(),
        buildings=(Building("hall", Name("Hall")),),
        spaces=(),
        agents=(Agent("e", ()),),
        meters=(meter("m1", Utility.ELECTRICITY, "总表", serial="4711"), meter("w1", Utility.WATER, "水表一")),
        points=(
            Point("m1", Quantity.ENERGY_IMPORT, level=level, ratio=ratio),
            Point("m1", Quantity.VOLTAGE, level=level),
            Point("w1", Quantity.WATER_VOLUME, level=level),
        ),
        installations=installations,
    )


def plan(table, *, catalogue=None, store=None, zone=ZONE, **wishes):
    content = table if isinstance(table, bytes) else table.encode()
    return plan_import(
        content, "t.csv", catalogue or estate(), zone, store or MemoryStore(), Wishes(**wishes), NOW_MS
    )  # fmt: skip


def said(found):
    """What would be stored: point, local time and register."""
    assert not found.faults, found.faults
    b = found.readings
    return [
        (b.points[p], f"{datetime.fromtimestamp(t / 1000, ZONE):%Y-%m-%d %H:%M:%S}", round(x, 6))
        for p, t, x in zip(b.p, b.t_ms, b.x, strict=True)
    ]


def faults(found):
    assert len(found.readings) == 0, "a table with one fault brings nothing"
    return [(fault.row, fault.column, fault.kind.value) for fault in found.faults]


def workbook(*rows, name="Reads"):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd hh:mm"})
    sheet = book.add_worksheet(name)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell)
    book.close()
    return out.getvalue()


HALF_PAST_EIGHT = datetime(2025, 1, 2, 8, 30)  # noqa: DTZ001 - workbooks know no zones
ONE_READ = [(ENERGY, "2025-01-02 08:30:00", 1234.5)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_table_is_read_in_every_encoding_that_spreadsheets_write(encoding):
    assert said(plan("表号,抄表时间,读数\n总表,2025-01-02 08:30,1234.5\n".encode(encoding))) == ONE_READ


@pytest.mark.parametrize(
    ("written", "delimiter"),
    [
        ("1234,5", ";"),
        ("1.234,5", ";"),
        ("1 234,5", "\t"),
        ("'1'234.5", "|"),
        ("１２３４.５", ","),
        ("1\xa0234.5", ","),
    ],
)
def test_numbers_are_read_as_each_country_writes_them(written, delimiter):
    table = delimiter.join(["meter", "time", "reading"]) + "\n" + delimiter.join(["m1", "2025-01-02 08:30", written])
    assert said(plan(table)) == ONE_READ


@pytest.mark.parametrize(
    "written",
    [
        "2025-01-02 08:30",
        "2025/1/2 8:30",
        "02.01.2025 08:30",
        "2025年1月2日 8:30",
        "20250102 0830",
        "2025-01-02T00:30:00Z",
        "2025-01-02T08:30:00+08:00",
        "45659.3541666667",
    ],
)
def test_times_are_read_as_they_are_written(written):
    if written.startswith("45659"):
        content = workbook(["meter", "time", "reading"], ["m1", float(written), 1234.5])
        assert said(plan(content)) == ONE_READ
    else:
        assert said(plan(f"meter,time,reading\nm1,{written},1234.5\n")) == ONE_READ


def test_a_workbook_is_read_with_its_own_dates_and_numbers_and_a_title_above():
    content = workbook(
        ["Readings of January"],
        ["No.", "Read at", "Reading (MWh)"],
        [4711, HALF_PAST_EIGHT, 1.2345],
        ["w1", date(2025, 1, 3), ""],
    )
    found = plan(content, columns={"meter": "No."})
    assert faults(found) == [(4, "Reading (MWh)", "empty")], "numbers of rows are those of the sheet"
    content = workbook(["No.", "Read at", "Reading (MWh)"], [4711, HALF_PAST_EIGHT, 1.2345])
    assert said(plan(content, columns={"meter": "No."})) == ONE_READ


def test_a_day_of_24_hours_ends_at_the_next_days_beginning_and_a_day_alone_is_its_beginning():
    table = "meter,time,reading\nm1,2025-01-01,5\nm1,2025-01-01 24:00,6\n"
    assert [time for _, time, _ in said(plan(table))] == ["2025-01-01 00:00:00", "2025-01-02 00:00:00"]


def test_hours_that_the_clocks_go_through_twice_follow_each_other_and_skipped_ones_are_named():
    berlin = ZoneInfo("Europe/Berlin")
    table = "meter,time,use\n" + "".join(f"m1,2025-10-26 0{h}:00,1\n" for h in (1, 2, 2, 3))
    found = plan(table, catalogue=estate(zone="Europe/Berlin"), zone=berlin)
    assert not found.faults
    assert [t - found.readings.t_ms[0] for t in found.readings.t_ms] == [h * 3_600_000 for h in range(5)]
    skipped = plan("meter,time,reading\nm1,2025-03-30 02:30,1\n", zone=berlin)
    assert faults(skipped) == [(2, "time", "time_skipped")]


def test_use_becomes_a_register_that_begins_at_zero_and_months_are_as_long_as_they_are():
    found = plan("month,总表,w1\n2024-01,1000,20.5\n2024-02,1100,19\n2024-03,900,21\n")
    assert found.tells == "use"
    assert said(found)[:4] == [
        (ENERGY, "2024-01-01 00:00:00", 0.0),
        (ENERGY, "2024-02-01 00:00:00", 1000.0),
        (ENERGY, "2024-03-01 00:00:00", 2100.0),
        (ENERGY, "2024-04-01 00:00:00", 3000.0),
    ]
    assert said(found)[-1] == (WATER, "2024-04-01 00:00:00", 60.5)


def test_units_are_those_of_the_header_of_a_column_or_of_a_wish():
    assert said(plan("meter,time,reading (MWh)\nm1,2025-01-02 08:30,1.2345\n")) == ONE_READ
    assert said(plan("meter,time,reading,unit\nm1,2025-01-02 08:30,4444.2,MJ\n")) == ONE_READ
    assert said(plan("meter,time,reading\nm1,2025-01-02 08:30,1234500\n", unit="Wh")) == ONE_READ
    (water,) = said(plan("meter,time,reading,单位\nw1,2025-01-02 08:30,7,吨\n"))
    assert water == (WATER, "2025-01-02 08:30:00", 7.0)


def test_a_face_is_multiplied_by_what_the_agent_multiplies_by():
    since = datetime(2024, 1, 1, tzinfo=UTC)
    device = Installation("m1", since, ct_ratio=40.0, told_ct_ratio=20.0, reason="r", by="b")
    found = plan("meter,time,reading\nm1,2025-01-02 08:30,61.725\n", catalogue=estate(device, ratio=Ratio.CT))
    assert said(found) == ONE_READ, "20, not 40: the ledger puts right what the agent does not know"


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("meter,time,reading\nm1,2025-01-01,12,5\n", [(2, "D", "row_long")]),
        ("meter,time,reading\nm1,2025-01-01,1\nm1,2025-01", [(3, "reading", "row_short")]),
        ('meter,time,reading\nm1,2025-01-01,"12\nm1,2025-02-01,13\n', [(0, "", "quote_open")]),
        ("meter,time,reading\nm9,2025-01-01,1\n", [(2, "meter", "meter_unknown")]),
        ("meter,time,reading\nm1,2025-02-30,1\n", [(2, "time", "not_a_time")]),
        ("meter,time,reading\nm1,2025-01-01,abc\n", [(2, "reading", "not_a_number")]),
        ("meter,time,reading\nm1,2025-01-01,\n", [(2, "reading", "empty")]),
        ("meter,time,reading\nm1,2099-01-01,1\n", [(2, "time", "in_future")]),
        ("meter,time,reading\nm1,1999-01-01,1\n", [(2, "time", "before_2000")]),
        ("meter,time,reading\nm1,2025-01-01,-1\n", [(2, "reading", "out_of_range")]),
        ("meter,time,reading,unit\nm1,2025-01-01,1,m3\n", [(2, "unit", "unit_unknown")]),
        ("meter,time,use\nm1,2025-01-01,-1\n", [(2, "use", "below_zero")]),
        ("meter,quantity,time,reading\nm1,heat,2025-01-01,1\n", [(2, "quantity", "quantity_unknown")]),
        ("meter,quantity,time,use\nm1,voltage,2025-01-01,1\n", [(2, "use", "no_use")]),
        ("meter,time,reading\nm1,2025-01-01,1\nm1,2025-01-01,1\n", [(3, "time", "twice")]),
        ("meter,time,reading\nm1,2025-01-01,1\nm1,2025-01-01,2\n", [(3, "time", "twice")]),
        ("meter,time,use\nm1,2025-01,1\nm1,2025-03,1\n", [(3, "time", "leaves_out")]),
        ("meter,start,end,use\nm1,2025-01-01,2025-02-01,1\nm1,2025-01-20,2025-03-01,1\n", [(3, "start", "overlaps")]),
        ("meter,start,end,use\nm1,2025-01-02,2025-01-01,1\n", [(2, "end", "ends_early")]),
        ("meter,time,use\nm1,2025-01-01 00:07,1\n", [(2, "time", "period_open")]),
        ("meter,time,reading\nm1,3/4/2025,1.5\n", [(0, "time", "date_order_open")]),
        ("meter;time;reading\nm1;2025-01-01;1.234\n", [(0, "reading", "decimal_open")]),
        ("time,reading\n2025-01-01,1\n", [(0, "", "no_column")]),
        ("meter,reading\nm1,1\n", [(0, "", "no_column")]),
        ("meter,time,reading\n", [(0, "", "no_rows")]),
        ("", [(0, "", "no_rows")]),
        (b"\x00\x01\x02\xff\xfe", [(0, "", "not_text")]),
        (b"PK\x03\x04 no workbook", [(0, "", "not_a_table")]),
    ],
)
def test_every_wrong_cell_is_named_and_nothing_is_taken_in_by_halves(table, named):
    assert faults(plan(table)) == named


def test_each_wrong_row_is_told_and_said_in_both_languages():
    found = plan("meter,time,reading\nm9,2025-01-01,1\nm1,soon,1\nw1,2025-01-01,x\nm1,2025-01-01,7\n")
    assert [fault.row for fault in found.faults] == [2, 3, 4]
    english, chinese = Formats("en", "Asia/Shanghai", "CNY"), Formats("zh-Hans", "Asia/Shanghai", "CNY")
    texts = [fault_text(fault, load_texts("en"), english) for fault in found.faults]
    assert texts[0] == "row 2, column 'meter': no meter has the id, serial number or name 'm9' (such as: m1, w1)"
    assert texts[1] == "row 3, column 'time': 'soon' is no time, such as 2026-11-30 10:15"
    assert "第 4 行“reading”列" in fault_text(found.faults[2], load_texts("zh-Hans"), chinese)


@pytest.mark.parametrize(
    ("wishes", "kind"),
    [
        ({"columns": {"meter": "nothing"}}, "column_unknown"),
        ({"columns": {"colour": "meter"}}, "wish_unknown"),
        ({"columns": {"meter": "time", "time": "time"}}, "column_twice"),
        ({"decimal": "dot"}, "wish_unknown"),
        ({"tells": "both"}, "wish_unknown"),
        ({"encoding": "utf-99"}, "wish_unknown"),
        ({"period": "year"}, "wish_unknown"),
    ],
)
def test_a_wish_that_cannot_be_is_named(wishes, kind):
    assert [one for _, _, one in faults(plan("meter,time,reading\nm1,2025-01-01,1\n", **wishes))] == [kind]


def test_a_sheet_that_is_not_there_is_named():
    content = workbook(["meter", "time", "reading"], ["m1", "2025-01-02 08:30", 1234.5])
    assert faults(plan(content, sheet="Other")) == [(0, "", "no_sheet")]
    assert said(plan(content, sheet="Reads")) == ONE_READ


def stored(*rows):
    store = MemoryStore()
    for point, text, x in rows:
        t_ms = round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)
        store.write(ReadingBatch([point], [0], [t_ms], [x]))
    return store


def test_what_is_stored_already_is_counted_and_what_is_stored_otherwise_is_named():
    store = stored((ENERGY, "2025-01-01 00:00", 5.0))
    found = plan("meter,time,reading\nm1,2025-01-01,5\nm1,2025-01-02,6\n", store=store)
    assert (found.known, [x for _, _, x in said(found)]) == (1, [6.0])
    assert faults(plan("meter,time,reading\nm1,2025-01-01,7\n", store=store)) == [(2, "reading", "stored_otherwise")]


MONTHS = "meter,time,use\nm1,2025-01,10\nm1,2025-02,20\n"


@pytest.mark.parametrize(
    ("there", "registers"),
    [
        ([("2025-01-01 00:00", 500.0)], [510.0, 530.0]),
        ([("2025-03-01 00:00", 500.0)], [470.0, 480.0]),
        ([("2025-01-01 00:00", 470.0), ("2025-03-01 00:00", 500.0)], [480.0]),
    ],
)
def test_use_goes_on_from_the_read_at_its_beginning_or_ends_at_the_read_at_its_end(there, registers):
    found = plan(MONTHS, store=stored(*((ENERGY, *one) for one in there)))
    assert [x for _, _, x in said(found)] == registers


@pytest.mark.parametrize(
    ("there", "kind"),
    [
        ([("2024-12-20 00:00", 500.0)], "not_joined_before"),
        ([("2025-03-20 00:00", 500.0)], "not_joined_after"),
        ([("2025-01-20 00:00", 500.0)], "read_within"),
        ([("2025-03-01 00:00", 7.0)], "below_register"),
        ([("2025-01-01 00:00", 470.0), ("2025-03-01 00:00", 501.0)], "ends_differ"),
    ],
)
def test_use_that_does_not_fit_what_is_stored_is_named(there, kind):
    assert [one for _, _, one in faults(plan(MONTHS, store=stored(*((ENERGY, *one) for one in there))))] == [kind]


def test_past_years_lie_before_the_device_that_counts_now_and_may_not_go_over_its_installation():
    since = datetime(2025, 2, 28, 16, tzinfo=UTC)  # local midnight of 1 March
    first = Installation("m1", BEGINNING, reason="r", by="b")
    swap = Installation("m1", since, serial="B2", reason="r", by="b")
    live = stored((ENERGY, "2025-03-02 10:00", 84_211.7))
    found = plan(MONTHS, store=live, catalogue=estate(first, swap))
    assert [x for _, _, x in said(found)] == [0.0, 10.0, 30.0]
    over = "meter,start,end,use\nm1,2025-02-01,2025-03-05,20\n"
    assert [kind for _, _, kind in faults(plan(over, catalogue=estate(first, swap)))] == ["across_devices"]
