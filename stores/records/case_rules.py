"""Which case a cause belongs to after it went away or a person gave a verdict: rules over time alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from facility.work import CHECKED_FOR, AlertState, Verdict, alert_id

if TYPE_CHECKING:
    from datetime import datetime

    from facility.work import Alert, Finding

REOPEN_WITHIN = CHECKED_FOR
"""A cause that returns so soon after it went away is the same case."""

QUIET_AFTER = timedelta(days=7)
"""How long the verdicts of ``QUIET`` keep the same case from being raised again."""

QUIET = frozenset({Verdict.EXPECTED, Verdict.ACCEPTED, Verdict.FALSE_ALARM})


def returns(case: Alert, finding: Finding) -> bool:
    """Whether the cause is back so soon after it went away that it never really did."""
    resolved_at = case.resolved_at if case.state is AlertState.RESOLVED else None
    return resolved_at is not None and finding.seen_at - resolved_at < REOPEN_WITHIN


def is_quiet(case: Alert, finding: Finding) -> bool:
    """Whether a person's verdict still answers this finding.

    After any verdict the very same stretch is not raised again at once: what was judged may still look abnormal
    until the detector's window has passed.
    """
    if case.state is not AlertState.CLOSED or case.closed_at is None:
        return False
    same = case.id == alert_id(finding)
    quiet = QUIET_AFTER if case.verdict in QUIET else REOPEN_WITHIN if same else timedelta(0)
    return finding.seen_at - case.closed_at < quiet


def may_still_show(case: Alert, finding: Finding) -> bool:
    """Whether a stretch that began before it was put right need not be over yet, or not in the detector's window."""
    if case.state is not AlertState.BEING_CHECKED or case.closed_at is None:
        return False
    return finding.since <= case.closed_at and finding.seen_at - case.closed_at < CHECKED_FOR


def has_stayed_away(case: Alert, at: datetime, hold: timedelta = CHECKED_FOR) -> bool:
    """Whether the cause of a case has been gone for ``CHECKED_FOR`` at ``at``, or for ``hold`` where that is longer.

    It may have gone on until it was last seen, and until it went away or somebody said that it is put right.
    """
    gone_at = max(case.last_seen_at, case.resolved_at or case.closed_at or at)
    return at - gone_at >= max(CHECKED_FOR, hold)
