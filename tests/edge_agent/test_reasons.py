"""What an agent makes of the broker's reason codes."""

from __future__ import annotations

import pytest

from edge_agent.reasons import NO_SUBSCRIBER, NOT_AUTHORIZED, QUOTA, SUCCESS, Reasons
from process.kicks import TAKEN_OVER, Kicks


@pytest.mark.parametrize(("code", "alarm"), [(NO_SUBSCRIBER, "no_subscriber"), (NOT_AUTHORIZED, "refused")])
def test_an_alarm_lasts_until_a_batch_arrives(code, alarm):
    reasons = Reasons()
    reasons.note_batch(code, 0.0)
    assert [name for name, lasts in reasons.alarms.items() if lasts] == [alarm]
    reasons.note_batch(SUCCESS, 1.0)
    assert not any(reasons.alarms.values())


def test_a_quota_makes_it_wait_ever_longer_until_a_batch_is_taken():
    reasons, waits, now = Reasons(), [], 0.0
    for _ in range(7):
        reasons.note_batch(QUOTA, now)
        waits.append(reasons.quiet_until - now)
        now = reasons.quiet_until
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert (reasons.alarms["refused"], reasons.refused) == (0, 7)
    reasons.note_batch(SUCCESS, now)
    reasons.note_loss(QUOTA, now)
    assert reasons.quiet_until == now + 1


def test_connections_that_end_again_and_again_are_an_alarm_for_as_long_as_it_goes_on():
    kicks = Kicks()
    reasons = Reasons(kicks)
    for k in range(3):
        assert not reasons.alarms["unsteady"]
        code = TAKEN_OVER if k == 1 else 0x80
        kicks.lost(code, 10.0 * k)
        reasons.note_loss(code, 10.0 * k)
    assert (reasons.alarms["unsteady"], reasons.alarms["taken_over"]) == (1, 1)
    reasons.look(81.0)
    assert (reasons.alarms["unsteady"], reasons.alarms["taken_over"]) == (0, 0)
