"""The tables of work orders: the order, to whom it was offered, what happened to it, and its photos and files."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, BigId, Instant, text_column

work_order = sa.Table(
    "work_order",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("origin", sa.String(120), nullable=False, unique=True),  # what it was made from: one order each
    sa.Column("alert", sa.String(36), sa.ForeignKey("alert.id"), index=True),
    text_column("building"),
    text_column("space"),
    text_column("meter"),
    text_column("skill"),
    sa.Column("severity", sa.Integer, nullable=False),
    text_column("title"),  # empty: the alert says it
    text_column("note"),
    text_column("requested_by"),  # erased in time, as are the assignee and who signed
    text_column("state"),
    text_column("assignee"),  # empty: nobody yet
    sa.Column("turn", sa.Integer, nullable=False),  # how many it was offered to
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("answer_by", Instant),
    sa.Column("accepted_at", Instant),
    sa.Column("arrived_at", Instant),
    sa.Column("ended_at", Instant),
    text_column("parts"),
    sa.Column("cost", sa.Double),
    text_column("signed_by"),
    sa.Column("ticked", sa.JSON, nullable=False),
    sa.Column("rating", sa.Integer),
    text_column("rating_note"),
    sa.Column("rating_digest", sa.String(64), unique=True),  # of the link by which who reported it rates it
    sa.Column("erased_at", Instant),
    sa.Column("acts", sa.Integer, nullable=False),
    sa.Index("ix_work_order_state", "state"),
)

order_offer = sa.Table(
    "order_offer",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("work_order", BigId, sa.ForeignKey("work_order.id"), nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("standing", BigId, unique=True),  # the order, while the offer or the acceptance stands: one at most
    text_column("name"),
    sa.Column("at", Instant, nullable=False),
    text_column("outcome"),  # offered | accepted | refused | timed_out | withdrawn
    sa.Column("ended_at", Instant),
    text_column("why"),
    sa.UniqueConstraint("work_order", "turn"),
    sa.Index("ix_order_offer_name_at", "name", "at"),
)

order_step = sa.Table(
    "order_step",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("work_order", BigId, sa.ForeignKey("work_order.id"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    text_column("what"),
    text_column("by"),  # empty: Meterhouse itself
    text_column("note"),
)

order_file = sa.Table(
    "order_file",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("work_order", BigId, sa.ForeignKey("work_order.id"), nullable=False, index=True),
    text_column("name"),
    text_column("kind"),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("content", sa.LargeBinary),  # none: erased
    text_column("by"),
    sa.Column("at", Instant, nullable=False),
)

order_mark = sa.Table(
    "order_mark",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", BigId, nullable=False),  # every step up to this one was sent to the site's own system
)

letter_offer = sa.Table(
    "letter_offer",
    METADATA,
    sa.Column("letter", sa.String(36), sa.ForeignKey("letter.id"), primary_key=True),
    sa.Column("offer", BigId, sa.ForeignKey("order_offer.id"), primary_key=True, autoincrement=False),
)

report_place = sa.Table(
    "report_place",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),  # of the link that hangs there
    text_column("building"),
    text_column("space"),
    text_column("meter"),
    text_column("made_by"),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
)
