"""A case taken by the link in a letter: once, by a button, by whoever the letter was for."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from rigs.rights import everything
from rigs.sample import NOW

from console.guesses import Guesses
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.letters.take_links import TakeLinks
from stores.records.people import People


@pytest.fixture(autouse=True)
def _patient(app):
    """Each test's wrong links are counted for themselves."""
    app.state.parts = replace(app.state.parts, guesses=Guesses())


@pytest.fixture
def casebook(sample):
    return Casebook(sample.records)


@pytest.fixture
def alert(sample, casebook):
    """An open case; afterwards it is open again."""
    found = next(one for one in sample.alerts.values() if one.state.value == "open")
    yield casebook.alert(found.id)
    now = casebook.alert(found.id)
    if now.acknowledged_by:
        casebook.release(found.id, now.acknowledged_by, NOW, based_on=now.acts)


@pytest.fixture
def link(sample, alert):
    def make(name="Kim", at=NOW, of=None):
        People(sample.records).invite(name, NOW)
        everything(sample.records, name, NOW)
        return {"alert": str(of or alert.id), "token": TakeLinks(sample.records).make(name, of or alert.id, at)}

    return make


def test_to_look_at_a_link_changes_nothing(stranger, casebook, alert, link):
    made = link()
    for _ in range(3):
        shown = stranger.get("/take", params=made)
        assert shown.status_code == 200
        assert 'name="token"' in shown.text
    assert casebook.alert(alert.id) == alert


def test_the_button_takes_the_case_once(stranger, sample, casebook, alert, link):
    made = link()
    taken = stranger.post("/take", data=made)
    assert (taken.status_code, "You have it" in taken.text) == (200, True)
    assert casebook.alert(alert.id).acknowledged_by == "Kim"
    assert casebook.timeline(alert.id)[-1].what == "acknowledged"
    assert any(entry.what == "person.take_link" for entry in Audit(sample.records).entries(limit=5))
    casebook.release(alert.id, "Kim", NOW, based_on=casebook.alert(alert.id).acts)
    assert stranger.post("/take", data=made).status_code == 403
    assert casebook.alert(alert.id).acknowledged_by == ""


def test_who_is_slower_is_told_who_has_it(stranger, casebook, alert, link):
    kim, li = link("Kim"), link("Li")
    assert stranger.post("/take", data=kim).status_code == 200
    late = stranger.post("/take", data=li)
    assert (late.status_code, "Kim has it already" in late.text) == (409, True)
    assert casebook.alert(alert.id).acknowledged_by == "Kim"
    assert "Kim has it already" in stranger.get("/take", params=li).text


@pytest.mark.parametrize("what", ["another case", "no token", "too old", "no id", "no case"])
def test_a_link_that_is_none_opens_nothing(stranger, sample, casebook, alert, link, what):
    other = next(one for one in sample.alerts.values() if one.id != alert.id)
    made = {
        "another case": lambda: {**link(), "alert": str(other.id)},
        "no token": lambda: {"alert": str(alert.id), "token": "x.y"},
        "too old": lambda: link(at=NOW - timedelta(days=1)),
        "no id": lambda: {**link(), "alert": "' OR 1=1"},
        "no case": lambda: link(of=uuid4()),
    }[what]()
    for answer in (stranger.get("/take", params=made), stranger.post("/take", data=made)):
        assert answer.status_code == 403
        assert other.meter not in answer.text
    assert casebook.alert(alert.id) == alert


def test_a_link_of_who_may_no_longer_act_opens_nothing(stranger, sample, casebook, alert):
    People(sample.records).invite("Nobody", NOW)
    made = {"alert": str(alert.id), "token": TakeLinks(sample.records).make("Nobody", alert.id, NOW)}
    assert stranger.post("/take", data=made).status_code == 403
    assert casebook.alert(alert.id).acknowledged_by == ""
