"""From a leak at the edge to a confirmed saving, on real processes: four days, by a clock that is turned."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from rigs.ingest_process import Debian
from rigs.mailboxes import MailServer
from rigs.patience import until
from rigs.photos import PLACE, jpeg
from rigs.servers import need_mosquitto
from rigs.shifted_site import ShiftedSite, ask

from console.guard import csrf_token
from facility.work import AlertState, Cause, Severity, Verdict
from stores.records.orders.orders import Orders
from stores.records.roster.worker import Rank

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST_DAY = datetime(2027, 3, 9, tzinfo=UTC)
BEGUN = FIRST_DAY - 90 * DAY
LEAK_BEGINS = FIRST_DAY - 11 * HOUR
MENDED = FIRST_DAY + 14 * HOUR
LEAK_M3H = 1.2
BUNDLED, ANSWER = timedelta(minutes=3), timedelta(minutes=31)
"""A little longer than letters are gathered, and than somebody has to answer."""


def used(at):
    """A building that rests at noon and by night, and the leak while it runs, in m³ of a quarter of an hour."""
    rests = at.hour < 6 or at.hour == 12 or at.hour >= 20
    by_day = 0.0 if rests else 0.04 + 0.03 * ((at.day * 7 + at.hour * 3 + at.minute) % 5)
    return by_day + (LEAK_M3H / 4 if LEAK_BEGINS <= at < MENDED else 0.0)


def letter_to(site, mail, name):
    """The one letter with an order that reaches somebody, once it is offered to them and letters have been gathered."""
    until(lambda: any(one.assignee == name for one in Orders(site.records).of()), says=lambda: site.log("analytics"))
    site.turn_to(site.now + BUNDLED)

    def theirs():
        texts = [letter.get_content() for to, letter in mail.letters if to == [f"{name}@example.org"]]
        return [text for text in texts if "/orders/" in text]

    [text] = until(theirs, says=lambda: site.log("analytics"))
    return text


@pytest.mark.broker
@pytest.mark.long
def test_four_days_from_a_leak_to_a_saving_that_is_confirmed(tmp_path):
    need_mosquitto()
    with (
        Debian() as broker,
        MailServer() as mail,
        ShiftedSite(tmp_path, broker, mail, FIRST_DAY + 12.2 * HOUR, BEGUN, used) as site,
    ):
        for name, rank in (("ann", Rank.WORKER), ("bea", Rank.WORKER), ("lee", Rank.LEAD)):
            site.person(name, rank)
        site.play(FIRST_DAY + 12 * HOUR)
        site.look_through(FIRST_DAY + 12 * HOUR)
        assert site.case("continuous_flow") is None, "it has not run for a day"
        order = the_alarm_reaches_a_person(site, mail)
        it_goes_on_to_who_takes_it(site, mail, order)
        it_is_mended_and_judged(site, order)
        nobody_is_told_that_it_is_back(site, mail)
        the_saving_is_confirmed(site)


def the_alarm_reaches_a_person(site, mail):
    """The same day, when a day has gone by without a moment's rest."""
    site.stop("analytics")
    site.turn_to(FIRST_DAY + 13.05 * HOUR)
    site.play(FIRST_DAY + 13 * HOUR)
    site.look_through(FIRST_DAY + 13 * HOUR)
    case = until(lambda: site.case("continuous_flow"), says=lambda: site.log("analytics"))
    assert (case.state, case.severity) == (AlertState.OPEN, Severity.ACT)
    letter = letter_to(site, mail, "ann")
    assert "Hall › Water main" in letter
    return re.search(rf"{site.address}/orders/(\d+)", letter)[1]


