"""The table of imports: who handed in what, who confirmed it, and the readings themselves, so that all can go."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, BigId, Instant, text_column

reading_import = sa.Table(
    "reading_import",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    text_column("file"),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    text_column("state"),
    text_column("kind"),  # register or use: what the file told
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("points", sa.JSON, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("readings", sa.LargeBinary, nullable=False),
    text_column("proposed_by"),
    sa.Column("proposed_at", Instant, nullable=False),
    text_column("confirmed_by"),
    sa.Column("confirmed_at", Instant),
    text_column("undone_by"),
    sa.Column("undone_at", Instant),
    text_column("reason"),  # why it was withdrawn or undone
    text_column("outcome"),  # what ingest said of it
)
