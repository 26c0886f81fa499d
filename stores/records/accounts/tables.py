"""The tables of accounts beside ``person`` and ``token``; stores/migrations makes them."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, text_column

role_grant = sa.Table(
    "role_grant",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False, index=True),
    text_column("role"),
    text_column("part"),  # site | building | department
    text_column("target"),  # the id of the building or department; empty for the site
    sa.Column("level", sa.Text),  # up to which data level; NULL: every level, and points without one
    sa.Column("until", Instant),
    text_column("given_by"),
    sa.Column("given_at", Instant, nullable=False),
)

recovery_code = sa.Table(
    "recovery_code",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False, index=True),
)

sign_in_attempt = sa.Table(
    "sign_in_attempt",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),  # also of nobody: who guesses learns no difference
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", Instant, nullable=False),
)

identity = sa.Table(
    "identity",
    METADATA,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),  # as the provider names them: opaque, and never used again there
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False, index=True),
    text_column("given_by"),
    sa.Column("given_at", Instant, nullable=False),
)
