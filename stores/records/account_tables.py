"""The tables of accounting: tariffs, notices, the meter ledger, closed months, adjusting entries, recomputations."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.tables import METADATA, Instant


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.Text, primary_key=True)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.Integer, nullable=False)


tariff = sa.Table(
    "tariff",
    METADATA,
    _id(),
    _position(),
    _text("utility"),
    _text("valid_from"),
    _text("basis"),
    sa.Column("prices", sa.JSON, nullable=False),
    sa.Column("rules", sa.JSON, nullable=False),
    sa.Column("otherwise", sa.Text),
    sa.Column("buildings", sa.JSON, nullable=False),
    sa.Column("tiers", sa.JSON(none_as_null=True)),
    sa.Column("capacity", sa.JSON(none_as_null=True)),
    sa.Column("demand", sa.JSON(none_as_null=True)),
    sa.Column("fixed_per_month", sa.Double, nullable=False),
)

notice = sa.Table(
    "notice",
    METADATA,
    _id(),
    _position(),
    _text("basis"),
    sa.Column("workdays", sa.JSON, nullable=False),
    sa.Column("days_off", sa.JSON, nullable=False),
)

installation = sa.Table(
    "installation",
    METADATA,
    _id(),
    _position(),
    _text("meter"),
    _text("since"),
    _text("serial"),
    sa.Column("digits", sa.Integer),
    sa.Column("rolls_over_at", sa.Double),
    sa.Column("ct_ratio", sa.Double, nullable=False),
    sa.Column("pt_ratio", sa.Double, nullable=False),
    sa.Column("told_ct_ratio", sa.Double),
    sa.Column("told_pt_ratio", sa.Double),
    sa.Column("opening", sa.Double),
    sa.Column("closing", sa.Double),
    sa.Column("continues", sa.Boolean, nullable=False),
    _text("photo"),
    _text("reason"),
    _text("by"),
)

closed_month = sa.Table(
    "closed_month",
    METADATA,
    _id(),  # building/2026-10
    _text("building"),
    _text("month"),
    sa.Column("closed_at", Instant, nullable=False),
    _text("by"),
    sa.Column("bill", sa.JSON, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)

adjustment = sa.Table(
    "adjustment",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("building"),
    _text("utility"),
    _text("meter"),
    _text("quantity"),
    _text("month"),
    sa.Column("at", Instant, nullable=False),
    _text("reason"),
    sa.Column("differences", sa.JSON, nullable=False),
    sa.Index("ix_adjustment_building_month", "building", "month"),
)

recomputation = sa.Table(
    "recomputation",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("asked_at", Instant, nullable=False),
    _text("by"),
    _text("reason"),
    sa.Column("points", sa.JSON, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("next_ms", sa.BigInteger, nullable=False),  # where the next piece begins: a restart goes on there
    sa.Column("months", sa.JSON, nullable=False),  # local month to what was stored before and after
    sa.Column("finished_at", Instant),
)
