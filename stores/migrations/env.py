"""Run by Alembic inside the transaction that ``stores.records.database`` has begun.

A new step is a file in ``versions`` whose ``down_revision`` names the one before it; a test compares the
steps' outcome with ``stores.records.tables``.
"""

from alembic import context

from stores.records.columns import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
