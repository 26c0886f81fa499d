"""Work orders on pages: made, taken by one of two, done with a photo, rated; reported without an account."""

import csv
import re
from dataclasses import replace
from io import StringIO

import httpx
import pytest
from rigs.photos import PLACE as WHERE_TAKEN
from rigs.photos import jpeg
from rigs.sample import NOW
from rigs.visitor import choose, post

from console.guard import csrf_token
from console.guesses import Guesses
from facility.levels import Level
from facility.order import OrderPlace, OrderState, OrderWish, Skill
from facility.rights import Role
from facility.work import Severity
from stores.access import exports
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.audit import Audit, AuditFilter
from stores.records.orders.orders import Orders
from stores.records.orders.report_places import ReportPlaces
from stores.records.people import People

NASTY = '<script>alert(1)</script><img src=x onerror="alert(2)">'
WISH = OrderWish(OrderPlace("lib"), Skill.WATER, Severity.ACT, "Mend the tap", NASTY, "Kim")


@pytest.fixture(autouse=True)
def _patient(app):
    app.state.parts = replace(app.state.parts, guesses=Guesses(), reports=Guesses())


@pytest.fixture
def orders(sample):
    return Orders(sample.records)


@pytest.fixture
def order(orders):
    return orders.make(WISH, "Kim", NOW)


@pytest.fixture
def contractor(running, sample):
    """Somebody from outside, with one building."""
    link = People(sample.records).invite("Plumber", NOW)
    if not Grants(sample.records).of("Plumber", NOW):
        Grants(sample.records).give("Plumber", Grant(Role.CONTRACTOR, RolePart.BUILDING, "lib"), "test", NOW)
    cookies = {"meterhouse_session": People(sample.records).redeem(link, NOW, 86_400)}
    headers = {"accept": "text/html"}
    with httpx.Client(base_url=running[0], headers=headers, cookies=cookies, trust_env=False) as client:
        yield client


def press(client, order, what, **fields):
    acts = re.search(r'name="acts" value="(\d+)"', client.get(f"/orders/{order.id}").text)
    return post(client, f"/orders/{order.id}/{what}", acts=acts[1] if acts else 0, **fields)


def upload(client, order, content, name="photo.jpg"):
    token = csrf_token(client.cookies["meterhouse_session"])
    return client.post(f"/orders/{order.id}/files", data={"csrf": token}, files={"file": (name, content)})


def test_an_order_is_made_for_a_case_and_shown_on_its_card(visitor, sample, orders):
    case = sample.alerts["continuous_flow"]
    assert f"/orders/new?alert={case.id}" in visitor.get(f"/alerts/{case.id}").text
    form = visitor.get(f"/orders/new?alert={case.id}").text
    assert '<option value="water" selected>' in form
    made = post(visitor, "/orders", alert=str(case.id), title="", where="", skill="water", severity=3)
    shown = visitor.get(made.headers["location"]).text
    assert "Check" in shown
    assert made.headers["location"] in visitor.get(f"/alerts/{case.id}").text
    orders.call_off(orders.of()[0].id, "", "test", NOW, based_on=0)


def test_a_table_says_which_export_it_is_and_asks_what_it_is_for_above_a_level(visitor, order, sample, monkeypatch):
    rows = list(csv.DictReader(StringIO(visitor.get("/orders/table.csv").text)))
    newest = Audit(sample.records).entries(among=AuditFilter(what="export"))[0]
    assert (newest.who, newest.detail) == ("Kim", f"{rows[0]['export']}: work orders, level internal")
    assert {row["level"] for row in rows} == {"internal"}
    monkeypatch.setattr(exports, "FREE", Level.PUBLIC)
    asked = visitor.get("/orders/table.csv")
    assert (asked.status_code, 'name="reason"' in asked.text) == (422, True)
    assert Audit(sample.records).entries(among=AuditFilter(what="export"))[0].seq == newest.seq
    assert visitor.get("/orders/table.csv?reason=for+the+plumber").headers["content-type"].startswith("text/csv")
    assert Audit(sample.records).entries(among=AuditFilter(what="export"))[0].detail.endswith("because for the plumber")


