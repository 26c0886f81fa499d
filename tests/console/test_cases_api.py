"""Cases for programs: what OpenAPI says is what is answered, and nobody acts on what they have not seen."""

import pytest
from rigs.visitor import choose

from console.guard import csrf_token
from facility.work import AlertState
from stores.records.casebook import Casebook


def ask(visitor, path, body):
    token = csrf_token(visitor.cookies["meterhouse_session"])
    return visitor.post(path, json=body, headers={"x-csrf-token": token})


def test_a_case_is_worked_on_by_a_program(visitor, sample):
    alert, casebook = sample.alerts["night_waste"], Casebook(sample.records)
    listed = visitor.get("/api/cases", params={"state": "open"}).json()["cases"]
    read = next(one for one in listed if one["id"] == str(alert.id))
    assert (read["state"], read["building"], read["key"]) == ("open", alert.building, alert.key)
    base = f"/api/cases/{alert.id}"
    for what, body, state in (
        ("take", {}, "acknowledged"),
        ("snooze", {"until": "tomorrow", "reason": "the plumber comes"}, "snoozed"),
        ("wake", {}, "acknowledged"),
        ("give-back", {}, "open"),
        ("close", {"verdict": "accepted", "cause": "process", "note": "agreed"}, "closed"),
        ("reopen", {}, "open"),
    ):
        answer = ask(visitor, f"{base}/{what}", {"acts": read["acts"], **body})
        assert answer.status_code == 200, answer.text
        read = answer.json()
        assert read["state"] == state
    assert visitor.get(base).json() == read
    assert [step["what"] for step in visitor.get(f"{base}/steps").json()][-2:] == ["closed", "undone"]
    assert casebook.alert(alert.id).state is AlertState.OPEN


def test_pages_of_cases_hold_each_once(visitor, sample):
    seen, after = [], ""
    while after is not None:
        found = visitor.get("/api/cases", params={"limit": 2, "after": after}).json()
        seen += [one["id"] for one in found["cases"]]
        after = found["next"]
    assert sorted(seen) == sorted(str(one.id) for one in sample.alerts.values())


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("take", {}, 422),
        ("take", {"acts": 99}, 409),
        ("close", {"acts": 0, "verdict": "fixed"}, 422),
        ("close", {"acts": 0, "verdict": "fixed", "cause": "gremlins"}, 422),
        ("snooze", {"acts": 0, "until": "never", "reason": "x"}, 409),
        ("snooze", {"acts": 0, "until": "1h", "reason": ""}, 409),
    ],
)
def test_what_makes_no_sense_is_refused_as_json(visitor, sample, what, body, status):
    answer = ask(visitor, f"/api/cases/{sample.alerts['door_left_open'].id}/{what}", body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


def test_nothing_is_done_without_the_sessions_token(visitor, sample):
    path = f"/api/cases/{sample.alerts['door_left_open'].id}/take"
    assert visitor.post(path, json={"acts": 0}).status_code == 403


@pytest.mark.parametrize("path", ["?building=nowhere", "?after=x", "/x", "/x/steps"])
def test_what_is_not_there_is_not_found(visitor, path):
    assert visitor.get(f"/api/cases{path}").status_code == 404


def test_openapi_names_every_act(visitor):
    described = visitor.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.")
    acts = ("take", "give-back", "snooze", "wake", "close", "reopen")
    assert {f"/api/cases/{{alert_id}}/{act}" for act in acts} <= described["paths"].keys()
    assert "cause" in str(described["components"]["schemas"]["CaseBody"])


def test_whoever_leads_sees_how_the_work_goes(visitor):
    figures = visitor.get("/api/cases/figures", params={"days": 365}).json()
    assert figures["raised"] == 5
    for language, word in (("zh-Hans", "处理情况"), ("en", "How the work goes")):
        choose(visitor, language)
        assert word in visitor.get("/casework", params={"days": 365}).text
    assert visitor.get("/casework?days=0").status_code == 422
    assert "/casework" in visitor.get("/alerts").text
