"""The tables of what processes and agents say of themselves, and of how far the watch over the estate has got."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, id_column, text_column

process_status = sa.Table(
    "process_status",
    METADATA,
    id_column("name"),
    text_column("process"),
    text_column("host"),
    text_column("place"),
    sa.Column("pid", sa.BigInteger, nullable=False),
    text_column("state"),
    sa.Column("alarms", sa.JSON, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),  # this and told_ms by the database's own clock
    sa.Column("told_ms", sa.BigInteger, nullable=False),
    sa.Column("has_ended", sa.Boolean, nullable=False),
)

agent_status = sa.Table(
    "agent_status",
    METADATA,
    id_column("agent"),
    text_column("state"),
    sa.Column("heard_ms", sa.BigInteger),  # NULL: its readings came, and nothing that it says of itself
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("buses", sa.JSON, nullable=False),
    text_column("epoch"),
    sa.Column("store_hw", sa.BigInteger, nullable=False),
)

watched = sa.Table(
    "watched",
    METADATA,
    id_column("site"),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("through", Instant),
    sa.Column("rules", sa.Integer, nullable=False),
)
