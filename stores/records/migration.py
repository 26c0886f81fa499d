"""Brings the records' database to the schema this Meterhouse writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from facility.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def migrate(connection: Connection) -> None:
    """Apply the steps the database lacks, all in the connection's transaction.

    Raises ``ConfigError`` for records of a newer Meterhouse.
    """
    config = Config()
    config.set_main_option("script_location", "stores:migrations")
    config.set_main_option("path_separator", "os")
    steps = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in steps.walk_revisions()}
    if present is not None and present not in known:
        raise ConfigError(
            f"the records in {connection.engine.url.render_as_string()} were written by a newer Meterhouse"
            f" (schema {present}, this one reads {steps.get_current_head()})"
        )
    if present != steps.get_current_head():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
