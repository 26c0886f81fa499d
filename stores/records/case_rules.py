"""Which case a cause belongs to after it went away or a person gave a verdict: rules over time alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.work import CHECKED_FOR, NIGHTS_CHECKED, AlertState, Verdict, alert_id

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from facility.work import Alert, Finding, Saving

REOPEN_WITHIN = CHECKED_FOR
"""A cause that returns so soon after it went away is the same case."""

QUIET_AFTER = timedelta(days=7)
"""How long the verdicts of ``QUIET`` keep the same case from being raised again."""

SHOWN_ON = {"continuous_flow": timedelta(hours=48), "night_flow_rise": timedelta(hours=48)}
"""How long detectors show a cause that was put right; of the others ``CHECKED_FOR``. A leak is over for its detector
once two nights in a row were as low as before it, and the second may end so long after the repair."""

ENDED_SHARE = 0.5
"""Share of a cause's excess that must have ended for it to be put right."""

SNOOZE_HOURS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}
SNOOZES = (*SNOOZE_HOURS, "tomorrow", "monday")
MORNING = time(8, 0)

LONGEST_SNOOZE = timedelta(days=14)
DOUBLED = 2.0
"""A cause that became so many times as large wakes its case."""

FLAPPING = 3
FLAPS_WITHIN = timedelta(hours=24)
CALM_FOR = timedelta(hours=6)
"""A case that came back so often within a day is over only once its cause has been gone for so long."""

QUIET = frozenset({Verdict.EXPECTED, Verdict.ACCEPTED, Verdict.FALSE_ALARM})


def returns(case: Alert, finding: Finding) -> bool:
    """Whether the cause is back so soon after it went away that it never really did."""
    resolved_at = case.resolved_at if case.state is AlertState.RESOLVED else None
    return resolved_at is not None and finding.seen_at - resolved_at < REOPEN_WITHIN


def is_quiet(case: Alert, finding: Finding) -> bool:
    """Whether a person's verdict still answers this finding.

    After any verdict the very same stretch is not raised again at once: what was judged may still look abnormal
    until the detector's window has passed. What was only told with another case is told again by itself.
    """
    if case.state is not AlertState.CLOSED or case.closed_at is None or case.parent is not None:
        return False
    same = case.id == alert_id(finding)
    quiet = QUIET_AFTER if case.verdict in QUIET else REOPEN_WITHIN if same else timedelta(0)
    return finding.seen_at - case.closed_at < quiet


def may_still_show(case: Alert, finding: Finding) -> bool:
    """Whether a stretch that began before it was put right need not be over yet, or not in the detector's window."""
    if case.state is not AlertState.BEING_CHECKED or case.closed_at is None:
        return False
    shown_on = SHOWN_ON.get(case.detector, CHECKED_FOR)
    return finding.since <= case.closed_at and finding.seen_at - case.closed_at < shown_on


def has_stayed_away(case: Alert, at: datetime, hold: timedelta = CHECKED_FOR) -> bool:
    """Whether the cause of a case has been gone for ``CHECKED_FOR`` at ``at``, or for ``hold`` where that is longer.

    It may have gone on until it was last seen, and until it went away or somebody said that it is put right. Where it
    cost something the nights must have passed, too, in which that is measured: they begin once it was put right,
    however long its detector has shown it after that.
    """
    put_right_at = case.resolved_at or case.closed_at or at
    gone_at = max(case.last_seen_at, put_right_at)
    return at - put_right_at >= _measured_for(case) and at - gone_at >= max(CHECKED_FOR, hold)


def is_saved(case: Alert, saving: Saving) -> bool:
    """Whether enough of what a case cost has ended."""
    return case.excess is not None and saving.per_day >= ENDED_SHARE * case.excess.per_day


def _measured_for(case: Alert) -> timedelta:
    return timedelta(days=NIGHTS_CHECKED) if case.excess and case.excess.per_day > 0 else CHECKED_FOR


def is_asleep(case: Alert, at: datetime) -> bool:
    """Whether it is snoozed still."""
    return case.state is AlertState.SNOOZED and case.snoozed_until is not None and at < case.snoozed_until


def is_woken_by(case: Alert, finding: Finding) -> bool:
    """Whether a finding ends the sleep of a case: in time, or because it became worse or twice as large."""
    if case.state is not AlertState.SNOOZED:
        return False
    if not is_asleep(case, finding.seen_at) or finding.severity > case.severity:
        return True
    before = case.snoozed_over or float("inf")
    return finding.excess is not None and finding.excess.per_day >= DOUBLED * before


def snooze_end(choice: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a snooze ends: ``1h``, ``4h``, ``tomorrow``, ``monday`` or a day, each of these at eight in the morning.

    Raises ``Rejected`` for anything else.
    """
    if choice in SNOOZE_HOURS:
        return now + SNOOZE_HOURS[choice]
    today = now.astimezone(zone).date()
    days = {"tomorrow": 1, "monday": 7 - today.weekday()}
    try:
        day = today + timedelta(days=days[choice]) if choice in days else date.fromisoformat(choice)
    except ValueError:
        raise Rejected("no_time", f"'{choice}' is none of {', '.join(SNOOZES)}, nor a day such as 2026-12-24") from None
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def check_snooze(until: datetime, reason: str, at: datetime) -> None:
    """Raise ``Rejected`` for a snooze without a reason, in the past, or for longer than ``LONGEST_SNOOZE``."""
    if not reason.strip():
        raise Rejected("no_reason", "a snooze needs a reason")
    if until <= at:
        raise Rejected("over", "a snooze ends in the future")
    if until - at > LONGEST_SNOOZE:
        raise Rejected("too_long", f"a snooze lasts {LONGEST_SNOOZE.days} days at most")
