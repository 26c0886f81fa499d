"""Faults P1 to P5: arbitrary input, too much asked, a locked file, two people at once, no store."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.ingest_rig import UnsteadyStore
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.trials import FULL
from rigs.visitor import acts_on, post

from console.api import API
from console.pages import PAGES
from facility.work import AlertState
from stores.records.casebook import Casebook

ODD = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
CRAFTED = st.sampled_from(["", "-1", "1e999", "NaN", "../..", "' OR 1=1 --", "%00"])
WORDS = st.one_of(ODD, st.integers().map(str), CRAFTED)
ASKED = st.dictionaries(st.sampled_from(["state", "utility", "from", "to", "page", "q", "reason"]), WORDS)
SAID = st.dictionaries(
    st.sampled_from(["csrf", "acts", "verdict", "cause", "asleep_until", "note", "language", "back"]), WORDS
)
HEADERS = st.sampled_from([{}, {"hx-request": "true"}, {"accept": "application/json"}, {"range": "bytes=9-"}])
DAYS = "/api/buildings/lab/days/water"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    made = make_sample(tmp_path_factory.mktemp("estate"), NOW)
    yield made
    made.store.close()
    made.records.dispose()


@contextmanager
def visiting(sample, store=None, later=timedelta(seconds=1)):
    with (
        served(store or sample.store, sample.records, lambda: NOW + later) as (address, app),
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        client.cookies.set("meterhouse_session", sample.session())
        yield client, app


@pytest.fixture(scope="module")
def visit(sample):
    with visiting(sample) as pair:
        yield pair


@pytest.fixture
def client(visit):
    return visit[0]


def places():
    """Every path with its method; live streams end only when the reader does, and who signs out has ended the test."""
    left_out = ("/live", "/events", "/sign-out")
    routes = [route for routers in (PAGES, API) for router in routers.values() for route in router.routes]
    found = [(route.path, method) for route in routes for method in sorted(route.methods - {"HEAD"})]
    return [(path, method) for path, method in found if not path.endswith(left_out)]


@settings(max_examples=5_000 if FULL else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_P1_whatever_is_asked_is_no_error_of_ours(visit, data):
    client, _ = visit
    path, method = data.draw(st.sampled_from(places()))
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + quote(data.draw(WORDS), safe="") + rest.partition("}")[2]
    asked, said, headers = data.draw(ASKED), data.draw(SAID), data.draw(HEADERS)
    answer = client.request(method, path, params=asked, data=said if method == "POST" else None, headers=headers)
    assert answer.status_code < 500, (method, path, asked, said, answer.text[:300])
    assert answer.headers.get("content-security-policy")


def test_P2_fifty_who_ask_for_all_there_is_are_answered_and_none_costs_another(visit):
    client, _ = visit
    asked = ["/alerts?state=all", "/", "/quarantine", DAYS, f"{DAYS}?days=99999"]
    before = threading.active_count()
    with ThreadPoolExecutor(50) as many:
        answers = list(many.map(lambda i: client.get(asked[i % len(asked)]), range(150)))
    assert {answer.status_code for answer in answers} <= {200, 404, 422, 429, 503}
    assert max(len(answer.content) for answer in answers) < 2**20
    assert threading.active_count() < before + 120


def test_P3_records_that_somebody_holds_locked_are_503_and_never_500(sample, client):
    with sqlite3.connect(sample.folder / "records.db", isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        try:
            with ThreadPoolExecutor(20) as many:
                answers = list(many.map(lambda _: client.get("/alerts"), range(20)))
        finally:
            db.execute("ROLLBACK")
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert all(answer.headers.get("content-security-policy") for answer in answers)
    assert client.get("/alerts").status_code == 200


def test_P4_of_two_who_close_a_case_at_once_one_does(sample, client):
    alert, casebook = sample.alerts["door_left_open"].id, Casebook(sample.records)
    acts, both = acts_on(client, alert), threading.Barrier(2)

    def close(note):
        both.wait()
        return post(client, f"/alerts/{alert}/close", acts=acts, verdict="fixed", cause="data", note=note).status_code

    with ThreadPoolExecutor(2) as two:
        codes = list(two.map(close, ["mine", "yours"]))
    assert max(codes) == 409
    assert min(codes) in {200, 303}
    assert casebook.alert(alert).state is AlertState.BEING_CHECKED


def test_P5_without_a_store_pages_and_cases_are_shown_and_nothing_is_500(sample):
    store = UnsteadyStore(sample.store)
    with visiting(sample, store) as (client, _):
        store.is_up = False
        asked = ("/", "/alerts", "/quarantine", "/buildings/lab", "/health", DAYS)
        answers = {path: client.get(path) for path in asked}
        answers["case"] = client.get(f"/alerts/{sample.alerts['continuous_flow'].id}")
    codes = {path: answer.status_code for path, answer in answers.items()}
    assert set(codes.values()) <= {200, 503}
    assert codes["/alerts"] == codes["/quarantine"] == 200
    assert codes[DAYS] == 503
