"""What a person notes in a ledger: facts that are not said stay, and what cannot be names its field."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.one_meter import SWAPPED_AT, at, estate

from facility.errors import ConfigError
from facility.ledger.changes import (
    DeviceSwap,
    EntryRemoval,
    LedgerCorrection,
    ledgers_of,
    note_correction,
    note_removal,
    note_swap,
)

NOW = at("2026-11-20T00:00")
SWAP = DeviceSwap("main", at(SWAPPED_AT), "display failed", "wang", "B2", closing=580.625, opening=2)
PLATE = LedgerCorrection("main", at("2026-09-21T00:00"), "type plate read", "li", ct_ratio=60, agent_from="never")


def fields_refused(note, noted, held=None):
    with pytest.raises(ConfigError) as caught:
        note(held or estate(), noted, NOW)
    return {problem.where for problem in caught.value.problems}


def test_a_swap_keeps_what_is_not_said_and_hangs_from_its_instant_on():
    change = note_swap(estate(("serial: A1,", "serial: A1, digits: 5,")), replace(SWAP, reason=" display failed "), NOW)
    new = change.history[-1]
    assert (new.since, new.serial, new.digits, new.ct_ratio, new.pt_ratio) == (SWAP.at, "B2", 5, 40, 1)
    assert (new.closing, new.opening, new.reason, new.by) == (580.625, 2, "display failed", "wang")
    assert change.agent_from is None
    rolls = note_swap(estate(("serial: A1,", "serial: A1, digits: 5,")), replace(SWAP, rolls_over_at=65536), NOW)
    assert (rolls.history[-1].digits, rolls.history[-1].rolls_over_at) == (None, 65536)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"meter": "nobody"}, "meter"),
        ({"at": NOW + timedelta(minutes=1)}, "at"),
        ({"ct_ratio": -40}, "ct_ratio"),
        ({"pt_ratio": float("nan")}, "pt_ratio"),
        ({"closing": float("inf")}, "closing"),
        ({"opening": -1}, "opening"),
        ({"rolls_over_at": float("inf")}, "rolls_over_at"),
        ({"digits": 2}, "digits"),
        ({"ct_ratio": 60}, "agent_from"),
    ],
)
def test_a_swap_that_cannot_be_names_its_field(wrong, field):
    assert fields_refused(note_swap, replace(SWAP, **wrong)) == {field}


def test_everything_impossible_is_told_at_once():
    wrong = replace(SWAP, digits=2, closing=float("nan"), ct_ratio=0)
    assert fields_refused(note_swap, wrong) == {"digits", "closing", "ct_ratio"}


def test_what_lies_ahead_is_told_in_local_time_with_what_is_allowed():
    with pytest.raises(ConfigError, match=r"at: 2999-01-01 08:00 lies in the future \(allowed: up to now, 2026-11-20"):
        note_swap(estate(), replace(SWAP, at=at("2999-01-01T08:00")), NOW)
    assert fields_refused(note_correction, replace(PLATE, since=NOW + timedelta(days=1))) == {"since"}


def test_a_ratio_needs_a_word_on_when_the_agent_knows_it():
    with pytest.raises(ConfigError, match="agent edge-1 multiplies by CT 40, PT 1 until it is restarted"):
        note_correction(estate(), replace(PLATE, agent_from=None), NOW)
    never = note_correction(estate(), PLATE, NOW)
    assert never.agent_from is None
    assert [(one.ct_ratio, one.told_ct_ratio) for one in never.history] == [(40, None), (60, 40)]
    planned = note_correction(estate(), replace(PLATE, agent_from=at("2999-01-01T08:00")), NOW)
    assert planned.agent_from == at("2999-01-01T08:00")
    assert [(one.ct_ratio, one.told_ct_ratio) for one in planned.history] == [(40, None), (60, 40), (60, None)]


def test_a_swap_to_the_ratio_that_the_agent_knows_needs_no_such_word():
    change = note_swap(estate(), replace(SWAP, ct_ratio=40), NOW)
    assert change.agent_from is None
    assert change.history[-1].told_ct_ratio is None


def test_a_ratio_that_the_counters_do_not_know_is_refused():
    shows_primary = estate(("acrel/adl3000-e", "schneider/iem3155"))
    with pytest.raises(ConfigError, match="its counters show primary values"):
        note_swap(shows_primary, replace(SWAP, ct_ratio=60, agent_from="never"), NOW)


def test_a_correction_of_facts_alone_holds_for_the_device_and_keeps_who_noted_it():
    swapped = note_swap(estate(), SWAP, NOW).history
    held = replace(estate(), installations=swapped)
    digits = LedgerCorrection("main", SWAP.at, "photo read again", "li", digits=5)
    change = note_correction(held, digits, NOW)
    assert (change.history[1].digits, change.history[1].by) == (5, "wang")
    held = replace(held, installations=change.history)
    rolls = note_correction(held, replace(digits, digits=None, rolls_over_at=65536), NOW)
    assert (rolls.history[1].digits, rolls.history[1].rolls_over_at) == (None, 65536)


def test_a_correction_that_says_nothing_is_refused():
    nothing = LedgerCorrection("main", at("2026-09-21T00:00"), "r", "li")
    with pytest.raises(ConfigError, match=r"main: nothing is corrected \(allowed: ct_ratio, pt_ratio, serial"):
        note_correction(estate(), nothing, NOW)


def test_an_entry_is_taken_out_by_its_instant():
    held = replace(estate(), installations=note_swap(estate(), SWAP, NOW).history)
    assert note_removal(held, EntryRemoval("main", SWAP.at, "wrong day", "li")).history == held.installations[:1]
    with pytest.raises(ConfigError, match="is no entry of the ledger"):
        note_removal(held, EntryRemoval("main", NOW, "wrong day", "li"))


def test_ledgers_are_those_of_meters_of_a_utility():
    ((meter, history),) = ledgers_of(estate(), "hall")
    assert (meter.id, len(history)) == ("main", 1)
    assert ledgers_of(estate((" utility: electricity, role: head,", ""))) == []
    with pytest.raises(ConfigError, match=r"building: unknown building 'hull' \(allowed: hall\)"):
        ledgers_of(estate(), "hull")
