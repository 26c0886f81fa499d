"""Whatever has figures computed again says why in the reader's words; what a person wrote stays as it is."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from rigs.billed_hall import POINT, estate
from rigs.rich_bill import FIVE

from accounting.dirty import dirty_between, dirty_meter
from accounting.spells import Outcome, Spell
from facility.ledger.installation import first_installation
from facility.model import Closure, Notice, Price
from facility.quantities import Utility
from stores.records.accounting.closed_months import LATE
from stores.records.accounting.judging import WHY
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.database import open_records
from wording.reasons import reason_text
from wording.texts import load_texts

NOW = datetime(2026, 10, 5, tzinfo=UTC)
HALL = estate(FIVE)
(MAIN,) = HALL.meters


def of_site(**changes):
    return replace(HALL, site=replace(HALL.site, **changes))


def of_meter(**changes):
    return replace(HALL, meters=(replace(MAIN, **changes),))


LEDGER = (first_installation(MAIN), replace(first_installation(MAIN), since=NOW, ct_ratio=2.0, continues=True))
CHANGES = {
    "时区或节假日有变更": of_site(timezone="Europe/London"),
    "main：线路供给能力有变更": of_meter(most_per_hour=9.0),
    "main：表计台账有变更": replace(HALL, installations=LEDGER),
    "main：用能分项有变更": of_meter(enduse="lighting"),
    "main：楼宇、角色或能源种类有变更": of_meter(utility=Utility.HEAT),
    "2026 年放假通知有变更": of_site(notices=(Notice(2026, frozenset(), frozenset(), "b"),)),
    "自 2026-08-01 起的闭馆有变更": of_site(closures=(Closure(date(2026, 8, 1), date(2026, 8, 9), "b"),)),
    "自 2026-10-01 起的价格方案 six 有变更": of_site(
        tariffs=(FIVE, replace(FIVE, id="six", valid_from=date(2026, 10, 1)))
    ),
    "自 2026-10-01 起的用电价格有变更": of_site(prices=(Price(Utility.ELECTRICITY, 0.5, date(2026, 10, 1)),)),
}


def in_chinese(reason):
    return reason_text(reason, load_texts("zh-Hans"))


@pytest.mark.parametrize("said", CHANGES)
def test_what_changed_is_said_in_the_readers_words_after_a_persons_own(said):
    (dirty, *_) = dirty_between(HALL, CHANGES[said])
    assert in_chinese(dirty.why) == said
    assert in_chinese(f"Wang: display: {dirty.why}") == f"Wang: display: {said}"
    assert reason_text(dirty.why, load_texts("en")) == dirty.why


def test_a_stretch_that_somebody_asked_for_and_what_meterhouse_asks_for_itself_are_said():
    assert in_chinese(dirty_meter(HALL, "main", NOW, None).why) == "main 自 2026-10-05 08:00 起"
    assert in_chinese(LATE) == "迟到的读数"
    assert in_chinese(f"{WHY}: hall") == "存量数据按新规则重新判定（异常段、需量、时间占比）：hall"


def test_what_was_decided_about_a_spell_is_said(migrated, tmp_path):
    (tmp_path / "records.db").write_bytes(migrated.read_bytes())
    records = open_records(f"sqlite:///{tmp_path}/records.db")
    spells = Spells(records)
    spells.replace(POINT, 0, 2**60, [Spell(0, 1, None, 60.0, 0.0, Outcome.IN_DOUBT)])
    (one,) = spells.asked()
    deeds = {"by": "li", "at": NOW, "reason": "a new board"}
    for k, accepted in enumerate((True, False)):
        spells.decide(one.number, accepted=accepted, based_on=one.changes + 2 * k, **deeds)
        spells.ask_again(one.number, based_on=one.changes + 2 * k + 1, **deeds)
    said = [in_chinese(waiting.reason) for waiting in Recomputations(records).open_ones()]
    records.dispose()
    again = f"main: a new board: 异常段 {one.number} 重新待判定"
    assert said == [
        *(f"main: a new board: 采信异常段 {one.number}", again),
        *(f"main: a new board: 否定异常段 {one.number}", again),
    ]


@pytest.mark.parametrize("words", ["", "display failed", "the ledger of main changed hands", "显示屏故障", "late"])
def test_what_a_person_wrote_stays_as_it_is(words):
    assert in_chinese(words) == words
    assert not re.search("[A-Za-z]", in_chinese("时区: time zone or holidays changed"))
