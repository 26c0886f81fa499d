"""Registers in doubt, as people see and decide them: what each choice would mean, and only on purpose."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from rigs.sample import ANALYTICS, NOW
from rigs.visitor import choose, post

from accounting.spells import Outcome, Spell
from console.guard import csrf_token
from facility.status import ProcessStatus
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.accounting.tables import adjustment
from stores.records.audit import Audit
from stores.records.database import writing
from stores.records.status.board import StatusBoard

POINT = "lib-power/energy_import/total"


def ms(at):
    return round(at.timestamp() * 1000)


DOUBT = Spell(ms(NOW) - 7_200_000, ms(NOW) - 6_300_000, None, 61_234.5, 0.0, Outcome.IN_DOUBT)
LEAP = Spell(ms(NOW) - 72_000_000, ms(NOW) - 71_000_000, ms(NOW) - 70_000_000, 61_000.0, 4e9, Outcome.LEAP)
FALSE = Spell(ms(NOW) - 92_000_000, ms(NOW) - 91_000_000, ms(NOW) - 90_000_000, 61_000.0, 0.0, Outcome.FALSE)


@pytest.fixture
def spells(sample):
    """The spells on record; none when a test begins or ends."""
    kept = Spells(sample.records)
    yield kept
    for point in {one.point for one in kept.all_of()}:
        kept.replace(point, 0, 2**62, [])


@pytest.fixture
def doubt(spells):
    """A counter whose register is in doubt."""
    spells.replace(POINT, 0, 2**62, [DOUBT])
    (one,) = spells.asked()
    return one


def changes_on(visitor, path):
    return re.search(r'name="changes" value="(\d+)"', visitor.get(path).text)[1]


def test_without_a_doubt_the_page_says_so(visitor, spells):
    text = visitor.get("/spells").text
    assert "No register is in doubt" in text
    assert 'class="empty empty-large"' in text
    assert "Nothing was decided yet" in visitor.get("/spells?show=decided").text


def test_what_waits_is_listed_and_counted_beside_the_page_name(visitor, spells, doubt):
    text = visitor.get("/spells").text
    assert f'<a href="/spells/{doubt.number}">' in text
    for words in ("in doubt", "61,234.50", "kWh", "waits for a person"):
        assert words in text
    nav = visitor.get("/alerts").text.partition("</nav>")[0]
    assert re.search(r'href="/spells".*?badge.*?>1<span class="unseen"> waiting', nav, re.DOTALL)


@pytest.mark.parametrize(("language", "building"), [("en", "Riverside Library"), ("zh-Hans", "滨河图书馆")])
def test_a_register_is_named_with_its_building_for_meters_of_many_have_the_same_name(
    visitor, doubt, language, building
):
    choose(visitor, language)
    listed, card = visitor.get("/spells").text, visitor.get(f"/spells/{doubt.number}").text
    choose(visitor, "en")
    assert f"{building}</td>" in listed
    assert f'<a href="/buildings/lib">{building}</a>' in card
    assert f"<title>{building} · " in card


def test_when_a_leap_was_known_is_no_end_of_it(visitor, spells):
    spells.replace(POINT, 0, 2**62, [LEAP])
    (leap,) = spells.asked()
    assert re.search("<dt>Known since</dt>", visitor.get(f"/spells/{leap.number}").text)
    choose(visitor, "zh-Hans")
    chinese = visitor.get(f"/spells/{leap.number}").text
    choose(visitor, "en")
    assert "<dt>判明时间</dt>" in chinese


@pytest.fixture
def proposed(sample):
    """Two adjusting entries that wait: of the library and of the office."""
    with writing(sample.records) as connection:
        for meter, building in (("lib-power", "lib"), ("office-power", "office")):
            days = {"2026-09-02": {"qty": -64_500.0123, "cost": 51_600.0}}
            values = {"building": building, "utility": "electricity", "meter": meter, "quantity": "energy_import"}
            values |= {"month": "2026-09", "at": NOW, "reason": "judged anew", "differences": days, "state": "proposed"}
            connection.execute(sa.insert(adjustment).values(**values, decided_by="", decision=""))
    yield [one.number for one in Proposals(sample.records).open_ones()]
    with writing(sample.records) as connection:
        connection.execute(sa.delete(adjustment))


def test_an_adjusting_entry_that_is_proposed_waits_beside_the_registers(visitor, proposed):
    text = visitor.get("/spells").text
    assert "Adjusting entries that are proposed" in text
    row = re.search(
        rf'<th scope="row"><a href="/entries/{proposed[0]}">{proposed[0]}</a></th>.*?</tr>', text, re.DOTALL
    )[0]
    for words in ("Riverside Library", "2026-09", "-64,500.012\N{NO-BREAK SPACE}kWh", "+51,600.00"):
        assert words in row
    assert "Adjusting entries" not in visitor.get("/spells?show=decided").text
    choose(visitor, "zh-Hans")
    chinese = visitor.get("/spells").text
    choose(visitor, "en")
    assert "拟调整分录" in chinese


@pytest.mark.parametrize(("act", "said"), [("accept", "accepted"), ("dismiss", "dismissed")])
def test_an_entry_is_decided_with_a_reason_and_taken_back(visitor, sample, proposed, act, said):
    path, proposals = f"/entries/{proposed[0]}", Proposals(sample.records)
    page = visitor.get(path).text
    for words in ("-64,500.012", "+51,600.00", "2026-09", "act-accept", "act-dismiss", "on no bill"):
        assert words in page
    done = post(visitor, f"{path}/{act}", reason=" agreed <b>so</b> ")
    assert (done.status_code, done.headers["location"]) == (303, path)
    page = visitor.get(path).text
    assert f"Kim {said} it" in page
    assert "agreed &lt;b&gt;so&lt;/b&gt;" in page
    assert "act-accept" not in page
    assert f'href="{path}"' not in visitor.get("/spells").text
    assert f'href="{path}"' in visitor.get("/spells?show=decided").text
    entry = Audit(sample.records).entries()[0]
    assert (entry.who, entry.what, entry.subject) == ("Kim", f"account.{act}-entry", "lib-power/2026-09")
    assert post(visitor, f"{path}/accept", reason="r").status_code == 409
    assert post(visitor, f"{path}/ask-again", reason="the wrong one").status_code == 303
    assert proposals.entry(proposed[0]).decided is None
    assert post(visitor, f"{path}/ask-again", reason="r").status_code == 409
    assert f'href="{path}"' in visitor.get("/spells").text


def test_an_entry_says_what_each_choice_would_mean_in_both_languages(visitor, proposed):
    path = f"/entries/{proposed[0]}"
    assert "until that bill is closed" in visitor.get(path).text
    choose(visitor, "zh-Hans")
    chinese = visitor.get(path).text
    choose(visitor, "en")
    for words in ("入账", "驳回", "结账前可撤回", "待决定", "2026-09 的调整分录"):
        assert words in chinese


def test_without_a_reason_or_its_token_no_entry_is_decided(visitor, sample, proposed):
    for act in ("accept", "dismiss", "ask-again"):
        path = f"/entries/{proposed[0]}/{act}"
        for wrong in ({}, {"reason": " "}, {"reason": "x" * 501}):
            assert post(visitor, path, **wrong).status_code == 422
        assert visitor.post(path, data={"csrf": csrf_token("another"), "reason": "x"}).status_code == 403
        assert visitor.get(path).status_code == 405
    assert len(Proposals(sample.records).open_ones()) == 2


@pytest.mark.parametrize("number", ["0", "99999", "x", "-1", "9" * 10])
def test_an_unknown_entry_is_a_page_that_does_not_exist(visitor, number):
    assert visitor.get(f"/entries/{number}").status_code == 404
    assert post(visitor, f"/entries/{number}/accept", reason="x").status_code == 404


def test_without_a_proposed_entry_the_page_says_nothing_of_them(visitor, spells):
    assert "Adjusting entries" not in visitor.get("/spells").text


def test_a_list_tells_times_and_registers_apart(visitor, doubt):
    choose(visitor, "zh-Hans")
    headings = re.findall(r'<th scope="col">(.*?)</th>', visitor.get("/spells").text)
    choose(visitor, "en")
    assert len(set(headings)) == len(headings) == 7


def test_what_is_decided_is_not_asked_again(visitor, spells, doubt):
    assert "need your decision" in visitor.get("/spells").text
    post(visitor, f"/spells/{doubt.number}/reject", reason="a bus fault", changes=doubt.changes)
    assert "need your decision" not in visitor.get("/spells?show=decided").text


def test_the_alarm_leads_to_the_registers_it_is_about(visitor, sample):
    board = StatusBoard(sample.records)
    board.tell(ANALYTICS, ProcessStatus("live", {"registers_in_doubt": "1: lib-power"}), 500.0)
    strip = re.search(r'<div class="system".*?</div>', visitor.get("/alerts").text, re.DOTALL)[0]
    board.tell(ANALYTICS, ProcessStatus(), 500.0)
    assert re.search(r'<a href="/spells">Registers are in doubt.*?</a> · <span class="muted">1: lib-power', strip)


def test_a_spell_says_what_each_choice_would_mean_in_both_languages(visitor, doubt):
    text = visitor.get(f"/spells/{doubt.number}").text
    for words in ("from there on nothing is counted", "began again there", "readings are left out", "not yet"):
        assert words in text
    assert f"{(NOW - timedelta(hours=2)):%Y}" in text
    choose(visitor, "zh-Hans")
    chinese = visitor.get(f"/spells/{doubt.number}").text
    choose(visitor, "en")
    for words in ("存疑", "采信", "否定", "此后用量不计"):
        assert words in chinese


@pytest.mark.parametrize(("act", "word"), [("accept", "accepted"), ("reject", "rejected")])
def test_a_decision_is_kept_with_its_reason_and_computed_again(visitor, spells, doubt, sample, act, word):
    path, before = f"/spells/{doubt.number}", len(Recomputations(sample.records).open_ones())
    done = post(visitor, f"{path}/{act}", reason=" a <b>new</b> board ", changes=changes_on(visitor, path))
    assert (done.status_code, done.headers["location"]) == (303, path)
    text = visitor.get(path).text
    assert f"Kim {word} it" in text
    assert "a &lt;b&gt;new&lt;/b&gt; board" in text
    assert "act-accept" not in text
    assert "No register is in doubt" in visitor.get("/spells").text
    assert f'href="{path}"' in visitor.get("/spells?show=decided").text
    entry = Audit(sample.records).entries()[0]
    assert (entry.who, entry.what, entry.subject) == ("Kim", f"meter.{act}", POINT)
    assert len(Recomputations(sample.records).open_ones()) == before + 1


def test_a_decision_is_taken_back(visitor, spells, doubt):
    path = f"/spells/{doubt.number}"
    post(visitor, f"{path}/accept", reason="r", changes=changes_on(visitor, path))
    post(visitor, f"{path}/ask-again", reason="the wrong meter", changes=changes_on(visitor, path))
    assert spells.spell(doubt.number).spell.is_asked
    assert "act-accept" in visitor.get(path).text


def test_without_a_reason_nothing_is_decided(visitor, spells, doubt):
    path = f"/spells/{doubt.number}"
    right = {"reason": "r", "changes": "0"}
    for wrong in ({"reason": " "}, {"reason": "x" * 501}, {"changes": "-1"}, {"changes": "x"}, {"changes": str(2**31)}):
        assert post(visitor, f"{path}/accept", **(right | wrong)).status_code == 422
    for name, value in right.items():
        assert post(visitor, f"{path}/accept", **{name: value}).status_code == 422
    assert spells.spell(doubt.number).spell.is_asked


def test_what_somebody_decided_meanwhile_is_not_decided_from_an_older_page(visitor, spells, doubt):
    path, seen = f"/spells/{doubt.number}", doubt.changes
    spells.decide(doubt.number, accepted=False, by="Bo", at=NOW, reason="a bus fault", based_on=seen)
    refused = post(visitor, f"{path}/accept", reason="r", changes=seen)
    assert refused.status_code == 409
    assert "Bo rejected it" in refused.text
    assert "a bus fault" in refused.text
    assert spells.spell(doubt.number).spell.accepted is False


def test_what_turned_out_meanwhile_is_looked_at_again(visitor, spells, doubt):
    spells.replace(POINT, 0, 2**62, [Spell(DOUBT.since_ms, DOUBT.first_ms, ms(NOW), 61_234.5, 0.0, Outcome.FALSE)])
    refused = post(visitor, f"/spells/{doubt.number}/accept", reason="r", changes=doubt.changes)
    assert refused.status_code == 409
    text = visitor.get(f"/spells/{doubt.number}").text
    assert "needs no decision" in text
    assert "act-accept" not in text
    assert post(visitor, f"/spells/{doubt.number}/accept", reason="r", changes=doubt.changes + 1).status_code == 409


@pytest.mark.parametrize("number", ["0", "99", "x", "-1", "9" * 10, "9" * 30, "%C2%B2"])
def test_an_unknown_spell_is_a_page_that_does_not_exist(visitor, spells, number):
    assert visitor.get(f"/spells/{number}").status_code == 404
    assert post(visitor, f"/spells/{number}/accept", reason="x", changes=0).status_code == 404


@pytest.mark.parametrize("query", ["show=odd", "before=x", "before=-1", "before=" + "9" * 30])
def test_an_odd_question_is_a_page_that_does_not_exist(visitor, query):
    assert visitor.get(f"/spells?{query}").status_code == 404


def test_a_form_without_its_token_changes_nothing(visitor, spells, doubt):
    for act in ("accept", "reject", "ask-again"):
        body = {"csrf": csrf_token("another"), "reason": "x", "changes": "0"}
        assert visitor.post(f"/spells/{doubt.number}/{act}", data=body).status_code == 403
        assert visitor.get(f"/spells/{doubt.number}/{act}").status_code == 405
    assert spells.spell(doubt.number).spell.is_asked


def test_older_ones_are_a_page_away_and_a_meter_that_is_gone_still_shows(visitor, spells):
    for n in range(30):
        spells.replace(f"gone-{n}/energy_import/total", 0, 2**62, [LEAP, FALSE])
    first = visitor.get("/spells").text
    older = re.search(r'class="button" href="(/spells\?[^"]*before=\d+)"', first)[1].replace("&amp;", "&")
    second = visitor.get(older).text
    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (25, 5)
    assert "gone-29 · energy_import" in first
    assert "gone-0 · energy_import" in second
