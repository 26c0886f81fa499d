"""The tables of accounting: tariffs, notices, ledgers, closed months and what adjusts them, recomputations, spells."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, id_column, position_column, text_column

co2_factor = sa.Table(
    "co2_factor",
    METADATA,
    id_column(),
    position_column(),
    text_column("utility"),
    sa.Column("kg_per_unit", sa.Double, nullable=False),
    text_column("valid_from"),
    text_column("basis"),
)

typical_use = sa.Table(
    "typical_use",
    METADATA,
    id_column(),
    position_column(),
    text_column("use"),
    text_column("utility"),
    sa.Column("kwh_per_m2", sa.Double, nullable=False),
    text_column("basis"),
)

tariff = sa.Table(
    "tariff",
    METADATA,
    id_column(),
    position_column(),
    text_column("utility"),
    text_column("valid_from"),
    text_column("basis"),
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
    id_column(),
    position_column(),
    text_column("basis"),
    sa.Column("workdays", sa.JSON, nullable=False),
    sa.Column("days_off", sa.JSON, nullable=False),
)

installation = sa.Table(
    "installation",
    METADATA,
    id_column(),
    position_column(),
    text_column("meter"),
    text_column("since"),
    text_column("serial"),
    sa.Column("digits", sa.Integer),
    sa.Column("rolls_over_at", sa.Double),
    sa.Column("ct_ratio", sa.Double, nullable=False),
    sa.Column("pt_ratio", sa.Double, nullable=False),
    sa.Column("told_ct_ratio", sa.Double),
    sa.Column("told_pt_ratio", sa.Double),
    sa.Column("opening", sa.Double),
    sa.Column("closing", sa.Double),
    sa.Column("continues", sa.Boolean, nullable=False),
    text_column("photo"),
    text_column("reason"),
    text_column("by"),
)

closed_month = sa.Table(
    "closed_month",
    METADATA,
    id_column(),  # building/2026-10
    text_column("building"),
    text_column("month"),
    sa.Column("closed_at", Instant, nullable=False),
    text_column("by"),
    sa.Column("bill", sa.JSON, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Index("ix_closed_month_building", "building", "month"),  # what is closed is asked for often, and bills are large
)

adjustment = sa.Table(
    "adjustment",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    text_column("building"),
    text_column("utility"),
    text_column("meter"),
    text_column("quantity"),
    text_column("month"),
    sa.Column("at", Instant, nullable=False),
    text_column("reason"),
    sa.Column("differences", sa.JSON, nullable=False),
    text_column("state"),
    sa.Column("decided_at", Instant),
    text_column("decided_by"),
    text_column("decision"),  # why it was entered or dismissed
    sa.Index("ix_adjustment_state", "state", "id"),
    sa.Index("ix_adjustment_building_at", "building", "at"),
    sa.Index("ix_adjustment_meter", "meter", "quantity", "month"),
)

recomputation = sa.Table(
    "recomputation",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("asked_at", Instant, nullable=False),
    text_column("by"),
    text_column("reason"),
    sa.Column("points", sa.JSON, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("next_ms", sa.BigInteger, nullable=False),  # where the next piece begins: a restart goes on there
    sa.Column("months", sa.JSON, nullable=False),  # local month to what was stored before and after
    sa.Column("finished_at", Instant),
    sa.Column("proposes", sa.Boolean, nullable=False),  # what it finds about closed months waits for a person
    sa.Index("ix_recomputation_finished_at", "finished_at", "id"),
)

spell = sa.Table(
    "spell",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    text_column("point"),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("until_ms", sa.BigInteger),
    sa.Column("before", sa.Double, nullable=False),
    sa.Column("level", sa.Double, nullable=False),
    text_column("outcome"),
    sa.Column("accepted", sa.Boolean),
    sa.Column("decided_at", Instant),
    text_column("decided_by"),
    text_column("reason"),
    sa.Column("changes", sa.Integer, nullable=False),  # of whatever stands here: a decision states what it is based on
    sa.Index("ix_spell_point", "point", "first_ms", unique=True),
    sa.Index("ix_spell_outcome", "outcome", "accepted"),
    sqlite_autoincrement=True,  # people keep numbers: none is given twice
)
