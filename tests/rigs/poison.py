"""Refused readings, one an item, all of the same agent."""

from stores.records.quarantine.quarantine import QuarantineItem


def poison(now, n, reason="unknown_point", size=100):
    return QuarantineItem(
        received_at=now,
        stage="check",
        kind="reading",
        reason=reason,
        detail="",
        topic="meterhouse/1/up/edge-1/live",
        agent="edge-1",
        epoch="e1",
        first_seq=n,
        last_seq=n,
        count=1,
        payload=b"x" * size,
    )
