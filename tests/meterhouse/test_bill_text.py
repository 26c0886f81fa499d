"""A whole bill at a terminal and as CSV, in both languages, held to files that people have read."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from rigs.rich_bill import rich_bill

from meterhouse.answers.bill import bill_text
from meterhouse.table import text_width
from reports.bill_files import bill_csv, bill_xlsx
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.database import open_records
from wording.formats import Formats

FOLDER = Path(__file__).parent / "bills"


@pytest.fixture(scope="module")
def bill(migrated, tmp_path_factory):
    file = tmp_path_factory.mktemp("bill") / "records.db"
    shutil.copy(migrated, file)
    engine = open_records(f"sqlite:///{file}")
    yield rich_bill(ClosedMonths(engine))
    engine.dispose()


def formats(language):
    return Formats(language, "Asia/Shanghai", "CNY")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize(("write", "ending"), [(bill_text, "txt"), (bill_csv, "csv")])
def test_a_bill_is_what_was_read_and_found_good(bill, language, write, ending):
    assert write(bill, formats(language)) == (FOLDER / f"{language}.{ending}").read_text(encoding="utf-8")


def test_columns_of_chinese_words_line_up(bill):
    _, *table = bill_text(bill, formats("zh-Hans")).split("\n\n")[-2].splitlines()
    assert len({text_width(line.rpartition("  ")[0]) for line in table}) == 1


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_tables_fit_the_terminal_and_cut_no_figure(bill, language, width):
    text = bill_text(bill, formats(language), width)
    sentences = ("  ", "note: ", "提示：")  # a terminal wraps those itself
    tables = [line for line in text.splitlines() if "  " in line.strip() and not line.strip().startswith(sentences)]
    assert max(map(text_width, tables)) <= width
    for figure in ("8928.000", "98.32 %", "5061.0", "0.000000"):
        assert figure in text


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_quantity_of_a_bill_has_its_unit(bill, language):
    rows = list(csv.reader(io.StringIO(bill_csv(bill, formats(language)))))
    for part in ("lines", "subtotals", "adjustments", "shares", "registers", "proof"):
        head, *found = [row for row in rows if row[0] == part]
        units = {row[head.index("unit")] for row in found}
        assert units <= {"kWh", "m3", "kW", "kVA", "month"}, part
    text = bill_text(bill, formats(language))
    assert text.count("12.000 kW") == 1  # the peak, though two charges rest on it
    assert "100.00 %" in text


def test_the_csv_has_the_same_fields_and_codes_in_every_language(bill):
    def rows(language):
        table = csv.reader(io.StringIO(bill_csv(bill, formats(language))))
        return [row for row in table if row[0] != "notes" and row[:2] != ["bill", "building"]]

    assert rows("en") == rows("zh-Hans")


def test_a_workbook_is_all_in_the_readers_words(bill):
    book = CalamineWorkbook.from_filelike(io.BytesIO(bill_xlsx(bill, formats("zh-Hans"))))
    assert book.sheet_names == ["账单", "明细", "小计", "价格方案", "调整分录", "数据构成", "表码", "核对", "提示"]
    head, *lines = book.get_sheet_by_name("明细").to_python()
    assert head == [
        *("费用项目", "表计", "价格方案", "时段或费用", "数量", "单位", "单价", "金额", "价格依据"),
        *("天数", "当月天数", "最大需量 kW", "出现时间", "实测"),
    ]
    assert [row[3] for row in lines][:6] == ["尖峰", "高峰", "平段", "低谷", "深谷", "第 2 档加价"]
    assert dict(book.get_sheet_by_name("账单").to_python())["楼宇"] == "hall (市政厅)"
