"""The tables of letters: how people are reached, what goes to them, and how far the timeline has been read for it."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, text_column

contact = sa.Table(
    "contact",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False, index=True),
    text_column("courier"),  # its name in the settings, which alone hold its password or key
    text_column("address"),  # empty where the courier leads to one place only, such as a group's robot
    text_column("quiet"),  # 22:00-07:00 of the site; empty: never
    sa.UniqueConstraint("name", "courier", "address"),
)

letter = sa.Table(
    "letter",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False),
    text_column("courier"),
    text_column("address"),
    text_column("haste"),  # urgent | soon | daily
    text_column("agent"),  # whose meters it tells of; empty: of several
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),  # moves on while it is tried again
    text_column("state"),  # waiting | under_way | sent | given_up | dropped
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("may_have_arrived", sa.Boolean, nullable=False),  # of an attempt before
    sa.Column("begun_at", Instant),  # the newest attempt
    sa.Column("ended_at", Instant),
    text_column("why"),  # the newest attempt failed
    sa.Index("ix_letter_state_due_at", "state", "due_at"),
    sa.Index("ix_letter_name_created_at", "name", "created_at"),
)

letter_step = sa.Table(
    "letter_step",
    METADATA,
    sa.Column("letter", sa.String(36), sa.ForeignKey("letter.id"), primary_key=True),
    sa.Column("step", sa.Integer, sa.ForeignKey("case_event.id"), primary_key=True, autoincrement=False),
)

letter_mark = sa.Table(
    "letter_mark",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Integer, nullable=False),  # every step of a case up to this one has been written about
)