def it_goes_on_to_who_takes_it(site, mail, order):
    """One refuses, one does not answer, and the lead takes it by the link in the letter."""
    with site.browser("ann") as ann:
        refused = ask(ann, f"/api/orders/{order}/refuse", acts=0, reason="I am at the other site")
    assert refused["assignee"] == ""
    assert f"/orders/{order}" in letter_to(site, mail, "bea")
    site.turn_to(site.now + ANSWER)
    letter = letter_to(site, mail, "lee")
    alert, token = re.search(r"/take\?alert=(\S+)&token=(\S+)", letter).groups()
    with site.browser() as stranger:
        assert stranger.get("/take", params={"alert": alert, "token": token}).status_code == 200
        assert site.case("continuous_flow").state is AlertState.OPEN, "to look changes nothing"
        assert stranger.post("/take", data={"alert": alert, "token": token}).status_code == 200
    assert site.case("continuous_flow").acknowledged_by == "lee"


def it_is_mended_and_judged(site, order):
    """They are there, keep a photo, finish, and say what it came of."""
    with site.browser("lee") as lee:
        until(lambda: lee.get(f"/api/orders/{order}").json()["state"] == "accepted", says=lambda: site.log("analytics"))
        acts = lee.get(f"/api/orders/{order}").json()["acts"]
        acts = ask(lee, f"/api/orders/{order}/arrive", acts=acts)["acts"]
        csrf = csrf_token(lee.cookies["meterhouse_session"])
        kept = lee.post(f"/orders/{order}/files", data={"csrf": csrf}, files={"file": ("valve.jpg", jpeg())})
        photo = lee.get(re.search(rf"/orders/{order}/files/\d+", kept.text)[0])
        assert (photo.headers["content-type"], PLACE in photo.content) == ("image/jpeg", False)
        acts = lee.get(f"/api/orders/{order}").json()["acts"]
        done = ask(lee, f"/api/orders/{order}/finish", acts=acts, parts="a float valve", cost=18.5, signed_by="Lee")
        assert done["state"] == "done"
        steps = [one["what"] for one in lee.get(f"/api/cases/{site.case('continuous_flow').id}/steps").json()]
        assert steps[:2] == ["opened", "acknowledged"]
        case = site.case("continuous_flow")
        said = {"verdict": Verdict.FIXED, "cause": Cause.EQUIPMENT, "note": "The cistern's valve"}
        judged = ask(lee, f"/api/cases/{case.id}/close", acts=case.acts, **said)
        assert judged["state"] == "being_checked"


def nobody_is_told_that_it_is_back(site, mail):
    """For three nights its meter is measured; its detector remembers the leak meanwhile."""
    before = len(mail.letters)
    for day in (1, 2):
        the_next_day(site, day)
        assert site.case("continuous_flow").state is AlertState.BEING_CHECKED
    assert len(mail.letters) == before, [letter["Subject"] for _, letter in mail.letters[before:]]


def the_next_day(site, day):
    site.stop("analytics")
    site.turn_to(FIRST_DAY + day * DAY + 15.2 * HOUR)
    site.play(FIRST_DAY + day * DAY + 15 * HOUR)
    site.look_through(FIRST_DAY + day * DAY + 15 * HOUR)


def the_saving_is_confirmed(site):
    """On its page, and in the figures of whoever leads."""
    the_next_day(site, 3)
    case = site.case("continuous_flow")
    assert (case.state, case.saving.nights, case.saving.unit) == (AlertState.CLOSED, 3, "m3")
    assert case.saving.per_day == pytest.approx(LEAK_M3H * 24, rel=0.02)
    with site.browser("lee") as lee:
        card = lee.get(f"/alerts/{case.id}", headers={"accept-language": "en"}).text
        learned = lee.get("/api/cases/figures").json()
    assert re.search(r"Saving confirmed: 28\.8\sm³ per day", card), re.findall(r"Saving[^<]*", card)
    assert {"name": "continuous_flow", "judged": 1, "real": 1} in learned["by_detector"]
    assert {"name": "equipment", "judged": 1, "real": 1} in learned["by_cause"]
    assert learned["saved"][0]["per_day"] == case.saving.per_day
