"""What could not be stored, as people see it: by reason, graded, and changed only on purpose."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from rigs.sample import NOW, refused
from rigs.visitor import choose, post

import ingest
from console.guard import csrf_token
from facility import wire
from ingest.gate import REASONS
from stores.records.audit import Audit
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine
from wording.refusals import REFUSALS


@pytest.fixture
def quarantine(sample):
    return Quarantine(sample.records)


@pytest.fixture
def item(quarantine):
    """An item of a reason of its own, so that tests do not meet."""
    made = replace(refused(NOW)[1], reason="no_level", first_seq=1000 + len(quarantine.items(standing=None)))
    quarantine.put(made)
    yield quarantine.items(reason="no_level")[0]
    for left in quarantine.items(reason="no_level"):
        quarantine.discard(left.id, "test", "the test is over", NOW, based_on=left.state)


def test_the_list_tells_reasons_in_words_and_shows_no_payload(visitor):
    text = visitor.get("/quarantine").text
    for words in ("Point that the estate does not have", "Message that cannot be read", "not_yet_known_reason"):
        assert words in text
    assert "41.5" not in text
    assert "edge-&lt;b&gt;lab&lt;/b&gt;" in text
    assert "Items waiting: 5; readings in them: 405." in text
    assert text.count('<th scope="row">') == 5


def test_every_reason_of_ingest_has_words():
    sources = [*Path(ingest.__file__).parent.glob("*.py"), Path(wire.__file__)]
    reasons = {reason for path in sources for reason in re.findall(r'Rejected\("([a-z_0-9]+)"', path.read_text())}
    assert len(reasons) > 10
    assert reasons | set(REASONS) - {""} <= set(REFUSALS)


def test_the_number_that_waits_stands_beside_the_page_name(visitor):
    nav = visitor.get("/alerts").text.partition("</nav>")[0]
    assert re.search(r'href="/quarantine".*?badge.*?>\d+<span class="unseen"> waiting', nav, re.DOTALL)


def test_a_reason_and_an_agent_choose_their_items(visitor):
    text = visitor.get("/quarantine", params={"reason": "unknown_point"}).text
    assert text.count('<th scope="row">') == 2
    assert "Items waiting: 2; readings in them: 403." in text
    assert "Replay all 2 of this reason" in text
    assert "Add the meter or point to the estate" in text
    text = visitor.get("/quarantine", params={"agent": "edge-<b>lab</b>"}).text
    assert text.count('<th scope="row">') == 1
    assert "Replay all" not in visitor.get("/quarantine?reason=unknown_point&agent=edge-lib").text
    assert "Nothing is waiting" in visitor.get("/quarantine?reason=never").text


@pytest.mark.parametrize("query", ["show=odd", "before=x", "before=-1", "before=" + "9" * 30, "reason=%00"])
def test_an_odd_question_is_a_page_that_does_not_exist(visitor, query):
    assert visitor.get(f"/quarantine?{query}").status_code == 404


@pytest.mark.parametrize("item_id", ["0", "99", "x", "-1", "9" * 30, "%C2%B2"])
def test_an_unknown_item_is_a_page_that_does_not_exist(visitor, item_id):
    assert visitor.get(f"/quarantine/{item_id}").status_code == 404
    assert post(visitor, f"/quarantine/{item_id}/replay").status_code == 404
    assert post(visitor, f"/quarantine/{item_id}/discard", reason="x").status_code == 404


def test_older_items_are_a_page_away(visitor, quarantine):
    many = [replace(refused(NOW)[3], reason="late_test", first_seq=n, last_seq=n) for n in range(5000, 5030)]
    quarantine.put(*many)
    first = visitor.get("/quarantine?reason=late_test").text
    older = re.search(r'class="button" href="(/quarantine\?[^"]*before=\d+)"', first)[1].replace("&amp;", "&")
    second = visitor.get(older).text
    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (25, 5)
    assert "before=" not in second.partition("<section")[2].partition('class="more"')[2]
    for left in quarantine.items(reason="late_test"):
        quarantine.discard(left.id, "test", "the test is over", NOW, based_on=left.state)


def test_an_item_shows_the_start_of_its_payload_and_nothing_that_a_browser_obeys(visitor, quarantine):
    (hostile,) = quarantine.items(reason="malformed")
    text = visitor.get(f"/quarantine/{hostile.id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\N{REPLACEMENT CHARACTER}[2J{not json" in text
    assert "<script>alert" not in text
    assert "1 unreadable message" in text
    large = quarantine.items(reason="unknown_point")[0]
    shown = re.search(r'<pre class="payload".*?>(.*?)</pre>', visitor.get(f"/quarantine/{large.id}").text, re.DOTALL)
    assert len(shown[1].replace("&#34;", '"')) == 2000


def test_an_item_says_what_to_do_in_both_languages(visitor, quarantine):
    path = f"/quarantine/{quarantine.items(reason='out_of_range')[0].id}"
    assert "Correct the range or the decoding" in visitor.get(path).text
    choose(visitor, "zh-Hans")
    chinese = visitor.get(path).text
    closed = visitor.get("/quarantine?show=closed").text
    choose(visitor, "en")
    assert "数值超出合理范围" in chinese
    assert "已处理" in closed


def test_a_replay_is_asked_for_and_its_answer_told(visitor, quarantine, item, sample):
    path = f"/quarantine/{item.id}"
    assert post(visitor, f"{path}/replay").headers["location"] == path
    text = visitor.get(path).text
    assert "Ingest answers within seconds." in text
    assert 'hx-trigger="every 2s"' in text
    assert "Discard for good" not in text
    assert post(visitor, f"{path}/replay").status_code == 303
    (errand,) = Errands(sample.records).of_item(item.id)
    Errands(sample.records).settle(errand.id, "refused again: no_level", NOW)
    text = visitor.get(path).text
    assert "Last replay: refused again: no_level" in text
    assert "every 2s" not in text
    post(visitor, f"{path}/replay")
    quarantine.close_replayed(item.id, "stored 3 readings", NOW)
    text = visitor.get(path).text
    assert "stored 3 readings" in text
    assert "act-replay" not in text
    assert path in visitor.get("/quarantine?show=closed").text
    assert post(visitor, f"{path}/replay").status_code == 409


def test_a_replay_from_the_list_leads_back_to_it_and_nowhere_else(visitor, item):
    back = "/quarantine?reason=no_level"
    assert post(visitor, f"/quarantine/{item.id}/replay", back=back).headers["location"] == back
    assert post(visitor, f"/quarantine/{item.id}/replay", back="//evil.example").headers["location"] == "/"
    assert 'hx-trigger="every 2s"' in visitor.get(back).text


def test_all_of_one_reason_are_asked_for_at_once(visitor, quarantine, item):
    answer = post(visitor, "/quarantine/replay", reason="no_level")
    assert answer.headers["location"] == "/quarantine?reason=no_level"
    assert quarantine.item(item.id).state is ItemState.ASKED
    assert {i.state for i in quarantine.items(reason="unknown_point")} == {ItemState.WAITING}
    for wrong in ("", "\x07", "x" * 201):
        assert post(visitor, "/quarantine/replay", reason=wrong).status_code == 422


def test_an_item_is_discarded_once_with_its_reason_on_record(visitor, quarantine, item, sample):
    path = f"/quarantine/{item.id}"
    for wrong in ({}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 501}):
        assert post(visitor, f"{path}/discard", **wrong).status_code == 422
    assert quarantine.item(item.id).state is ItemState.WAITING
    assert post(visitor, f"{path}/discard", reason=" a <b>test</b> device ").status_code == 303
    text = visitor.get(path).text
    assert "Kim discarded it" in text
    assert "a &lt;b&gt;test&lt;/b&gt; device" in text
    entry = Audit(sample.records).entries()[0]
    assert (entry.who, entry.what, entry.detail) == ("Kim", "quarantine.discard", "a <b>test</b> device")
    again = post(visitor, f"{path}/discard", reason="again")
    assert again.status_code == 409
    assert "Somebody was quicker" in again.text
    assert "Kim discarded it" in again.text
    assert len([e for e in Audit(sample.records).entries() if e.subject == str(item.id)]) == 1


def test_what_somebody_has_asked_for_meanwhile_is_not_discarded_from_an_older_page(visitor, quarantine, item, sample):
    seen = re.search(r'name="state" value="(\w+)"', visitor.get(f"/quarantine/{item.id}").text)[1]
    Errands(sample.records).ask("replay", item.id, "Bo", NOW)
    refused = post(visitor, f"/quarantine/{item.id}/discard", reason="x", state=seen)
    assert refused.status_code == 409
    assert "Bo asked for a replay" in refused.text
    assert quarantine.item(item.id).state is ItemState.ASKED
    assert post(visitor, f"/quarantine/{item.id}/discard", reason="x", state="asked").status_code == 303


def test_a_form_without_its_token_changes_nothing(visitor, quarantine, item):
    for act in ("replay", "discard"):
        body = {"csrf": csrf_token("another"), "reason": "x"}
        assert visitor.post(f"/quarantine/{item.id}/{act}", data=body).status_code == 403
        assert visitor.get(f"/quarantine/{item.id}/{act}").status_code == 405
    assert visitor.post("/quarantine/replay", data={"reason": "no_level"}).status_code == 403
    assert quarantine.item(item.id).state is ItemState.WAITING


@pytest.fixture
def bounded(app, monkeypatch):
    """Give the console another bound: so many times what waits now."""

    def bound(times):
        kept = app.state.parts.access._kept.quarantine
        monkeypatch.setattr(kept, "_bound_bytes", round(kept.size().bytes * times))
        return kept

    return bound


@pytest.mark.parametrize(("times", "words"), [(1.11, "90% full"), (1, "100% full"), (10, None)])
def test_a_nearly_full_quarantine_is_said_above_the_list(visitor, bounded, times, words):
    bounded(times)
    text = visitor.get("/quarantine").text
    assert ('role="alert"' in text) == (words is not None)
    assert words is None or words in text


def test_what_had_no_room_is_listed_and_offers_no_replay(visitor, bounded):
    full = bounded(1)
    full.put(replace(refused(NOW)[1], reason="too_late"))
    (dropped,) = full.items(reason="too_late")
    text = visitor.get("/quarantine?reason=too_late").text
    assert "Kept without payload for want of room: 1." in text
    assert f'id="replay-{dropped.id}"' not in text
    text = visitor.get(f"/quarantine/{dropped.id}").text
    assert "There was no room for it." in text
    assert "act-replay" not in text
    assert "act-discard" in text
    full.discard(dropped.id, "test", "the test is over", NOW, based_on=dropped.state)
