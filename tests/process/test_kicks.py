import pytest

from process.kicks import KICKED, SEEMS_KICKED, TAKEN_OVER, UNSPECIFIED, Kicks
from process.mqtt import FIRST_WAIT_S, LAST_WAIT_S, Patience


def lives(kicks, *ends, code=0x80):
    """Connections that begin and end at these times."""
    for begin, end in ends:
        kicks.welcomed(begin)
        kicks.lost(code, end)


def test_a_broker_that_says_so_is_believed_for_a_minute():
    kicks = Kicks()
    lives(kicks, (0.0, 30.0), code=TAKEN_OVER)
    assert (kicks.suspicion(30.0), kicks.suspicion(90.0), kicks.suspicion(90.1)) == (KICKED, KICKED, "")


def test_connections_that_end_without_a_word_soon_after_they_began_are_suspicious():
    kicks = Kicks()
    lives(kicks, (0.0, 1.5), (2.5, 4.0))
    assert kicks.suspicion(4.0) == ""
    lives(kicks, (5.0, 6.5))
    assert kicks.suspicion(6.5) == SEEMS_KICKED
    assert kicks.suspicion(62.0) == ""


@pytest.mark.parametrize(
    "between",
    [
        lambda kicks: kicks.unreachable(),
        lambda kicks: lives(kicks, (5.0, 50.0)),
        lambda kicks: lives(kicks, (5.0, 6.0), code=0x95),
    ],
    ids=["the broker was away", "one lived long", "the broker gave another reason"],
)
def test_a_bad_broker_or_a_bad_line_is_no_kick(between):
    kicks = Kicks()
    lives(kicks, (0.0, 1.5), (2.5, 4.0))
    between(kicks)
    lives(kicks, (51.0, 52.0), (53.0, 54.0))
    assert kicks.suspicion(54.0) == ""


def test_each_wait_is_longer_up_to_a_bound_and_never_the_same_for_all():
    patience = Patience()
    waits = [patience.next_s() for _ in range(8)]
    for k, wait in enumerate(waits):
        least = min(FIRST_WAIT_S * 2**k, LAST_WAIT_S)
        assert least <= wait <= 1.5 * least
    patience.begin_anew()
    assert patience.next_s() <= 1.5 * FIRST_WAIT_S
    assert len({Patience().next_s() for _ in range(20)}) == 20


def test_a_broker_that_refuses_what_is_said_and_hangs_up_is_no_second_process():
    kicks = Kicks()
    for s in range(6):
        kicks.welcomed(float(s))
        kicks.refused()
        kicks.lost(UNSPECIFIED, s + 0.1)
    assert kicks.suspicion(6.0) == ""
