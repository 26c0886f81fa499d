"""Live streams share what they show: one set a second for all who see the same, and only what changed is sent."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from rigs.own_loop import finished
from rigs.rights import ALL, within
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.visitor import next_event

from console import feeds as feeds_module
from console.api import events
from console.app import environment
from console.feeds import Feeds
from console.figures.tiles import Tile
from stores.access import Access, LiveValues, Scope
from stores.readings.port import Latest
from wording.formats import Amount

LIBRARY = within(Scope(buildings=frozenset({"lib"})))


@pytest.fixture
def sample(tmp_path):
    made = make_sample(tmp_path, NOW)
    yield made
    made.store.close()
    made.records.dispose()


@pytest.fixture
def rights():
    """Rights by name; who is not named may see everything."""
    return {"Lib": LIBRARY, "Second": LIBRARY}


@pytest.fixture
def access(sample, rights):
    live = LiveValues(sample.store)
    live.refresh()
    return Access(sample.store, sample.records, live, lambda name: rights.get(name, ALL), lambda: NOW)


@pytest.fixture
def made(access):
    return Feeds(environment(), access, lambda: NOW + timedelta(seconds=1))


def test_who_sees_the_same_shares_a_feed_and_nobody_else_does(access, made):
    assert made.feed(access.view("Anna"), "en", "estate") is made.feed(access.view("Ben"), "en", "estate")
    assert made.feed(access.view("Lib"), "en", "estate") is made.feed(access.view("Second"), "en", "estate")
    different = [
        ("Anna", "en", "estate"),
        ("Anna", "zh-Hans", "estate"),
        ("Anna", "en", "lib"),
        ("Lib", "en", "estate"),
    ]
    assert len({id(made.feed(access.view(name), language, of)) for name, language, of in different}) == 4


def test_a_feed_goes_on_showing_what_its_scope_shows_whoever_followed_it_first_may_see_by_now(access, made, rights):
    feed = made.feed(access.view("Lib"), "en", "estate")
    rights["Lib"] = ALL
    finished(made.look(feed))
    assert "power-lib" in feed.pieces
    assert not [name for name in feed.pieces if "hall" in name or "office" in name]


def test_only_what_says_something_new_is_sent(access, made, sample):
    async def look_twice():
        feed = made.feed(access.view("Anna"), "en", "estate")
        await made.look(feed)
        seen = feed.round
        sample.say("hall-power/active_power/total", 77_000.0, NOW)
        access._live.refresh()
        feed.looked_s -= 1
        await made.look(feed)
        return feed.since(0).decode(), feed.since(seen).decode()

    whole, changed = finished(look_twice())
    assert 'id="power-lab"' in whole
    assert 'id="power-hall"' in changed
    assert "power-lab" not in changed
    assert "alert-badge" not in changed


def test_a_figure_that_was_read_again_and_is_the_same_is_not_sent_each_time():
    tile = Tile("power", Amount("12", "kW"), 1_000_000, 125.0, "ok")
    assert replace(tile, at_ms=1_010_000).is_as_shown(tile)
    assert not replace(tile, at_ms=1_013_000).is_as_shown(tile), "pages count its age: it must not look old"
    assert not replace(tile, at_ms=999_000).is_as_shown(tile)
    assert not replace(tile, at_ms=None).is_as_shown(tile)
    assert not replace(tile, tone="act").is_as_shown(tile)
    assert not replace(tile, amount=Amount("13", "kW")).is_as_shown(tile)


def test_a_round_in_which_nothing_is_new_says_nothing(access, made):
    async def look_twice():
        feed = made.feed(access.view("Anna"), "en", "lib")
        await made.look(feed)
        seen, feed.looked_s = feed.round, feed.looked_s - 60
        await made.look(feed)
        assert feed.round == seen + 1
        return feed.since(seen)

    assert finished(look_twice()) == b""


def test_many_streams_cost_one_look_a_second(sample, monkeypatch):
    looks = []
    renew = feeds_module.renew
    monkeypatch.setattr(feeds_module, "renew", lambda *given: looks.append(1) or renew(*given))
    with served(sample.store, sample.records, lambda: NOW) as (address, _), ExitStack() as opened:
        lines = []
        for name in ("Anna", "Ben", "Cleo"):
            client = opened.enter_context(httpx.Client(base_url=address, trust_env=False))
            client.cookies.set("meterhouse_session", sample.session(name))
            lines += [opened.enter_context(client.stream("GET", "/events?of=estate")).iter_lines() for _ in range(4)]
        assert len({"\n".join(next_event(one)) for one in lines}) == 1, "all are sent the very same"
        assert len(looks) <= 4, "twelve streams that open within a second or two do not look twelve times"


def test_a_stream_narrows_with_the_rights_of_its_reader(sample, monkeypatch):
    monkeypatch.setattr(feeds_module, "LOOK_ANYWAY_S", 1.0)
    rights = {}
    with (
        served(sample.store, sample.records, lambda: NOW, rights_of=lambda name: rights.get(name, ALL)) as (at, _),
        httpx.Client(base_url=at, trust_env=False) as client,
    ):
        client.cookies.set("meterhouse_session", sample.session("Anna"))
        with client.stream("GET", "/events?of=estate") as answer:
            lines = answer.iter_lines()
            assert any('id="power-hall"' in line for line in next_event(lines))
            rights["Anna"] = LIBRARY
            narrowed = "\n".join(next_event(lines))
    assert 'id="power-lib"' in narrowed
    assert "hall" not in narrowed


def test_what_a_session_may_see_is_asked_once_for_all_its_streams(access, made):
    asked, view = [], access.view("Anna")

    async def fifty():
        return await asyncio.gather(
            *(made.view("session", "estate", lambda: asked.append(1) or view) for _ in range(50)),
            made.view("another", "estate", lambda: None),
        )

    *views, ended = finished(fifty())
    assert all(one is view for one in views)
    assert ended is None
    assert asked == [1]


def test_many_sessions_are_not_asked_for_at_one_moment(made, monkeypatch):
    now_s = 1000.0
    monkeypatch.setattr(feeds_module.time, "monotonic", lambda: now_s)
    sessions, changed = [f"session-{n}" for n in range(300)], []
    for _ in range(5):
        before, now_s = [made.turn(one) for one in sessions], now_s + 1.0
        changed.append(sum(made.turn(one) != turn for one, turn in zip(sessions, before, strict=True)))
    assert sum(changed) == 300, "each once in five seconds"
    assert max(changed) < 100


def test_a_quiet_stream_says_that_it_is_there_by_an_event(sample, monkeypatch):
    """A comment would reach no page, which after half a minute without an event says that it is cut off."""
    monkeypatch.setattr(events, "HEARTBEAT_S", 1.0)
    with (
        served(sample.store, sample.records, lambda: NOW) as (address, _),
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        client.cookies.set("meterhouse_session", sample.session("Anna"))
        with client.stream("GET", "/events?of=alerts") as answer, suppress(httpx.ReadTimeout):
            lines = answer.iter_lines()
            next_event(lines)
            assert next_event(lines)[1:] == ["event: live", "data: <!-- here -->"]


def test_a_view_keeps_its_sight_with_another_picture(access):
    view = access.view("Lib")
    fresh = access.looked_again(view)
    assert (fresh.sight_id, fresh.person) == (view.sight_id, "Lib")
    assert set(fresh.picture.values) <= set(fresh.catalogue.point)
    assert all(isinstance(one, Latest) for one in fresh.picture.values.values())
