"""Work orders, the roster of who takes them, and places where anybody may report a problem."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str, is_needed: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(32), nullable=not is_needed) for name in names]


def upgrade() -> None:
    """Nobody is on a roster, and nothing was ordered."""
    _make_roster()
    _make_orders()
    _make_what_belongs_to_orders()


def _make_roster() -> None:
    op.create_table(
        "worker",
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_worker_name"), primary_key=True),
        *_texts("rank"),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("most_a_day", sa.Integer(), nullable=False),
    )
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("worker.name", name="fk_shift_name"), nullable=False),
        *_instants("begins", "ends", is_needed=True),
        sa.UniqueConstraint("name", "begins", name="uq_shift_name"),
    )
    op.create_index("ix_shift_ends", "shift", ["ends"])
    op.create_table(
        "day_off",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("worker.name", name="fk_day_off_name"), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.UniqueConstraint("name", "day", name="uq_day_off_name"),
    )


def _make_orders() -> None:
    op.create_table(
        "work_order",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("origin", sa.String(120), nullable=False),
        sa.Column("alert", sa.String(36), sa.ForeignKey("alert.id", name="fk_work_order_alert")),
        *_texts("building", "space", "meter", "skill"),
        sa.Column("severity", sa.Integer(), nullable=False),
        *_texts("title", "note", "requested_by", "state", "assignee"),
        sa.Column("turn", sa.Integer(), nullable=False),
        *_instants("created_at", "due_at", is_needed=True),
        *_instants("answer_by", "accepted_at", "arrived_at", "ended_at"),
        *_texts("parts"),
        sa.Column("cost", sa.Double()),
        *_texts("signed_by"),
        sa.Column("ticked", sa.JSON(), nullable=False),
        sa.Column("rating", sa.Integer()),
        *_texts("rating_note"),
        sa.Column("rating_digest", sa.String(64)),
        *_instants("erased_at"),
        sa.Column("acts", sa.Integer(), nullable=False),
        sa.UniqueConstraint("origin", name="uq_work_order_origin"),
        sa.UniqueConstraint("rating_digest", name="uq_work_order_rating_digest"),
    )
    op.create_index("ix_work_order_alert", "work_order", ["alert"])
    op.create_index("ix_work_order_state", "work_order", ["state"])


def _of_order(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("work_order.id", name=f"fk_{table}_work_order")
    return sa.Column("work_order", NUMBER, key, nullable=False)


def _make_what_belongs_to_orders() -> None:
    op.create_table(
        "order_offer",
        sa.Column("id", NUMBER, primary_key=True),
        _of_order("order_offer"),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("standing", NUMBER),
        *_texts("name"),
        *_instants("at", is_needed=True),
        *_texts("outcome"),
        *_instants("ended_at"),
        *_texts("why"),
        sa.UniqueConstraint("work_order", "turn", name="uq_order_offer_work_order"),
        sa.UniqueConstraint("standing", name="uq_order_offer_standing"),
    )
    op.create_index("ix_order_offer_name_at", "order_offer", ["name", "at"])
    op.create_table(
        "order_step",
        sa.Column("id", NUMBER, primary_key=True),
        _of_order("order_step"),
        *_instants("at", is_needed=True),
        *_texts("what", "by", "note"),
    )
    op.create_index("ix_order_step_work_order", "order_step", ["work_order"])
    op.create_table(
        "order_file",
        sa.Column("id", NUMBER, primary_key=True),
        _of_order("order_file"),
        *_texts("name", "kind"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        *_texts("by"),
        *_instants("at", is_needed=True),
    )
    op.create_index("ix_order_file_work_order", "order_file", ["work_order"])
    op.create_table(
        "order_mark",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("step", NUMBER, nullable=False),
    )
    op.create_table(
        "letter_offer",
        sa.Column(
            "letter", sa.String(36), sa.ForeignKey("letter.id", name="fk_letter_offer_letter"), primary_key=True
        ),
        sa.Column(
            "offer",
            NUMBER,
            sa.ForeignKey("order_offer.id", name="fk_letter_offer_offer"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_table(
        "report_place",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        *_texts("building", "space", "meter", "made_by"),
        *_instants("made_at", is_needed=True),
        *_instants("ended_at"),
        sa.UniqueConstraint("digest", name="uq_report_place_digest"),
    )


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
