"""The tables of the quarantine: what was refused, and what people ask of ingest."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, BigId, Instant, text_column

quarantine = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("received_at", Instant, nullable=False),
    text_column("stage"),
    text_column("kind"),
    text_column("reason"),
    text_column("detail"),
    text_column("topic"),
    text_column("agent"),
    text_column("epoch"),
    sa.Column("first_seq", sa.BigInteger),
    sa.Column("last_seq", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("payload_bytes", sa.Integer, nullable=False),  # kept beside it: a sum need not read what it counts
    sa.Column("payload_dropped", sa.Boolean, nullable=False),  # emptied, or never kept, for want of room
    sa.Column("replayed_at", Instant),
    text_column("outcome"),
    sa.Column("discarded_at", Instant),
    text_column("discarded_by"),
    text_column("discard_reason"),
    sa.Index(  # holds all that is counted and summed, so that no payload is read for it
        "ix_quarantine_standing",
        *("discarded_at", "replayed_at", "reason", "agent", "count", "payload_bytes", "payload_dropped"),
    ),
    sa.Index("ix_quarantine_reason", "reason", "id"),
    sa.Index("ix_quarantine_agent", "agent", "id"),
    sa.Index(  # what fills the room: as many rows as the bound allows, however many were ever closed
        "ix_quarantine_filled",
        *("id", "payload_bytes", "discarded_at", "replayed_at"),
        sqlite_where=sa.text("payload_bytes > 0"),
        postgresql_where=sa.text("payload_bytes > 0"),
    ),
)

errand = sa.Table(
    "errand",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    text_column("what"),  # replay an item; reconcile store and journal; take an import in, or undo it
    sa.Column("item", BigId, sa.ForeignKey("quarantine.id"), index=True),
    sa.Column("of_import", BigId),
    sa.Column("open_key", sa.Text, unique=True),  # while not done: one such errand at a time
    text_column("asked_by"),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
    text_column("outcome"),
    text_column("taken_by"),  # the ingest that does it; empty: none yet
    sa.Column("taken_at", Instant),
    sa.Index("ix_errand_done_at", "done_at", "id"),
)
