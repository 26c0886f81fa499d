"""Letters: how people are reached, and what is sent to them of the steps of cases."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Nobody is reached yet, so nothing that happened before is told."""
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_contact_name"), nullable=False),
        sa.Column("courier", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("quiet", sa.Text(), nullable=False),
        sa.UniqueConstraint("name", "courier", "address", name="uq_contact_name"),
    )
    op.create_index("ix_contact_name", "contact", ["name"])
    op.create_table(
        "letter",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_letter_name"), nullable=False),
        sa.Column("courier", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("haste", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("due_at", sa.String(32), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("may_have_arrived", sa.Boolean(), nullable=False),
        sa.Column("begun_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("why", sa.Text(), nullable=False),
    )
    op.create_index("ix_letter_state_due_at", "letter", ["state", "due_at"])
    op.create_index("ix_letter_name_created_at", "letter", ["name", "created_at"])
    op.create_table(
        "letter_step",
        sa.Column("letter", sa.String(36), sa.ForeignKey("letter.id", name="fk_letter_step_letter"), primary_key=True),
        sa.Column(
            "step",
            sa.Integer(),
            sa.ForeignKey("case_event.id", name="fk_letter_step_step"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_table(
        "letter_mark",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("step", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
