"""What is planned is noted, seen and withdrawn on a page and by programs; what makes no sense comes back with why."""

import re
from datetime import timedelta

import httpx
import pytest
from rigs.sample import NOW
from rigs.visitor import choose, post

from console.guard import csrf_token
from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.people import People
from stores.records.planned_events import LONGEST_REASON, PlannedEvents

TOMORROW = (NOW + timedelta(days=1)).strftime("%Y-%m-%d")
NASTY = '<img src=x onerror="alert(1)"> Sports day'


@pytest.fixture(autouse=True)
def _nothing_planned(sample):
    yield
    for one in PlannedEvents(sample.records).all_of():
        PlannedEvents(sample.records).withdraw(one.id, "test", NOW)


def note(client, **changes):
    fields = {"where": "lib", "begins": f"{TOMORROW}T08:00", "ends": f"{TOMORROW}T12:00", "reason": NASTY}
    return post(client, "/casework/plans", **{**fields, "kind": "maintenance", **changes})


def test_a_plan_is_noted_seen_as_it_was_written_and_withdrawn(visitor, sample):
    assert note(visitor, weekly="yes").status_code == 303
    [kept] = PlannedEvents(sample.records).all_of()
    assert (kept.building, kept.meter, kept.every_week, kept.by) == ("lib", None, True, "Kim")
    assert kept.begins_at.astimezone(kept.ends_at.tzinfo) < kept.ends_at
    shown = visitor.get("/casework").text
    assert "&lt;img src=x" in shown
    assert NASTY not in shown
    assert post(visitor, f"/casework/plans/{kept.id}/withdraw").status_code == 303
    assert PlannedEvents(sample.records).all_of() == []
    assert post(visitor, f"/casework/plans/{kept.id}/withdraw").status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"begins": "soon"}, "it ends after it begins"),
        ({"ends": f"{TOMORROW}T07:00"}, "it ends after it begins"),
        ({"begins": "2020-01-01T08:00", "ends": "2020-01-02T08:00"}, "It is over already"),
        ({"begins": "2020-01-01T08:00"}, "fourteen days at most"),
        ({"reason": "  "}, "A reason is needed"),
        ({"where": "nowhere"}, "no such building"),
        ({"where": "lib/nothing"}, "no such meter"),
    ],
)
def test_a_plan_that_makes_no_sense_comes_back_with_what_was_written_and_why(visitor, sample, changes, said):
    choose(visitor, "en")
    answer = note(visitor, **changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert re.search(r'<details class="verdict" open>', answer.text)
    if "begins" not in changes:
        assert f'value="{TOMORROW}T08:00"' in answer.text
    assert PlannedEvents(sample.records).all_of() == []


@pytest.mark.parametrize("changes", [{"kind": "holiday"}, {"reason": "x" * (LONGEST_REASON + 1)}, {"begins": "9" * 99}])
def test_what_no_form_sends_is_not_understood(visitor, changes):
    assert note(visitor, **changes).status_code == 422


def test_the_form_speaks_both_languages(visitor):
    for language, word in (("zh-Hans", "登记计划"), ("en", "Note a plan")):
        choose(visitor, language)
        assert word in visitor.get("/casework").text


def test_who_has_one_building_plans_there_alone_and_does_not_see_others(running, visitor, sample):
    assert note(visitor, where="office").status_code == 303
    [foreign] = PlannedEvents(sample.records).all_of()
    token = People(sample.records).invite("Lib keeper", NOW)
    Grants(sample.records).give("Lib keeper", Grant(Role.FACILITIES, RolePart.BUILDING, "lib"), "test", NOW)
    cookies = {"meterhouse_session": People(sample.records).redeem(token, NOW, 86_400)}
    with httpx.Client(base_url=running[0], cookies=cookies, headers={"accept": "text/html"}, trust_env=False) as keeper:
        assert "Sports day" not in keeper.get("/casework").text
        assert note(keeper, where="office").status_code == 422
        assert post(keeper, f"/casework/plans/{foreign.id}/withdraw").status_code == 404
        assert note(keeper).status_code == 303
    assert len(PlannedEvents(sample.records).all_of()) == 2


def ask(client, path, **body):
    headers = {"x-csrf-token": csrf_token(client.cookies["meterhouse_session"])}
    return client.post(path, json=body, headers=headers)


def test_a_program_plans_too(visitor):
    wish = {"building": "lib", "begins_at": f"{TOMORROW}T08:00Z", "ends_at": f"{TOMORROW}T12:00Z", "reason": "Painting"}
    made = ask(visitor, "/api/plans", **wish)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert ask(visitor, "/api/plans", **wish).json()["id"] == number, "the same again is noted once"
    assert [one["id"] for one in visitor.get("/api/plans").json()] == [number]
    assert ask(visitor, "/api/plans", **{**wish, "building": "x"}).status_code == 404
    assert ask(visitor, "/api/plans", **{**wish, "ends_at": f"{TOMORROW}T07:00Z"}).status_code == 422
    assert ask(visitor, "/api/plans", **{**wish, "ends_at": f"{TOMORROW}T12:00"}).status_code == 422
    assert ask(visitor, f"/api/plans/{number}/withdraw").status_code == 204
    assert ask(visitor, f"/api/plans/{number}/withdraw").status_code == 404
    assert visitor.get("/api/plans").json() == []
    assert "/api/plans" in visitor.get("/api/openapi.json").json()["paths"]
