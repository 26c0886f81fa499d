"""The tables of the records, as SQLAlchemy Core sees them; stores/migrations makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as ISO text in UTC of one fixed width: readable, exact, and sorted by time."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To text; a naive time is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.Integer, nullable=False)


# The estate: days and times of day are ISO text, so that a row is the same in the database, in the snapshot of
# the last applied document and in a printed difference.

site = sa.Table(
    "site",
    METADATA,
    _id(),
    _position(),
    _text("name_en"),
    _text("name_zh"),
    _text("timezone"),
    _text("currency"),
    _text("holiday_country"),
    _text("holiday_subdivision"),
    sa.Column("holiday_shift_days", sa.Integer, nullable=False),
    sa.Column("notice_en", sa.Text),
    sa.Column("notice_zh", sa.Text),
)

price = sa.Table(
    "price",
    METADATA,
    _id(),
    _position(),
    _text("utility"),
    sa.Column("per_unit", sa.Double, nullable=False),
    _text("valid_from"),
    _text("basis"),
)

closure = sa.Table("closure", METADATA, _id(), _position(), _text("first"), _text("last"), _text("name"))

department = sa.Table(
    "department", METADATA, _id(), _position(), _text("name_en"), _text("name_zh"), _text("cost_centre")
)

building = sa.Table(
    "building",
    METADATA,
    _id(),
    _position(),
    _text("name_en"),
    _text("name_zh"),
    _text("use"),
    sa.Column("floor_area_m2", sa.Double),
    sa.Column("hours", sa.JSON, nullable=False),
    sa.Column("armed", sa.JSON, nullable=False),
)

space = sa.Table(
    "space", METADATA, _id(), _position(), _text("building"), _text("name_en"), _text("name_zh"), _text("kind")
)

agent = sa.Table("agent", METADATA, _id(), _position())

bus = sa.Table(
    "bus",
    METADATA,
    _id(),
    _position(),
    _text("agent"),
    _text("bus"),
    _text("url"),
    sa.Column("timeout_s", sa.Double, nullable=False),
)

meter = sa.Table(
    "meter",
    METADATA,
    _id(),
    _position(),
    _text("name_en"),
    _text("name_zh"),
    _text("profile"),
    _text("agent"),
    _text("connection"),
    _text("unit"),
    _text("space"),
    sa.Column("utility", sa.Text),
    _text("role"),
    _text("enduse"),
    _text("serial"),
    sa.Column("ct_ratio", sa.Double, nullable=False),
    sa.Column("pt_ratio", sa.Double, nullable=False),
    sa.Column("digits", sa.Integer),
    sa.Column("poll_s", sa.Double, nullable=False),
    _text("provenance"),
    sa.Column("rolls_over_at", sa.Double),
    sa.Column("most_per_hour", sa.Double),
)

point = sa.Table(
    "point",
    METADATA,
    _id(),
    _position(),
    _text("meter"),
    _text("quantity"),
    _text("channel"),
    sa.Column("level", sa.Text),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("ratio", sa.Text),
)

assignment = sa.Table(
    "assignment",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("what"),  # meter: stands in a building; building: belongs to a department
    _text("subject"),
    _text("target"),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.Index("ix_assignment_what_subject", "what", "subject"),
)

revision = sa.Table(
    "revision",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    _text("by"),
    sa.Column("document", sa.JSON(none_as_null=True)),  # the rows of an applied site.yaml; NULL: edited elsewhere
)

# Cases.

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    _text("key"),
    sa.Column("open_key", sa.Text, unique=True),  # the key while open or acknowledged: one such case per key
    _text("detector"),
    _text("building"),
    _text("meter"),
    _text("point"),
    _text("state"),
    sa.Column("severity", sa.Integer, nullable=False),
    _text("message_id"),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("raised_at", Instant, nullable=False, index=True),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("excess", sa.JSON(none_as_null=True)),
    sa.Column("money", sa.JSON(none_as_null=True)),
    sa.Column("resolved_at", Instant),
    _text("acknowledged_by"),
    sa.Column("acknowledged_at", Instant),
    sa.Column("verdict", sa.Text),
    _text("verdict_note"),
    sa.Column("closed_at", Instant),
    sa.Column("notify", sa.Boolean, nullable=False),
    sa.Index("ix_alert_key", "key"),
)

case_event = sa.Table(
    "case_event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("alert", sa.String(36), sa.ForeignKey("alert.id"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    _text("what"),
    _text("by"),
    _text("note"),
)

# People and what they did.

person = sa.Table("person", METADATA, _id("name"), _text("language"), sa.Column("created_at", Instant, nullable=False))

token = sa.Table(
    "token",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    _text("kind"),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    _text("who"),
    _text("what"),
    _text("subject"),
    _text("detail"),
    sa.Column("hash", sa.String(64), nullable=False),
)

audit_head = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
