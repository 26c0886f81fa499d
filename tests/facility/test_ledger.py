"""What hung where: swaps, corrections from a date, and what a site.yaml may not say of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rigs.estate import PROFILES, SITE

from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.ledger.faults import check_history
from facility.ledger.installation import BEGINNING, Installation, amended, history_of, present_facts, swapped
from facility.ledger.ratio import corrected
from facility.model import Meter, Name

MAIN = Meter("m", Name("m"), "b", "p", "a", "bus", "1", serial="A1", ct_ratio=40, digits=6)
FIRST = history_of(MAIN, ())
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
SWAP = Installation("m", MARCH, "B2", 7, ct_ratio=60, opening=0.4, closing=84_211.7, reason="worn", by="li")

INSTALLATIONS = """\
    role: head
    installations:
      - {since: 2019-05-02, serial: A1, digits: 6, ct_ratio: 40, reason: first, by: wang}
      - {since: 2026-09-14 10:30, serial: B2, digits: 6, ct_ratio: 60, closing: 84211.7, opening: 0.4,
         photo: photos/b2.jpg, reason: worn out, by: li}
"""


def load(installations=INSTALLATIONS):
    return load_site(SITE.replace("    role: head\n", installations), "site.yaml", PROFILES)


def problem(text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    return str(caught.value)


def test_a_meter_without_a_ledger_has_always_hung_there():
    said = {"reason": "there before the ledger began", "by": "meterhouse"}
    assert (Installation("m", BEGINNING, "A1", 6, ct_ratio=40, **said),) == FIRST
    assert FIRST[0].span == 1_000_000


def test_a_swap_goes_on_where_the_old_device_ended():
    history = swapped(FIRST, SWAP)
    assert history == (*FIRST, SWAP)
    assert present_facts(MAIN, history).serial == "B2"
    assert present_facts(MAIN, history).ct_ratio == 60


def test_a_swap_before_the_install_and_one_of_the_same_serial_are_refused():
    history = swapped(FIRST, SWAP)
    with pytest.raises(ConfigError, match="swap on 2026-01-31 00:00 UTC lies before the present device was installed"):
        swapped(history, Installation("m", MARCH - timedelta(days=29), "C3"))
    with pytest.raises(ConfigError, match="serial B2 already hangs there"):
        swapped(history, Installation("m", MARCH + timedelta(days=1), "B2"))


def test_a_ratio_is_corrected_from_a_date_and_the_agent_learns_it_later():
    facts = Installation("m", MARCH, ct_ratio=60, reason="type plate", by="li")
    april = MARCH + timedelta(days=31)
    first, wrong, right = corrected(FIRST, MARCH, april, facts)
    assert first == FIRST[0]
    assert (wrong.since, wrong.ct_ratio, wrong.told_ct_ratio, wrong.continues) == (MARCH, 60, 40, True)
    assert (right.since, right.ct_ratio, right.told_ct_ratio, right.continues) == (april, 60, None, True)
    assert present_facts(MAIN, (first, wrong, right)).ct_ratio == 60


def test_a_second_correction_of_a_ratio_reaches_to_the_next_real_change():
    april, may = MARCH + timedelta(days=31), MARCH + timedelta(days=61)
    once = corrected(FIRST, MARCH, april, Installation("m", MARCH, ct_ratio=60, reason="type plate", by="li"))
    twice = corrected(once, MARCH, may, Installation("m", MARCH, ct_ratio=50, reason="read again", by="wang"))
    assert [(one.since, one.ct_ratio, one.told_ct_ratio) for one in twice] == [
        (BEGINNING, 40, None),
        (MARCH, 50, 40),
        (april, 50, 60),
        (may, 50, None),
    ]
    february = MARCH - timedelta(days=28)
    earlier = corrected(twice, february, None, Installation("m", february, ct_ratio=45, reason="r", by="li"))
    assert [one.ct_ratio for one in earlier] == [40, 45, 50, 50, 50]  # in March the transformer was another


def test_an_agent_that_knew_a_ratio_before_it_was_true_and_one_that_learns_it_later():
    february = MARCH - timedelta(days=28)
    facts = Installation("m", MARCH, ct_ratio=60, reason="r", by="li")
    early = corrected(FIRST, MARCH, february, facts)
    assert [(one.ct_ratio, one.told_ct_ratio) for one in early] == [(40, None), (40, 60), (60, None)]
    never = corrected(FIRST, MARCH, None, facts)
    assert [(one.ct_ratio, one.told_ct_ratio) for one in never] == [(40, None), (60, 40)]
    assert (
        corrected(never, MARCH, MARCH + timedelta(days=1), facts)[1:]
        == corrected(FIRST, MARCH, MARCH + timedelta(days=1), facts)[1:]
    )


def test_a_correction_stays_within_the_device_it_is_about():
    history = swapped(FIRST, SWAP)
    facts = Installation("m", BEGINNING, ct_ratio=50, reason="r", by="li")
    right, later = corrected(history, BEGINNING, MARCH + timedelta(days=5), facts)
    assert (right.ct_ratio, right.told_ct_ratio, right.serial) == (50, 40, "A1")
    assert later == SWAP
    with pytest.raises(ConfigError, match="nothing hung there"):
        corrected((SWAP,), BEGINNING, MARCH, facts)


def test_an_amended_read_leaves_the_reason_and_the_person_of_its_entry():
    amended_swap = amended(swapped(FIRST, SWAP), MARCH, {"closing": 84_300.0})[1]
    assert amended_swap == replace(SWAP, closing=84_300.0)
    facts = Installation("m", MARCH, ct_ratio=80, reason="type plate", by="wang")
    corrected_swap = corrected(swapped(FIRST, SWAP), MARCH, None, facts)[1]
    assert (corrected_swap.ct_ratio, corrected_swap.reason, corrected_swap.by) == (80, "worn", "li")


def test_an_amended_fact_is_that_of_the_device_whatever_its_ratio_was_meanwhile():
    april = MARCH + timedelta(days=31)
    swap = swapped(FIRST, SWAP)
    history = corrected(swap, april, None, Installation("m", april, ct_ratio=80, reason="r", by="li"))
    first, installed, later = amended(history, april, {"digits": 5, "opening": 0.5})
    assert first == FIRST[0]
    assert (installed.digits, installed.opening) == (5, 0.5)
    assert (later.digits, later.opening) == (5, None)


@pytest.mark.parametrize(
    ("entry", "facts", "words"),
    [
        (1, {"opening": 1e8}, "opening read 1e+08 is more than the register holds"),
        (1, {"closing": 1e6}, "closing read 1e+06 is more than the old register holds"),
        (1, {"serial": "A1"}, "serial 'A1' hung there before (allowed: 'continues: true' for a new ratio)"),
        (1, {"rolls_over_at": 65536.0}, "'digits' and 'rolls_over_at' say the same thing (allowed: one of them)"),
        (0, {"closing": 4.0}, "the first installation closes nothing"),
    ],
)
def test_a_history_is_held_to_what_a_site_yaml_is_held_to(entry, facts, words):
    history = list(swapped(FIRST, SWAP))
    check_history(tuple(history))
    history[entry] = replace(history[entry], **facts)
    with pytest.raises(ConfigError) as caught:
        check_history(tuple(history))
    assert str(caught.value).startswith("m, entry from ")
    assert words in str(caught.value)


def test_installations_are_read_in_local_time_and_give_the_meter_its_facts():
    estate = load()
    first, second = estate.installations
    assert first.since == datetime(2019, 5, 1, 23, tzinfo=UTC)
    assert second.since == datetime(2026, 9, 14, 9, 30, tzinfo=UTC)
    assert (second.opening, second.closing, second.reason) == (0.4, 84_211.7, "worn out")
    assert estate.meter["hall-main"].serial == "B2"
    assert estate.meter["hall-main"].ct_ratio == 60


def test_an_export_with_a_ledger_loads_as_the_same_estate():
    assert load_site(dump_site(load()), "site.yaml", PROFILES) == load()


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("ct_ratio: 40", "ct_ratio: -40", 41, ["ct_ratio is '-40'", "more than 0"]),
        ("2026-09-14 10:30", "2018-09-14 10:30", 42, ["swap on 2018-09-14", "before the install of 2019-05-01"]),
        ("2026-09-14 10:30", "2026-03-29 01:30", 42, ["01:30 does not exist", "2026-03-29 00:59 or 2026-03-29 02:00"]),
        ("2019-05-02", "0001-01-01T00:00+08:00", 41, ["lies outside all time"]),
        ("serial: B2", "serial: A1", 42, ["serial 'A1' hung there before", "continues"]),
        ("closing: 84211.7", "closing: 1084211.7", 42, ["closing read 1.08421e+06 is more than the old register"]),
        ("opening: 0.4", "opening: 2000000", 42, ["opening read 2e+06 is more than the register holds"]),
        ("A1, digits: 6", "A1, digits: 6, closing: 4", 41, ["first installation closes nothing"]),
        ("A1, digits: 6", "A1, digits: 6, rolls_over_at: 65536", 41, ["'digits' and 'rolls_over_at'", "one of them"]),
        (", reason: first", "", 41, ["'reason' is missing in meters.0.installations.0"]),
        (", by: wang", ", by: ' '", 41, ["by is ' '", "not empty"]),
        ("role: head\n", "role: head\n    serial: A1\n", 40, ["'serial' stands beside 'installations'"]),
    ],
)
def test_a_ledger_that_cannot_be_is_told_with_its_line(before, after, line, words):
    assert before in INSTALLATIONS
    text = problem(INSTALLATIONS.replace(before, after, 1))
    assert f"site.yaml:{line}: " in text
    assert all(word in text for word in words), text
