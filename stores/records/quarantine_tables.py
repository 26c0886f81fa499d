"""The tables of the quarantine: what was refused, and what people ask of ingest."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.tables import METADATA, Instant


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


quarantine = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("received_at", Instant, nullable=False),
    _text("stage"),
    _text("kind"),
    _text("reason"),
    _text("detail"),
    _text("topic"),
    _text("agent"),
    _text("epoch"),
    sa.Column("first_seq", sa.BigInteger),
    sa.Column("last_seq", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("payload_bytes", sa.Integer, nullable=False),  # kept beside it: a sum need not read what it counts
    sa.Column("payload_dropped", sa.Boolean, nullable=False),  # emptied, or never kept, for want of room
    sa.Column("replayed_at", Instant),
    _text("outcome"),
    sa.Column("discarded_at", Instant),
    _text("discarded_by"),
    _text("discard_reason"),
    sa.Index(  # all that counts and sizes are made of: the payloads stay unread
        "ix_quarantine_standing",
        *("discarded_at", "replayed_at", "reason", "agent", "count", "payload_bytes", "payload_dropped"),
    ),
)

errand = sa.Table(
    "errand",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("what"),  # replay: take an item in again; reconcile: compare what was taken in with what is stored
    sa.Column("item", sa.Integer, sa.ForeignKey("quarantine.id"), index=True),
    sa.Column("open_key", sa.Text, unique=True),  # while not done: one such errand at a time
    _text("asked_by"),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
    _text("outcome"),
)
