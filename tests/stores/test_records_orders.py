"""Work orders on either database: acts rest on what was seen, one of two wins, and names go in time."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from rigs.at_once import at_once
from rigs.photos import jpeg

from facility.errors import Denied, Rejected
from facility.levels import Level
from facility.order import OrderPlace, OrderState, OrderWish, Skill, Work
from facility.work import Severity
from reports.order_table import order_csv, read_news
from stores.access.exports import Taken
from stores.records.audit import Audit
from stores.records.columns import METADATA
from stores.records.orders.order_files import OrderFiles
from stores.records.orders.order_news import bring_in
from stores.records.orders.orders import KEPT_FOR, Orders
from stores.records.orders.report_places import MOST_AN_HOUR, ReportPlaces
from stores.records.people import People
from stores.records.stale import Stale

PLACE = OrderPlace("main", "hall")
WISH = OrderWish(PLACE, Skill.GENERAL, Severity.ACT, "=HYPERLINK(1)", "<script>alert(1)</script>", "Kim, room 4")


@pytest.fixture
def orders(engine, now):
    for name in ("kim", "lee"):
        People(engine).invite(name, now)
    return Orders(engine)


def done(orders, now, by="kim"):
    one = orders.make(WISH, "boss", now)
    orders.accept(one.id, by, now, based_on=0)
    orders.arrive(one.id, by, now, based_on=1)
    return orders.finish(one.id, Work("washer", 4.5, "Lee", (0, 2)), by, now, based_on=2)


def test_an_order_goes_its_way(orders, engine, now):
    one = done(orders, now)
    assert (one.state, one.work, one.arrived_at) == (OrderState.DONE, Work("washer", 4.5, "Lee", (0, 2)), now)
    rated = orders.rate(one.id, 5, "quick", "boss", now)
    assert rated.rating == 5
    assert [step.what for step in orders.story(one.id)] == ["made", "accepted", "on_site", "done", "rated"]
    said = {entry.what for entry in Audit(engine).entries()}
    assert {"order.made", "order.accepted", "order.on_site", "order.done", "order.rated"} <= said
    with pytest.raises(Rejected, match="rated once"):
        orders.rate(one.id, 1, "", "boss", now)


def test_of_two_who_take_it_at_once_one_wins_and_the_other_hears_who(records_url, orders, now):
    one = orders.make(WISH, "boss", now)
    names = ("kim", "lee")
    got = at_once(
        records_url, 2, lambda records, who: Orders(records).accept(one.id, names[who], now, based_on=one.acts)
    )
    (lost,) = [error for error in got if isinstance(error, Stale)]
    (won,) = [order for order in got if not isinstance(order, Exception)]
    assert won.assignee in names
    assert f"{won.assignee}, " in f"{lost.args[0]}"
    assert orders.one(one.id).assignee == won.assignee


def test_only_who_has_it_refuses_it_and_what_is_over_is_over(orders, now):
    one = orders.make(WISH, "boss", now)
    orders.accept(one.id, "kim", now, based_on=0)
    with pytest.raises(Denied, match="is kim's"):
        orders.refuse(one.id, "x", "lee", now, based_on=1)
    off = orders.call_off(one.id, "not needed", "boss", now, based_on=1)
    with pytest.raises(Rejected, match="is called_off by kim, not"):
        orders.accept(one.id, "lee", now, based_on=off.acts)
    with pytest.raises(Rejected, match="there is no work order 99"):
        orders.accept(99, "lee", now, based_on=0)
    with pytest.raises(Rejected, match="there is no account of nobody"):
        orders.give(orders.make(WISH, "boss", now).id, "nobody", "boss", now, based_on=0)


def test_names_and_photos_are_erased_in_time_and_the_figures_stay(orders, engine, now):
    files = OrderFiles(engine)
    one = done(orders, now)
    photo = files.add(one.id, "kim-at-work.jpg", jpeg(), "kim", now)
    assert len(files.of(one.id)) == 1
    later = now + KEPT_FOR + timedelta(days=1)
    assert orders.erase(later - KEPT_FOR, later) == 1
    assert orders.erase(later - KEPT_FOR, later) == 0
    assert (files.of(one.id), files.content(one.id, photo)) == ([], None)
    kept = orders.one(one.id)
    assert (kept.work.cost, kept.erased_at, kept.assignee, kept.wish.requested_by) == (4.5, later, "", "")
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            if table.name in {"work_order", "order_step", "order_offer", "order_file"}:
                said = "".join(repr(row) for row in connection.execute(sa.select(table)))
                assert not [name for name in ("kim", "Kim", "Lee", "boss") if name in said], table


def test_files_are_bounded_in_number_and_belong_to_their_order(orders, engine, now):
    files = OrderFiles(engine)
    one, other = orders.make(WISH, "boss", now), orders.make(WISH, "boss", now)
    for n in range(12):
        photo = files.add(one.id, f"{n}.jpg", jpeg(), "kim", now)
    with pytest.raises(Rejected, match="12 files at most"):
        files.add(one.id, "x.jpg", jpeg(), "kim", now)
    assert files.content(other.id, photo) is None


def test_a_link_reports_at_its_place_alone_and_not_too_often(orders, engine, now):
    places = ReportPlaces(engine)
    secret = places.make(PLACE, "boss", now)
    assert places.place(secret) == PLACE
    for _ in range(MOST_AN_HOUR):
        order, rating = orders.report(WISH, now)
    with pytest.raises(Rejected, match="within the hour"):
        orders.report(WISH, now)
    assert not orders.rate_by_link(rating, 4, "", now)
    assert not orders.rate_by_link("guessed", 4, "", now)
    orders.give(order.id, "kim", "boss", now, based_on=0)
    orders.finish(order.id, Work(), "kim", now, based_on=1)
    assert orders.rate_by_link(rating, 4, "", now)
    assert not orders.rate_by_link(rating, 1, "", now)
    assert orders.one(order.id).rating == 4
    assert places.end(PLACE, "boss", now) == 1
    for gone in (secret, "x", ""):
        with pytest.raises(Denied):
            places.place(gone)


def test_a_table_goes_out_and_news_comes_back(orders, now):
    one, two = orders.make(WISH, "boss", now), orders.make(WISH, "boss", now)
    text = order_csv(orders.of(), Taken("a1", Level.INTERNAL))
    assert all(line.endswith(",internal,a1") for line in text.splitlines()[1:])
    assert "'=HYPERLINK(1)" in text
    news = f"id,state,assignee,parts,cost\r\n{one.id},done,lee,valve,12.5\r\n{two.id},waiting,,,\r\n".encode()
    assert bring_in(orders, read_news(news, "cmms.csv"), "cmms", now) == 1
    assert bring_in(orders, read_news(news, "cmms.csv"), "cmms", now) == 0
    assert (orders.one(one.id).state, orders.one(one.id).work.cost) == (OrderState.DONE, 12.5)
    assert orders.one(two.id).state is OrderState.WAITING
    with pytest.raises(Rejected, match="is done and cannot become on_site"):
        bring_in(orders, read_news(f"id,state\n{one.id},on_site\n".encode(), "cmms.csv"), "cmms", now)
