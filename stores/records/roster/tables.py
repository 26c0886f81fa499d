"""The tables of the roster: people who take work orders, their shifts, and days on which they do not work."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, text_column

worker = sa.Table(
    "worker",
    METADATA,
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), primary_key=True),
    text_column("rank"),  # worker | lead | manager
    sa.Column("skills", sa.JSON, nullable=False),
    sa.Column("places", sa.JSON, nullable=False),  # ids of buildings; none: the whole site
    sa.Column("most_a_day", sa.Integer, nullable=False),
)

shift = sa.Table(
    "shift",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("worker.name"), nullable=False),
    sa.Column("begins", Instant, nullable=False),
    sa.Column("ends", Instant, nullable=False),
    sa.UniqueConstraint("name", "begins"),
    sa.Index("ix_shift_ends", "ends"),
)

day_off = sa.Table(
    "day_off",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("worker.name"), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),  # local, ISO
    sa.UniqueConstraint("name", "day"),
)
