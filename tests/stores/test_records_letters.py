"""Letters are written once for each step of a case, however often it is read, and leave when their time has come."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from rigs.letter_desk import finding

from facility.errors import Rejected
from facility.work import Cause, Severity, Verdict
from stores.records.accounts.accounts import Accounts
from stores.records.casebook import Casebook
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact, Haste, LetterState
from stores.records.letters.letters import Letters
from stores.records.letters.putting import Desk
from stores.records.letters.rules import after_quiet, leaves_at, next_local, quiet_hours, tried_again_at
from stores.records.people import People

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def letters(engine):
    return Letters(engine)


@pytest.fixture
def desk(engine, now, letters):
    People(engine).invite("kim", now)
    Contacts(engine).add(Contact("kim", "mail", "kim@example.org"), "test", now)
    made = Desk(Contacts(engine).all_of(), lambda *_: True, lambda _meter: "edge-1", ZONE, time(8, 0))
    letters.write(now, made)
    return made


def found(casebook, now, meter="total", severity=Severity.URGENT, **changes):
    return casebook.record(finding(now, severity, meter=meter, **changes), money=None, notify=True)


def waiting(letters):
    return letters.all_of([LetterState.WAITING])


def test_what_happened_before_anybody_was_reached_is_told_to_nobody(casebook, letters, engine, now):
    found(casebook, now)
    People(engine).invite("kim", now)
    Contacts(engine).add(Contact("kim", "mail"), "test", now)
    desk = Desk(Contacts(engine).all_of(), lambda *_: True, lambda _meter: "", ZONE, time(8, 0))
    assert letters.write(now, desk) == 0
    assert waiting(letters) == []
    found(casebook, now, meter="door")
    assert letters.write(now, desk) == 1
    assert len(waiting(letters)) == 1


def test_a_case_that_is_found_again_and_again_is_told_once(casebook, letters, desk, now):
    for minute in range(5):
        found(casebook, now + minute * MINUTE)
        letters.write(now + minute * MINUTE, desk)
    assert len(waiting(letters)) == 1


def test_the_same_step_makes_the_same_letter_in_other_records(casebook, letters, desk, now):
    alert = found(casebook, now)
    letters.write(now, desk)
    (letter,) = waiting(letters)
    assert str(letter.id) == "29e20723-58f7-59b1-851d-f92f5f2eae0f"
    assert [one.id for one in letters.alerts_of(letter.id)] == [alert.id]


def test_no_letter_is_written_where_its_mark_is_not_moved(casebook, letters, desk, now, monkeypatch):
    found(casebook, now)
    broken = replace(desk, agent_of=lambda _meter: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        letters.write(now, broken)
    assert letters.has_news()
    letters.write(now, desk)
    assert len(waiting(letters)) == 1


def test_history_that_is_stepped_through_is_told_to_nobody(casebook, letters, desk, now):
    casebook.record(finding(now), money=None, notify=False)
    assert letters.write(now, desk) == 1
    assert waiting(letters) == []


def test_what_is_long_ago_comes_with_the_digest(casebook, letters, desk, now):
    found(casebook, now)
    letters.write(now + timedelta(hours=25), desk)
    assert [one.haste for one in waiting(letters)] == [Haste.DAILY]


def test_a_case_that_gets_worse_is_told_again_but_not_each_time_it_goes_up_and_down(casebook, letters, desk, now):
    steps = [Severity.ACT, Severity.URGENT, Severity.ACT, Severity.URGENT]
    for minute, severity in enumerate(steps):
        alert = found(casebook, now + minute * MINUTE, severity=severity)
    letters.write(now + timedelta(minutes=9), desk)
    assert [step.what for step in casebook.timeline(alert.id)] == ["opened", "rose"]
    found(casebook, now + timedelta(minutes=10), severity=Severity.URGENT)
    assert not letters.has_news()


def test_what_a_person_closed_before_it_was_read_is_told_to_nobody(casebook, letters, desk, now):
    alert = found(casebook, now)
    casebook.close(alert.id, Verdict.FALSE_ALARM, Cause.EQUIPMENT, "", "kim", now, based_on=0)
    letters.write(now, desk)
    assert waiting(letters) == []


def test_a_storm_of_one_agent_is_at_most_three_letters(casebook, letters, desk, now):
    casebook.record_all([(finding(now, meter=f"m{n}"), None) for n in range(600)], notify=True)
    clock, sent = now, []
    for _ in range(24):  # four minutes of it
        while letters.write(clock, desk):
            pass
        while letter := letters.claim("mail", clock):
            sent.append(len(letters.alerts_of(letter.id)))
            letters.end(letter.id, LetterState.SENT, clock)
        clock += timedelta(seconds=10)
    assert len(sent) <= 3
    assert sum(sent) == 600


def test_a_letter_is_under_way_once(casebook, letters, desk, now):
    found(casebook, now)
    letters.write(now, desk)
    letter = letters.claim("mail", now)
    assert (letter.attempts, letter.may_have_arrived) == (1, False)
    assert letters.claim("mail", now) is None
    assert letters.claim("mail", now + timedelta(seconds=59)) is None


def test_a_letter_whose_sender_died_comes_again_and_says_so(casebook, letters, desk, now):
    found(casebook, now)
    letters.write(now, desk)
    first = letters.claim("mail", now)
    again = letters.claim("mail", now + timedelta(seconds=61))
    assert again.id == first.id
    assert (again.attempts, again.may_have_arrived) == (2, True)


def test_a_letter_that_does_not_leave_is_tried_for_two_days_and_then_once_more_by_hand(casebook, letters, desk, now):
    found(casebook, now)
    letters.write(now, desk)
    clock, attempts = now, 0
    while letter := letters.claim("mail", clock):
        attempts += 1
        letters.put_off(letter, clock, "no answer", may_have_arrived=False)
        clock = max((one.due_at for one in waiting(letters)), default=clock)
    assert 150 < attempts < 250
    (given_up,) = letters.all_of([LetterState.GIVEN_UP])
    assert letters.counts()["mail"].given_up == 1
    letters.again(given_up.id, clock, "Ada")
    assert letters.claim("mail", clock).id == given_up.id
    with pytest.raises(Rejected, match="there is no letter"):
        letters.again(given_up.id, clock, "Ada")


def test_letters_that_are_done_with_are_forgotten_and_their_cases_stay(casebook, letters, desk, now):
    alert = found(casebook, now)
    letters.write(now, desk)
    letters.end(letters.claim("mail", now).id, LetterState.SENT, now)
    letters.forget(now + timedelta(days=1))
    assert letters.all_of() == []
    assert casebook.alert(alert.id) is not None


def test_contacts_are_of_people_who_are_there(engine, now):
    contacts, people = Contacts(engine), People(engine)
    with pytest.raises(Rejected, match="nobody"):
        contacts.add(Contact("nobody", "mail"), "test", now)
    people.invite("kim", now)
    for wrong in ("kim <kim@example.org>", "a@b, c@d", "a\nb", "x" * 300):
        with pytest.raises(Rejected, match="no address"):
            contacts.add(Contact("kim", "mail", wrong), "test", now)
    with pytest.raises(Rejected, match="no quiet hours"):
        contacts.add(Contact("kim", "mail", "", "22-7"), "test", now)
    for n in range(10):
        contacts.add(Contact("kim", "mail", f"kim{n}@example.org"), "test", now)
    contacts.add(Contact("kim", "mail", "kim0@example.org", "22:00-07:00"), "test", now)
    assert contacts.all_of()[0].quiet == "22:00-07:00"
    with pytest.raises(Rejected, match="10 ways already"):
        contacts.add(Contact("kim", "mail", "more@example.org"), "test", now)
    Accounts(engine).close("kim", "test", now)
    assert contacts.all_of() == []


def local(hour, minute=0, day=23):
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "leaves"),
    [(local(21, 59), local(21, 59)), (local(22), local(7, day=24)), (local(3), local(7)), (local(7), local(7))],
)
def test_what_is_not_urgent_waits_for_the_end_of_quiet_hours(at, leaves):
    assert after_quiet(at, quiet_hours("22:00-07:00"), ZONE) == leaves


def test_each_haste_has_its_time():
    at, quiet = local(23), quiet_hours("22:00-07:00")

    def leaves(haste, earlier=(), now=at):
        return leaves_at(haste, now, earlier, quiet=quiet, zone=ZONE, daily_at=time(8, 0))

    assert leaves(Haste.URGENT) == at
    assert leaves(Haste.URGENT, [at - MINUTE]) == at + MINUTE
    assert leaves(Haste.URGENT, [at - 2 * MINUTE, at]) == at + 10 * MINUTE
    assert leaves(Haste.SOON) == local(7, day=24)
    assert leaves(Haste.SOON, now=local(9)) == local(9, 2)
    assert leaves(Haste.DAILY) == local(8, day=24)


def test_a_digest_keeps_its_local_time_where_clocks_change():
    london = ZoneInfo("Europe/London")
    before = datetime(2026, 10, 24, 8, 0, tzinfo=london).astimezone(UTC)
    assert next_local(before, time(8, 0), london) - before == timedelta(hours=25)


def test_a_letter_is_tried_later_and_later_but_within_a_quarter_hour(now):
    waits = [(tried_again_at(now, attempts) - now).total_seconds() for attempts in (1, 2, 3, 50)]
    assert waits == [10, 20, 40, 900]
