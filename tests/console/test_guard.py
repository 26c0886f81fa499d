"""Who gets in, what leaves, and what a form must carry."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import httpx
import pytest
from rigs.console_routes import routes
from rigs.own_loop import finished
from rigs.patience import until
from rigs.sample import NOW
from rigs.serving import served
from starlette.datastructures import Headers

from console.guard import MOST_BODY_BYTES, OPEN_PATHS, Guard, csrf_token, sessions_of
from console.guesses import MOST, MOST_NOTED, WITHIN_S, Guesses
from console.seats import MOST_EACH, Seats
from facility.errors import StoreUnavailable
from stores.records.audit import Audit
from stores.records.people import People

EXAMPLES = {
    "building_id": "lib",
    "utility": "water",
    "item_id": "1",
    "number": "1",
    "name": "Ada",
    "order_id": "1",
    "file_id": "1",
    "alert_id": "00000000-0000-0000-0000-000000000000",
}


def test_every_route_is_denied_without_a_session_except_the_allow_list(app, stranger):
    known = routes(app, EXAMPLES)
    assert len(known) >= 16
    for method, path in known:
        answer = stranger.request(method, path, headers={"accept": "application/json"})
        if path in OPEN_PATHS or path.startswith("/static/"):
            assert answer.status_code != 401, path
        else:
            assert answer.status_code == 401, (method, path)


def test_the_allow_list_is_sign_in_health_and_the_sites_authority():
    ways_in = {"/sign-in", "/sign-in/password", "/sign-in/provider", "/sign-in/provider/back", "/take", "/report"}
    assert ways_in | {"/health", "/ca", "/ca.crt", "/ca.svg"} == OPEN_PATHS


def test_a_page_that_does_not_exist_is_denied_too(stranger):
    answer = stranger.get("/nothing-here")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_htmx_is_sent_to_sign_in_as_a_whole_page(stranger):
    answer = stranger.get("/live", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_a_foreign_host_name_is_not_answered(visitor):
    assert visitor.get("/", headers={"host": "evil.example:8080"}).status_code == 400


@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/base.css", "/nothing-here", "/health"])
def test_every_answer_carries_the_security_headers(visitor, path):
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/buildings/lib", "/alerts", "/quarantine", "/quarantine/1", "/sign-in?token=x"])
def test_pages_hold_nothing_inline(visitor, path):
    text = visitor.get(path).text
    assert "<style" not in text
    assert " style=" not in text
    assert "onclick" not in text
    assert "<script>" not in text


def test_looking_at_a_link_does_not_consume_it(stranger, sample, app):
    token = People(sample.records).invite("Ada", app.state.parts.clock())
    for _ in range(2):
        shown = stranger.get("/sign-in", params={"token": token})
        assert shown.status_code == 200
        assert token in shown.text
    answer = stranger.post("/sign-in", data={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert stranger.get("/account").status_code == 200


def test_a_link_works_once(stranger, sample, app):
    token = People(sample.records).invite("Ada", app.state.parts.clock())
    assert stranger.post("/sign-in", data={"token": token}).status_code == 303
    stranger.cookies.clear()
    again = stranger.post("/sign-in", data={"token": token})
    assert again.status_code == 403
    assert "set-cookie" not in again.headers


def test_a_form_without_its_token_changes_nothing(visitor, sample):
    alert = sample.alerts["continuous_flow"].id
    for body in ({}, {"csrf": "wrong"}):
        assert visitor.post(f"/alerts/{alert}/acknowledge", data=body).status_code == 403
    assert "Take it" in visitor.get(f"/alerts/{alert}").text


def test_a_form_from_another_origin_is_refused(visitor, sample):
    alert = sample.alerts["continuous_flow"].id
    token = csrf_token(visitor.cookies["meterhouse_session"])
    answer = visitor.post(
        f"/alerts/{alert}/acknowledge", data={"csrf": token}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_another_sessions_token_is_refused(visitor, sample):
    alert = sample.alerts["continuous_flow"].id
    answer = visitor.post(f"/alerts/{alert}/acknowledge", data={"csrf": csrf_token(sample.session("Eve"))})
    assert answer.status_code == 403


def test_a_get_never_reaches_an_act(visitor, sample):
    alert = sample.alerts["continuous_flow"].id
    for act in ("acknowledge", "release", "close", "reopen"):
        assert visitor.get(f"/alerts/{alert}/{act}").status_code == 405


def test_signing_out_ends_the_session_in_the_records(visitor):
    session = visitor.cookies["meterhouse_session"]
    assert visitor.post("/sign-out", data={"csrf": csrf_token(session)}).status_code == 303
    visitor.cookies.set("meterhouse_session", session)
    assert visitor.get("/").headers["location"] == "/sign-in"


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_language_form_sends_nobody_elsewhere(visitor, back):
    token = csrf_token(visitor.cookies["meterhouse_session"])
    answer = visitor.post("/language", data={"csrf": token, "language": "en", "back": back})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("origin", ["null", "http://[::1", "https://evil.example", "ftp://127.0.0.1", ""])
def test_an_origin_that_is_not_ours_is_refused(stranger, origin):
    assert stranger.post("/sign-in", data={"token": "x"}, headers={"origin": origin}).status_code == 403


def test_our_own_origin_is_let_in(stranger):
    origin = f"http://{stranger.base_url.netloc.decode()}"
    answer = stranger.post("/sign-in", data={"token": "x"}, headers={"origin": origin})
    assert "<h1>" in answer.text  # the page that refuses the token, not the door that refuses the form


def test_nobody_posts_more_than_a_form_holds(stranger):
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = b"token=" + b"a" * MOST_BODY_BYTES
    assert stranger.post("/sign-in", content=body, headers=form).status_code == 413
    unstated = (body[i : i + 8192] for i in range(0, len(body), 8192))
    assert stranger.post("/sign-in", content=unstated, headers=form).status_code == 413


def test_a_text_that_no_database_holds_is_refused_and_breaks_nothing(visitor):
    body = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n+2AA-.x\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b; charset=utf-7"}
    assert visitor.post("/sign-in", content=body % b"token", headers=kind).status_code == 422
    assert visitor.post("/sign-out", content=body % b"csrf", headers=kind).status_code == 403


def test_signing_in_again_ends_the_session_before(visitor, sample, app):
    before = visitor.cookies["meterhouse_session"]
    token = People(sample.records).invite("Ada", app.state.parts.clock())
    assert visitor.post("/sign-in", data={"token": token}).status_code == 303
    visitor.cookies.clear()
    visitor.cookies.set("meterhouse_session", before)
    assert visitor.get("/").headers["location"] == "/sign-in"


def test_nobody_is_let_in_while_the_records_are_away():
    """And who came by TLS is told to come by TLS always."""

    def lost(_session, _is_used, _browser):
        raise StoreUnavailable("away")

    sent, inside = [], []

    async def app(*_):
        inside.append(1)

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"h"), (b"cookie", b"__Host-meterhouse_session=a.b")]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": headers}
    finished(Guard(app, ["h"], lost)(scope, None, send))
    assert not inside
    assert sent[0]["status"] == 503
    assert b"strict-transport-security" in dict(sent[0]["headers"])


def test_a_session_opens_a_few_streams_and_others_still_find_a_seat(visitor, sample, app):
    session, seats = visitor.cookies["meterhouse_session"], app.state.parts.seats
    with ExitStack() as opened:
        for _ in range(MOST_EACH):
            assert opened.enter_context(visitor.stream("GET", "/events")).status_code == 200
        refused = visitor.get("/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        visitor.cookies.set("meterhouse_session", sample.session("Eve"))
        assert opened.enter_context(visitor.stream("GET", "/events")).status_code == 200
    leave = until(lambda: seats.take(session))  # the seats of those who left are found free
    leave()


def test_seats_are_given_back():
    seats = Seats(most=2, most_each=1)
    leave = seats.take("a")
    assert seats.take("a") is None
    assert seats.take("b")
    assert seats.take("c") is None
    leave()
    assert seats.take("a")


def test_a_cookie_that_is_none_signs_nobody_out(visitor, sample):
    session = visitor.cookies["meterhouse_session"]
    others = ("a b=c; {}", "{}; [broken=1", 'x="un;closed; {}', "{}; meterhouse_session=", "=; ;;{}", "päth=1; {}")
    for other in (*others, f"meterhouse_session=of.another; {{}}; meterhouse_session={'x' * 500}"):
        cookie = other.format(f"meterhouse_session={session}")
        visitor.cookies.clear()
        assert visitor.get("/alerts", headers={"cookie": cookie.encode()}).status_code == 200, other


def test_by_tls_the_session_has_a_name_that_no_other_host_can_set(stranger, sample, app):
    tls = {"x-forwarded-proto": "https"}
    token = People(sample.records).invite("Ada", app.state.parts.clock())
    cookie = stranger.post("/sign-in", data={"token": token}, headers=tls).headers["set-cookie"]
    assert cookie.startswith("__Host-meterhouse_session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()
    session = cookie.partition("=")[2].partition(";")[0]
    for name, status in (("__Host-meterhouse_session", 200), ("meterhouse_session", 303)):
        stranger.cookies.clear()
        assert stranger.get("/alerts", headers=tls | {"cookie": f"{name}={session}"}).status_code == status
    form = {"csrf": csrf_token(session)}
    left = stranger.post("/sign-out", data=form, headers=tls | {"cookie": f"__Host-meterhouse_session={session}"})
    assert left.headers["set-cookie"].startswith('__Host-meterhouse_session=""')
    assert "Secure" in left.headers["set-cookie"]


def test_a_crowd_of_cookies_asks_the_records_a_few_times():
    headers = Headers(raw=[(b"cookie", b"; ".join(b"meterhouse_session=%d" % n for n in range(5_000)))])
    assert len(sessions_of(headers, "http")) <= 5


def test_who_tries_links_that_are_none_is_sent_away_for_a_while(sample):
    with served(sample.store, sample.records, lambda: NOW) as (address, app):
        with httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as client:
            refused = [client.post("/sign-in", data={"token": f"a.{n}"}).status_code for n in range(MOST + 2)]
            assert refused == [403] * MOST + [429, 429]
            good = People(sample.records).invite("Ada", NOW)
            blocked = client.post("/sign-in", data={"token": good})
            assert (blocked.status_code, "Too many at once" in blocked.text) == (429, True)
            assert 0 < int(blocked.headers["retry-after"]) <= WITHIN_S + 1
        noted = [one for one in Audit(sample.records).entries(limit=MOST + 1) if one.what.startswith("person.sign_in_")]
        assert [one.what for one in noted] == ["person.sign_in_blocked"] + (MOST - 1) * ["person.sign_in_refused"]
        assert {(one.subject, one.detail) for one in noted} == {("127.0.0.1", "this link is not known")}
        assert app.state.parts.guesses.wait_s("192.0.2.1") == 0  # others are let in


def test_attempts_are_forgotten_and_fill_neither_memory_nor_audit(monkeypatch):
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    noted = [guesses.refused(f"10.0.{n // 256}.{n % 256}") for n in range(12_000)]
    assert sum(map(bool, noted)) < MOST_NOTED + 1
    assert guesses.wait_s("10.0.255.255") > 0  # one of the many that are counted together
    now[0] = WITHIN_S
    assert guesses.wait_s("10.0.255.255") == 0
    assert guesses.refused("10.0.255.255") == "refused"


def test_one_network_of_ipv6_is_one_stranger():
    guesses = Guesses(lambda: 0.0)
    for n in range(MOST):
        guesses.refused(f"2001:db8:0:1::{n:x}")
    assert guesses.wait_s("2001:db8:0:1:ffff::1") > 0
    assert guesses.wait_s("2001:db8:0:2::1") == 0
    assert guesses.wait_s("::ffff:192.0.2.1") == 0
    assert guesses.wait_s("not an address") == 0


def test_a_session_that_nobody_uses_ends_though_a_page_stays_open(sample):
    clock = [NOW]
    with served(sample.store, sample.records, lambda: clock[0], idle_s=600) as (address, _):
        session = {"meterhouse_session": sample.session()}
        with httpx.Client(base_url=address, cookies=session, trust_env=False) as client:
            for minutes, path, status in (
                (9, "/alerts", 200),
                (18, "/alerts", 200),  # nine minutes after an act
                (27, "/live", 200),  # a page that renews itself
                (29, "/alerts", 401),
            ):
                clock[0] = NOW + timedelta(minutes=minutes)
                assert client.get(path).status_code == status, minutes
