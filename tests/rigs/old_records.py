"""Records as an earlier Meterhouse left them: the steps up to a schema, and rows written as it wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def make_old(url: str, schema: str, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Make the records of a schema in an empty database and put rows into its tables."""
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", "stores:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
        for name, some in rows.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(table), list(some))
    engine.dispose()
