"""Every remark, as it is made, is a whole sentence in each language."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from facility.quantities import Utility
from facility.remark import Remark, RemarkKind
from wording.formats import Formats
from wording.remarks import remark_text
from wording.texts import ABSENT, LANGUAGES, load_texts

MADE = {
    RemarkKind.AGENT_MUST_KNOW: {"agent": "edge-1", "since": datetime(2026, 10, 5, 1, tzinfo=UTC)},
    RemarkKind.UNLOCKED_BUS: {"agent": "edge-1", "bus": "radio", "variable": "METERHOUSE_PASSWORD_RADIO"},
    RemarkKind.YEAR_WITHOUT_NOTICE: {"year": 2027, "country": "CN"},
    RemarkKind.NO_HEAD_METER: {"building": "hall", "utility": "water"},
    RemarkKind.COUNTER_NOT_READ: {"meter": "main", "quantity": "water_volume", "utility": "water"},
    RemarkKind.DEVICE_WITHOUT_DATE: {"meter": "main"},
    RemarkKind.MONTH_NOT_BEGUN: {"start": date(2027, 3, 1)},
    RemarkKind.MONTH_NOT_OVER: {"end": date(2026, 11, 1)},
    RemarkKind.MONTHLY_CHARGES_WHOLE: {},
    RemarkKind.NOTHING_KNOWN: {"building": "hall"},
    RemarkKind.TO_BE_COMPUTED_AGAIN: {"meters": ("main", "side"), "reason": "worn out"},
    RemarkKind.REGISTERS_DIFFER: {
        "utility": "water", "difference": Decimal("1912.500000"), "unit": "m3", "meter": "main",
        "first": date(2026, 10, 1),
    },
    RemarkKind.REGISTER_STOOD_STILL: {
        "meter": "main", "face": 1288.0, "unit": "kWh", "first": date(2026, 10, 1), "last": date(2026, 10, 31),
    },
    RemarkKind.SPELL_ASKED: {
        "meter": "main", "since": "2026-10-05 08:00", "before": 60000.0, "level": 0.0, "unit": "kWh",
    },
    RemarkKind.STEP_ASKED: {"meter": "main", "since": "2026-10-05 08:00", "before": 60.0, "level": 900.0, "unit": "m3"},
    RemarkKind.HOURS_MISSING: {"utility": "electricity", "hours": "240.5"},
    RemarkKind.METER_HOURS_MISSING: {"utility": "electricity", "meter": "main", "missing": "240.5", "hours": "744"},
    RemarkKind.DEMAND_UNMEASURED: {"utility": "electricity"},
    RemarkKind.DAYS_WITHOUT_PRICE: {"utility": "electricity", "days": 2},
    RemarkKind.ENTRY_PROPOSED: {
        "entry": 1, "month": "2026-09", "meter": "main", "quantity": "-1.000", "unit": "kWh", "amount": "+2.00",
        "currency": "CNY",
    },
    RemarkKind.USE_NOT_KNOWN: {"utility": "electricity", "building": "hall", "days": 2, "whole": 31},
    RemarkKind.FACTOR_NOT_STATED: {"carrier": "diesel"},
    RemarkKind.FIGURE_NOT_STATED: {"figure": "persons", "whose": "hall"},
    RemarkKind.FIGURE_STATED_LATE: {"figure": "persons", "whose": "office in hall", "day": date(2026, 3, 1)},
    RemarkKind.SHARES_NOT_KNOWN: {"utility": "electricity", "what": "figures: department 'x' has no area in hall"},
    RemarkKind.QUOTA_OF_ANOTHER_SET: {"indicator": "energy_per_m2", "set": "equal"},
}  # fmt: skip


def said(kind, language):
    return remark_text(Remark(kind, MADE[kind]), Formats(language, "Asia/Shanghai", "CNY"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", RemarkKind)
def test_a_remark_is_a_whole_sentence(kind, language):
    text = said(kind, language)
    assert len(text) > 10
    assert ABSENT not in text  # what stands for a parameter that the remark does not have
    assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in RemarkKind if "utility" in MADE[kind]])
def test_a_remark_speaks_of_use_and_not_of_its_price(kind, language):
    texts = load_texts(language)
    for utility in Utility:
        text = remark_text(Remark(kind, MADE[kind] | {"utility": utility}), Formats(language, "Asia/Shanghai", "CNY"))
        assert texts(f"utility.{utility}").lower() in text
        priced = texts(f"charged.{utility}")
        assert language == "en" or priced not in text.replace("需量电费", "")


def test_parameters_are_written_for_the_reader():
    assert "than 2026-10-05 09:00" in said(RemarkKind.AGENT_MUST_KNOW, "en")
    assert said(RemarkKind.TO_BE_COMPUTED_AGAIN, "en").startswith("main, side: these figures")
    assert said(RemarkKind.TO_BE_COMPUTED_AGAIN, "zh-Hans").startswith("main、side：这些数据")
    assert "water: registers and intervals differ by 1,912.500000 m3;" in said(RemarkKind.REGISTERS_DIFFER, "en")
    assert "用水：表码差与计量区间合计相差 1,912.500000 m³；" in said(RemarkKind.REGISTERS_DIFFER, "zh-Hans")
    assert "for 2027:" in said(RemarkKind.YEAR_WITHOUT_NOTICE, "en")
    assert "at 1,288 kWh from 2026-10-01" in said(RemarkKind.REGISTER_STOOD_STILL, "en")
