"""Letters as they arrive: to whom, in which words, how soon, and what their receiver's faults do to them."""

import re
from datetime import UTC, datetime

import pytest
from rigs.letter_desk import CONSOLE, POINT, Office, finding
from rigs.mailboxes import MailServer, WebAddress
from rigs.patience import until

from analytics.letters.courier import UndeliveredError
from analytics.letters.couriers import read_couriers
from facility.levels import Level
from facility.rights import Role
from facility.status import ProcessStatus
from facility.work import Cause, Severity, Verdict
from stores.access.important import READ
from stores.records.accounts.accounts import Accounts
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.audit import Audit
from stores.records.letters.letter import LetterState

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Pigeon:
    """A courier in memory: keeps what it takes, or fails as it is told."""

    takes_address = True

    def __init__(self):
        self.posts, self.failure = [], None

    def deliver(self, post):
        if self.failure is not None:
            raise self.failure
        self.posts.append(post)

    @property
    def subjects(self):
        return [post.subject for post in self.posts]


@pytest.fixture
def pigeon():
    return Pigeon()


@pytest.fixture
def town(records, pigeon):
    made = Office(records, NOW, {"hook": pigeon})
    made.office._stop.set()  # no pause after a failure
    return made


def test_an_urgent_case_is_told_at_once_with_all_that_is_needed(town, pigeon):
    town.person(address="kim@example.org")
    alert = town.find()
    assert town.deliver() == 1
    (post,) = pigeon.posts
    assert post.subject.startswith("URGENT: ")
    assert post.address == "kim@example.org"
    for part in (
        "Main › Plant room › Total",
        "CN¥24",
        "Check first:",
        f"{CONSOLE}/alerts/{alert.id}",
        "— Meterhouse, Campus",
    ):
        assert part in post.body
    assert town.deliver() == 0


def test_a_reader_has_their_own_language(town, pigeon):
    town.people.set_language(town.person("li"), "zh-Hans")
    town.person("kim")
    town.find()
    town.deliver()
    assert {post.subject.partition("：")[0][:4] for post in pigeon.posts} == {"URGE", "【紧急】"}
    assert any("总表" in post.body and "先查" in post.body for post in pigeon.posts)


def test_who_chose_no_language_gets_that_of_the_settings(records, pigeon):
    town = Office(records, NOW, {"hook": pigeon}, language="zh-Hans")
    town.person()
    town.find()
    town.deliver()
    assert pigeon.subjects[0].startswith("【紧急】")


@pytest.mark.parametrize(
    "grant",
    [
        Grant(Role.FACILITIES, RolePart.BUILDING, "annex"),
        Grant(Role.FACILITIES, RolePart.DEPARTMENT, "library"),
        Grant(Role.FACILITIES, level=Level.PUBLIC),
        Grant(Role.SECURITY_ADMINISTRATOR),
        Grant(Role.SYSTEM_ADMINISTRATOR),
    ],
)
def test_who_may_not_see_a_case_is_told_nothing_of_it(town, pigeon, grant):
    town.person(grant=grant)
    town.find()
    assert town.deliver() == 0
    assert town.letters.all_of() == []


def test_what_is_important_is_on_record_before_it_leaves(records, pigeon):
    town = Office(records, NOW, {"hook": pigeon}, important=True)
    town.person()
    town.find()
    town.deliver()
    (read,) = [one for one in Audit(records).entries() if one.what == READ]
    assert (read.who, read.subject, read.detail) == ("kim", "main", f"letter {pigeon.posts[0].id}: {POINT}")


def test_who_lost_a_role_before_the_letter_left_is_told_nothing(town, pigeon):
    town.person()
    town.find(Severity.ACT)
    town.deliver()
    (grant,) = Grants(town.records).of("kim", town.clock())
    Grants(town.records).take("kim", grant.id, "test", town.clock())
    town.clock.pass_by(minutes=3)
    assert town.deliver() == 1
    assert pigeon.posts == []
    assert [one.state for one in town.letters.all_of()] == [LetterState.DROPPED]


def test_who_has_left_is_told_nothing(town, pigeon):
    town.person()
    town.find(Severity.ACT)
    town.deliver()
    Accounts(town.records).close("kim", "test", town.clock())
    town.clock.pass_by(minutes=3)
    town.deliver()
    assert pigeon.posts == []


def test_what_is_soon_is_bundled_and_waste_waits_for_the_morning(town, pigeon):
    town.person()
    for n in range(3):
        town.find(Severity.ACT, f"detector_{n}")
        town.find(Severity.WATCH, f"waste_{n}")
    town.deliver()
    assert pigeon.posts == []
    town.clock.pass_by(minutes=2)
    town.deliver()
    assert pigeon.subjects[0].startswith("3 alerts, first: ")
    town.clock.pass_by(hours=14)  # to half past seven in Shanghai
    town.deliver()
    assert len(pigeon.posts) == 1
    town.clock.pass_by(minutes=30)
    town.deliver()
    assert pigeon.subjects[1:] == ["Today's digest: 3 alerts"]


def test_quiet_hours_hold_back_what_is_not_urgent(town, pigeon):
    town.person(quiet="17:00-07:00")  # it is half past five in Shanghai
    town.find(Severity.ACT, "door_left_open")
    town.find(Severity.URGENT)
    town.clock.pass_by(minutes=5)
    town.deliver()
    assert [subject[:6] for subject in pigeon.subjects] == ["URGENT"]
    town.clock.pass_by(hours=13, minutes=26)
    town.deliver()
    assert len(pigeon.posts) == 2


