"""A seed names one run: what strikes, in which order and when."""

import pytest
from chaos.faults import FAULTS
from chaos.run import arguments
from chaos.schedule import BESIDE, LONGEST_DOWN_S, LONGEST_WAIT_S, VICTIMS, strikes


def test_the_same_seed_gives_the_same_strikes_and_another_seed_others():
    assert strikes(7, 5) == strikes(7, 5)
    assert strikes(7, 5) != strikes(8, 5)


@pytest.mark.parametrize("kills", [1, 5, 100])
def test_every_part_is_killed_equally_often(kills):
    victims = [strike.victim for strike in strikes(3, kills)]
    assert {victim: victims.count(victim) for victim in VICTIMS} == dict.fromkeys(VICTIMS, kills)


def test_five_kills_of_each_part_meet_every_lesser_fault():
    met = {strike.beside for strike in strikes(3, 5)}
    assert met == {fault for faults in BESIDE.values() for fault in faults} == FAULTS.keys()


def test_a_strike_waits_and_keeps_down_for_a_moment_only():
    for strike in strikes(11, 100):
        assert 0 < strike.wait_s <= LONGEST_WAIT_S
        assert 0 <= strike.down_s <= LONGEST_DOWN_S


def test_the_first_kill_of_the_broker_falls_while_it_alone_holds_what_it_confirmed():
    beside = [strike.beside for strike in strikes(5, 5) if strike.victim == "broker"]
    assert beside == ["ingest_cut", "freeze", "flipped_bit", "nothing", "ingest_cut"]


def test_the_seed_comes_from_the_command_or_the_environment_or_by_chance(monkeypatch):
    monkeypatch.setenv("SEED", "41")
    assert arguments([]).seed == 41
    assert arguments(["--seed", "42"]).seed == 42
    monkeypatch.delenv("SEED")
    assert arguments([]).seed != arguments([]).seed


@pytest.mark.parametrize(
    "words", [["--readings", "999"], ["--kills", "0"], ["--ack-mode", "hope"], ["--store", "paper"], ["--seed", "x"]]
)
def test_wrong_arguments_end_with_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err