def test_what_a_stranger_calls_themselves_is_shown_as_what_they_wrote(visitor, sample, orders):
    reported, _ = orders.report(replace(WISH, requested_by="Kim"), NOW)
    assert "Reported, without an account, as" in visitor.get(f"/orders/{reported.id}").text
    orders.call_off(reported.id, "", "test", NOW, based_on=0)


@pytest.mark.parametrize(
    "page", ["/orders", "/orders?show=list", "/orders?show=done", "/orders/mine", "/orders/roster"]
)
def test_the_pages_speak_both_languages(visitor, order, page):
    for language, title in (("zh-Hans", "工单"), ("en", "Work orders")):
        choose(visitor, language)
        answer = visitor.get(page)
        assert answer.status_code == 200
        assert title in answer.text
    assert not re.search(r"\b(orders?|roster|skill)\.[a-z]", re.sub(r"<[^>]+>", "", answer.text))


def test_a_note_full_of_html_is_shown_as_it_was_written(visitor, order):
    text = visitor.get(f"/orders/{order.id}").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_who_is_slower_is_told_who_has_it(visitor, contractor, order, orders):
    orders.give(order.id, "Plumber", "Kim", NOW, based_on=0)
    orders.refuse(order.id, "busy", "Plumber", NOW, based_on=1)
    seen = visitor.get(f"/orders/{order.id}").text
    acts = re.search(r'name="acts" value="(\d+)"', seen)[1]
    orders.accept(order.id, "Plumber", NOW, based_on=int(acts))
    late = post(visitor, f"/orders/{order.id}/accept", acts=acts)
    assert late.status_code == 409
    assert "Taken by Plumber" in late.text
    assert orders.one(order.id).assignee == "Plumber"


def test_a_contractor_sees_their_own_orders_and_no_others(contractor, visitor, order, orders):
    assert contractor.get(f"/orders/{order.id}").status_code == 404
    assert f"/orders/{order.id}" not in contractor.get("/orders").text
    assert f"\r\n{order.id}," not in contractor.get("/orders/table.csv").text
    assert contractor.get("/orders/roster").status_code == 403
    orders.give(order.id, "Plumber", "Kim", NOW, based_on=0)
    assert contractor.get(f"/orders/{order.id}").status_code == 200
    assert f"/orders/{order.id}" in contractor.get("/orders/mine").text
    assert press(contractor, order, "call_off", reason="x").status_code == 403
    assert press(contractor, order, "give", to="Kim").status_code == 403
    elsewhere = orders.make(replace(WISH, place=OrderPlace("office")), "Kim", NOW)
    orders.give(elsewhere.id, "Plumber", "Kim", NOW, based_on=0)
    assert contractor.get(f"/orders/{elsewhere.id}").status_code == 404


def test_it_is_done_with_a_photo_that_says_nothing_of_where_and_rated(contractor, visitor, order, orders):
    orders.give(order.id, "Plumber", "Kim", NOW, based_on=0)
    assert press(contractor, order, "arrive").status_code == 303
    assert upload(contractor, order, jpeg(), "../../tap.jpg").status_code == 303
    page = visitor.get(f"/orders/{order.id}").text
    assert 'alt="tap.jpg"' in page
    photo = visitor.get(re.search(rf"/orders/{order.id}/files/\d+", page)[0])
    assert photo.headers["content-type"] == "image/jpeg"
    assert WHERE_TAKEN not in photo.content
    done = press(contractor, order, "finish", parts="washer", cost="4,5", signed_by="Kim", ticked=["0", "2", "99"])
    assert done.status_code == 303
    kept = orders.one(order.id)
    assert (kept.state, kept.work.cost, kept.work.ticked) == (OrderState.DONE, 4.5, (0, 2))
    assert press(visitor, order, "rate", stars=4).status_code == 303
    assert "4 of 5 stars" in visitor.get(f"/orders/{order.id}").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (jpeg() + bytes(20 * 2**20), "too large: 12 MB"),
        (b"MZ\0\0", "no JPEG, PNG"),
        (jpeg()[:80], "is damaged"),
    ],
)
def test_a_file_that_is_not_kept_says_why(visitor, order, content, said):
    answer = upload(visitor, order, content)
    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.parametrize("cost", ["many", "-1", "nan", "1e99"])