def test_what_was_settled_before_the_letter_left_is_left_out(town, pigeon):
    town.person()
    settled, _ = town.find(Severity.ACT, "door_left_open"), town.find(Severity.ACT, "night_waste")
    town.deliver()
    town.casebook.close(settled.id, Verdict.FIXED, Cause.EQUIPMENT, "", "jo", town.clock(), based_on=0)
    town.clock.pass_by(minutes=2)
    town.deliver()
    assert "alerts, first" not in pigeon.subjects[0]


def test_who_took_a_case_themselves_is_not_told_of_it_and_others_are_told_who_has_it(town, pigeon):
    town.person("kim")
    town.person("li")
    alert = town.find(Severity.ACT)
    town.deliver()
    town.casebook.acknowledge(alert.id, "kim", town.clock(), based_on=0)
    town.clock.pass_by(minutes=2)
    town.deliver()
    (post,) = pigeon.posts
    assert "kim has it" in post.body


def test_many_cases_are_counted_and_not_all_told(town, pigeon):
    town.person()
    found = [(finding(NOW, Severity.URGENT, f"detector_{n}"), None) for n in range(400)]
    town.casebook.record_all(found, notify=True)
    town.deliver()
    assert pigeon.subjects[0].startswith("URGENT: 400 alerts")
    assert "… and 395 more." in pigeon.posts[0].body
    assert len(pigeon.posts[0].body) < 5000


def test_a_link_that_takes_a_case_goes_to_an_address_of_ones_own_alone(town, pigeon):
    town.person("kim", address="kim@example.org")
    town.person("group")
    town.person("viewer", Grant(Role.VIEWER), address="v@example.org")
    town.find()
    town.deliver()
    takes = {post.address: "/take?" in post.body for post in pigeon.posts}
    assert takes == {"kim@example.org": True, "": False, "v@example.org": False}


def test_a_letter_that_may_have_arrived_says_so_and_one_that_was_refused_does_not(town, pigeon):
    town.person()
    town.find()
    for may_have, said in ((False, False), (True, True)):
        pigeon.failure = UndeliveredError("no answer", may_have_arrived=may_have)
        town.deliver()
        pigeon.failure = None
        town.clock.pass_by(minutes=1)
        town.deliver()
        assert ("Sent again" in pigeon.posts[-1].body) is said
        town.clock.pass_by(minutes=30)
        town.find(detector=f"after_{may_have}")
    assert len({post.id for post in pigeon.posts}) == 2


def test_a_day_without_the_courier_loses_nothing_and_is_an_alarm_meanwhile(town, pigeon):
    town.person()
    pigeon.failure = UndeliveredError("cannot be reached", may_have_arrived=False)
    for hour in range(0, 24, 6):
        town.find(detector=f"hour_{hour}")
        town.deliver()
        town.clock.pass_by(hours=6)
    status = town.office.beside(ProcessStatus)()
    assert status.alarms["letters_fail"].startswith("hook: cannot be reached")
    assert status.figures["letters_held_up"] >= 1
    assert status.facts["courier hook"] != "well"
    pigeon.failure = None
    town.clock.pass_by(hours=1)
    town.deliver()
    named = set()
    for post in pigeon.posts:
        named |= set(re.findall(r"alerts/([0-9a-f-]{36})", post.body))
    more = sum(int(n) for post in pigeon.posts for n in re.findall(r"and (\d+) more", post.body))
    assert len(named) + more == 4
    town.office.write()
    assert town.office.beside(ProcessStatus)().alarms == {}


def test_a_letter_that_was_given_up_is_an_alarm_until_somebody_sees_to_it(town, pigeon):
    town.person()
    town.find()
    pigeon.failure = UndeliveredError("the mail server refused the address with 550", may_have_arrived=False)
    for _ in range(8):
        town.deliver()
        town.clock.pass_by(hours=7)
    town.office.write()
    assert "1 given up" in town.office.beside(ProcessStatus)().alarms["letters_fail"]


def test_without_a_courier_nothing_is_written_and_nothing_said(records):
    town = Office(records, NOW, {})
    with town.office:
        town.find()
    assert town.office.beside(lambda: ProcessStatus(figures={"a": 1.0}))() == ProcessStatus(figures={"a": 1.0})
    assert town.letters.all_of() == []


def test_one_courier_that_hangs_holds_up_no_other(records):
    with MailServer() as mail, WebAddress() as hook:
        hook.fault = "hang"
        town = Office(records, datetime.now(UTC), read_couriers(f"hook={hook.url} mail={mail.url}"))
        town.person("kim", courier="hook")
        town.person("li", courier="mail", address="li@example.org")
        with town.office:
            town.find()
            until(lambda: mail.letters, says=town.letters.all_of)
            assert until(lambda: hook.heard)
        (to, letter), *_ = mail.letters
        assert to == ["li@example.org"]
        assert letter["Subject"].startswith("URGENT: ")


def test_the_gateway_of_a_storm_sends_three_letters_at_most(town, pigeon):
    town.person()
    for n in range(8):
        town.find(detector=f"detector_{n}")
        town.deliver()
        town.clock.pass_by(seconds=15)
    town.clock.pass_by(minutes=2)
    town.deliver()
    assert len(pigeon.posts) <= 3
