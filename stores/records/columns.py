"""Of what kinds the columns of the records are, so that SQLite and PostgreSQL hold the same in them."""

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


def plain(text: str) -> str:
    """A text that every database can hold: NUL, which PostgreSQL refuses, and halves of characters are replaced."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class PlainText(TypeDecorator[str]):
    """Text from whomever: what a stranger sends must not keep us from putting it on record."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To what can be held."""
        return None if value is None else plain(value)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that the database gives, as large as one may be asked for; only INTEGER counts up by itself in SQLite."""


def text_column(name: str) -> sa.Column[str]:
    """A text that is always there."""
    return sa.Column(name, PlainText, nullable=False)


def id_column(name: str = "id") -> sa.Column[str]:
    """A permanent, opaque id as the primary key."""
    return sa.Column(name, sa.Text, primary_key=True)


def position_column() -> sa.Column[int]:
    """The place in the order of the document."""
    return sa.Column("position", sa.Integer, nullable=False)
