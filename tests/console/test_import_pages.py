"""A table is uploaded, previewed, confirmed by somebody else and undone, on pages that speak both languages."""

from datetime import UTC, datetime

import pytest
from rigs.visitor import choose

from console.guard import MOST_BODY_BYTES, csrf_token
from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants
from stores.records.imports.book import Imports
from stores.records.people import People

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRONG = "meter,time,reading\nno-such,2025-01-01,1\n{meter},soon,1\n"
GOOD = "meter,time,reading\n{meter},2024-01-01,{n}\n{meter},2024-02-01,5\n"


@pytest.fixture
def meter():
    return "lib-gas"


def hand_in(client, text, name="reads.csv", **fields):
    token = csrf_token(client.cookies["meterhouse_session"])
    return client.post("/imports", data={"csrf": token, **fields}, files={"table": (name, text.encode())})


def press(client, path, **fields):
    return client.post(path, data={"csrf": csrf_token(client.cookies["meterhouse_session"]), **fields})


def officer(sample, visitor, name):
    visitor.cookies.clear()
    visitor.cookies.set("meterhouse_session", sample.session(name))
    return visitor


def test_a_table_with_faults_names_each_and_nothing_is_on_record(visitor, sample, meter):
    answer = hand_in(visitor, WRONG.format(meter=meter))
    assert answer.status_code == 422
    assert "row 2, column &#39;meter&#39;: no meter has the id" in answer.text
    assert "row 3, column &#39;time&#39;: &#39;soon&#39; is no time" in answer.text
    assert Imports(sample.records).newest() == []
    choose(visitor, "zh-Hans")
    assert "第 3 行“time”列：“soon”不是时间" in hand_in(visitor, WRONG.format(meter=meter)).text
    choose(visitor, "en")


def test_two_people_take_an_import_its_way(visitor, sample, meter):
    first = officer(sample, visitor, "Ada")
    shown = hand_in(first, GOOD.format(meter=meter, n=3)).headers["location"]
    page = first.get(shown).text
    assert "waits for a second person" in page
    if "act-confirm" in page:  # Ada alone may confirm
        officer(sample, visitor, "Bo")
        officer(sample, visitor, "Ada")
        page = first.get(shown).text
    assert "act-confirm" not in page
    assert "Somebody else confirms it" in page
    assert press(first, f"{shown}/confirm").status_code >= 400, "a form that nobody was shown is refused as well"
    second = officer(sample, visitor, "Bo")
    assert "act-confirm" in second.get(shown).text
    press(second, f"{shown}/confirm")
    assert "being stored" in second.get(shown).text
    book, number = Imports(sample.records), int(shown.rpartition("/")[2])
    book.done(number, "", NOW)
    press(second, f"{shown}/undo", reason="the wrong year")
    book.done(number, "", NOW)
    text = second.get(shown).text
    assert "undone" in text
    assert "the wrong year" in text
    assert "reads.csv" in second.get("/imports").text


def test_who_may_only_look_hands_nothing_in(visitor, sample, meter):
    People(sample.records).invite("Viv", NOW)
    Grants(sample.records).give("Viv", Grant(Role.VIEWER), "test", NOW)
    link = People(sample.records).invite("Viv", sample.now)
    visitor.cookies.clear()
    visitor.cookies.set("meterhouse_session", People(sample.records).redeem(link, sample.now, 86_400))
    assert "act-hand-in" not in visitor.get("/imports").text
    assert hand_in(visitor, GOOD.format(meter=meter, n=4)).status_code == 403


def test_a_file_may_be_longer_than_a_form_and_not_for_a_stranger(visitor, meter):
    rows = "".join(f"{meter},2025-01-01 00:00:{i % 60:02},1\n" for i in range(4000))
    assert len(rows) > MOST_BODY_BYTES
    answer = hand_in(visitor, "meter,time,reading\n" + rows)
    assert answer.status_code == 422, "it says the same times again and again"
    assert "and 3,840 more" in answer.text
    visitor.cookies.clear()
    far = visitor.post("/imports", content=b"x" * (2 * MOST_BODY_BYTES))
    assert far.status_code in {303, 401, 413}


def test_an_import_that_is_not_there_is_not_found(visitor):
    assert visitor.get("/imports/999").status_code == 404
    assert visitor.get("/imports/x").status_code == 404