def test_a_cost_is_a_sum(visitor, order, orders, cost):
    orders.give(order.id, "Kim", "Kim", NOW, based_on=0)
    assert press(visitor, order, "finish", cost=cost).status_code == 422
    assert orders.one(order.id).state is OrderState.ACCEPTED


@pytest.mark.parametrize("path", ["/orders/x", "/orders/999999999", "/orders/1/files/x", "/orders?show=x"])
def test_what_is_not_there_is_not_there(visitor, path):
    assert visitor.get(path).status_code == 404


def test_anybody_at_the_place_reports_and_reads_nothing(stranger, sample, orders):
    secret = ReportPlaces(sample.records).make(OrderPlace("lib"), "Kim", NOW)
    form = stranger.get("/report", params={"at": secret})
    assert form.status_code == 200
    assert "Library" not in form.text
    sent = stranger.post("/report", data={"at": secret, "skill": "water", "note": NASTY, "name": "Li"})
    assert sent.status_code == 200
    found = max(orders.of(), key=lambda one: one.id)
    assert (found.wish.place, found.wish.note, found.wish.requested_by) == (OrderPlace("lib"), NASTY, "Li")
    assert stranger.get(f"/orders/{found.id}").status_code == 303
    rating = re.search(r"/report\?rate=([\w-]+)", sent.text)[1]
    assert stranger.post("/report", data={"rate": rating, "stars": 5}).status_code == 409
    orders.give(found.id, "Kim", "Kim", NOW, based_on=0)
    orders.call_off(found.id, "", "Kim", NOW, based_on=1)


def test_a_link_that_is_none_is_refused_and_a_crowd_is_slowed(stranger, sample, app):
    assert stranger.get("/report", params={"at": "guessed"}).status_code == 403
    assert stranger.post("/report", data={"at": "guessed", "note": "x"}).status_code == 403
    secret = ReportPlaces(sample.records).make(OrderPlace("lab"), "Kim", NOW)
    codes = [stranger.post("/report", data={"at": secret, "note": f"n{n}"}).status_code for n in range(12)]
    assert codes[:6] == [200] * 6
    assert set(codes[6:]) == {429}
    assert stranger.post("/report", data={"at": secret, "note": ""}).status_code in {422, 429}
    for _ in range(10):
        stranger.get("/report", params={"at": "guessed"})
    assert stranger.get("/report", params={"at": "guessed"}).status_code == 429


def call(client, path, **body):
    headers = {"x-csrf-token": csrf_token(client.cookies["meterhouse_session"])}
    return client.post(path, json=body, headers=headers)


def test_a_program_orders_takes_and_finishes(visitor, sample):
    made = call(visitor, "/api/orders", where="lib", title="Mend it", skill="water")
    assert made.status_code == 201
    order = made.json()
    taken = call(visitor, f"/api/orders/{order['id']}/accept", acts=0)
    assert taken.status_code == 200, taken.text
    taken = taken.json()
    assert (taken["state"], taken["assignee"], taken["acts"]) == ("accepted", "Kim", 1)
    late = call(visitor, f"/api/orders/{order['id']}/accept", acts=0)
    assert (late.status_code, late.json()) == (409, {"error": "too_late"})
    done = call(visitor, f"/api/orders/{order['id']}/finish", acts=1, cost=3).json()
    assert (done["state"], done["cost"]) == ("done", 3.0)
    assert order["id"] not in [one["id"] for one in visitor.get("/api/orders").json()]
    assert order["id"] in [one["id"] for one in visitor.get("/api/orders?everything=true").json()]


def test_what_programs_may_ask_is_described(visitor):
    said = visitor.get("/api/openapi.json").json()
    assert said["openapi"].startswith("3.1")
    assert {"/api/orders", "/api/orders/{order_id}", "/api/orders/{order_id}/accept"} <= set(said["paths"])


@pytest.mark.parametrize(
    "body", [{}, {"where": "lib"}, {"where": "lib", "title": "x", "severity": "bad"}, {"where": "lib", "skill": "fly"}]
)
def test_a_program_that_asks_amiss_is_told(visitor, body):
    assert call(visitor, "/api/orders", **body).status_code == 422
    assert visitor.post("/api/orders", json={"where": "lib", "title": "x"}).status_code == 403
    assert call(visitor, "/api/orders", where="moon", title="x").status_code == 404
