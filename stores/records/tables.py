"""The tables of the records, as SQLAlchemy Core sees them; stores/migrations makes them."""

from __future__ import annotations

import sqlalchemy as sa

from stores.records.columns import METADATA, Instant, id_column, position_column, text_column

# The estate: days and times of day are ISO text, so that a row is the same in the database, in the snapshot of
# the last applied document and in a printed difference.

site = sa.Table(
    "site",
    METADATA,
    id_column(),
    position_column(),
    text_column("name_en"),
    text_column("name_zh"),
    text_column("timezone"),
    text_column("currency"),
    text_column("holiday_country"),
    text_column("holiday_subdivision"),
    sa.Column("holiday_shift_days", sa.Integer, nullable=False),
    sa.Column("banner_en", sa.Text),
    sa.Column("banner_zh", sa.Text),
    sa.Column("custodian", sa.Text),  # who decides about data levels
)

graded_point = sa.Table(
    "graded_point", METADATA, sa.Column("point", sa.Text, primary_key=True), text_column("level")
)  # the level decided last, also of points that are gone

price = sa.Table(
    "price",
    METADATA,
    id_column(),
    position_column(),
    text_column("utility"),
    sa.Column("per_unit", sa.Double, nullable=False),
    text_column("valid_from"),
    text_column("basis"),
)

closure = sa.Table(
    "closure", METADATA, id_column(), position_column(), text_column("first"), text_column("last"), text_column("name")
)

department = sa.Table(
    "department",
    METADATA,
    id_column(),
    position_column(),
    text_column("name_en"),
    text_column("name_zh"),
    text_column("cost_centre"),
)

building = sa.Table(
    "building",
    METADATA,
    id_column(),
    position_column(),
    text_column("name_en"),
    text_column("name_zh"),
    text_column("use"),
    sa.Column("floor_area_m2", sa.Double),
    sa.Column("hours", sa.JSON, nullable=False),
    sa.Column("armed", sa.JSON, nullable=False),
    sa.Column("totals", sa.JSON(none_as_null=True)),  # utility: level, where the custodian graded it
)

space = sa.Table(
    "space",
    METADATA,
    id_column(),
    position_column(),
    text_column("building"),
    text_column("name_en"),
    text_column("name_zh"),
    text_column("kind"),
)

agent = sa.Table("agent", METADATA, id_column(), position_column())

bus = sa.Table(
    "bus",
    METADATA,
    id_column(),
    position_column(),
    text_column("agent"),
    text_column("bus"),
    text_column("url"),
    sa.Column("timeout_s", sa.Double, nullable=False),
)

meter = sa.Table(
    "meter",
    METADATA,
    id_column(),
    position_column(),
    text_column("name_en"),
    text_column("name_zh"),
    text_column("profile"),
    text_column("agent"),
    text_column("connection"),
    text_column("unit"),
    text_column("space"),
    sa.Column("utility", sa.Text),
    text_column("role"),
    text_column("enduse"),
    text_column("serial"),
    sa.Column("ct_ratio", sa.Double, nullable=False),
    sa.Column("pt_ratio", sa.Double, nullable=False),
    sa.Column("digits", sa.Integer),
    sa.Column("poll_s", sa.Double, nullable=False),
    text_column("provenance"),
    sa.Column("rolls_over_at", sa.Double),
    sa.Column("most_per_hour", sa.Double),
    sa.Column("shares_device", sa.Boolean),
    sa.Column("read_every_days", sa.Integer),  # by people; NULL: an agent reads it
)

point = sa.Table(
    "point",
    METADATA,
    id_column(),
    position_column(),
    text_column("meter"),
    text_column("quantity"),
    text_column("channel"),
    sa.Column("level", sa.Text),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("ratio", sa.Text),
)

assignment = sa.Table(
    "assignment",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    text_column("what"),  # meter: stands in a building; building: belongs to a department
    text_column("subject"),
    text_column("target"),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant),
    sa.Index("ix_assignment_what_subject", "what", "subject"),
)

revision = sa.Table(
    "revision",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    text_column("by"),
    text_column("summary"),  # what it changed, as people read it
    sa.Column("document", sa.JSON(none_as_null=True)),  # the rows of an applied site.yaml; NULL: edited elsewhere
)

# Cases.

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    text_column("key"),
    sa.Column("open_key", sa.Text, unique=True),  # the key while open or acknowledged: one such case per key
    text_column("detector"),
    text_column("building"),
    text_column("meter"),
    text_column("point"),
    text_column("state"),
    sa.Column("severity", sa.Integer, nullable=False),
    text_column("message_id"),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("raised_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("excess", sa.JSON(none_as_null=True)),
    sa.Column("money", sa.JSON(none_as_null=True)),
    sa.Column("resolved_at", Instant),
    text_column("acknowledged_by"),
    sa.Column("acknowledged_at", Instant),
    sa.Column("verdict", sa.Text),
    text_column("verdict_note"),
    sa.Column("closed_at", Instant),
    sa.Column("notify", sa.Boolean, nullable=False),
    sa.Column("acts", sa.Integer, nullable=False),  # of people: an act states the number it is based on
    sa.Column("cause", sa.Text),
    sa.Column("snoozed_until", Instant),
    sa.Column("snoozed_over", sa.Double),
    sa.Column("plan", sa.Integer),
    sa.Column("parent", sa.String(36), index=True),
    sa.Column("saving", sa.JSON(none_as_null=True)),
    sa.Index("ix_alert_key", "key"),
    sa.Index("ix_alert_state_raised_at", "state", "raised_at", "id"),  # state and time: a page is read from it in order
    sa.Index("ix_alert_building_state", "building", "state", "raised_at", "id"),
)

case_event = sa.Table(
    "case_event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("alert", sa.String(36), sa.ForeignKey("alert.id"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    text_column("what"),
    text_column("by"),
    text_column("note"),
)

planned_event = sa.Table(
    "planned_event",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    text_column("kind"),  # maintenance | event
    text_column("building"),
    sa.Column("meter", sa.Text),  # NULL: every meter of the building
    sa.Column("detector", sa.Text),  # NULL: whatever is found
    sa.Column("begins_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    sa.Column("every_week", sa.Boolean, nullable=False),
    text_column("zone"),  # whose clocks a week is told by
    text_column("reason"),
    text_column("by"),
    sa.Column("noted_at", Instant, nullable=False),
    sa.Column("withdrawn_at", Instant),
    sa.Index("ix_planned_event_building", "building"),
)

# People and what they did.

person = sa.Table(
    "person",
    METADATA,
    id_column("name"),
    text_column("language"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("password", sa.Text),  # as argon2id hashed it
    sa.Column("totp", sa.Text),  # the secret shared with their phone
    sa.Column("totp_step", sa.BigInteger),  # of the newest code that was used: none works twice
    sa.Column("closed_at", Instant),
    sa.Column("changes", sa.Integer, nullable=False, server_default="0"),  # an edit states the number it is based on
)

token = sa.Table(
    "token",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    text_column("kind"),
    sa.Column("name", sa.Text, sa.ForeignKey("person.name"), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
    sa.Column("seen_at", Instant),
    sa.Column("begun_at", Instant),
    sa.Column("browser", sa.Text),  # what it calls itself; NULL where nobody said
    sa.Column("address", sa.Text),
    sa.Column("proof", sa.Text),  # link | password | second_factor
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    text_column("who"),
    text_column("what"),
    text_column("subject"),
    text_column("detail"),
    sa.Column("hash", sa.String(64), nullable=False),
)

audit_head = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("seal", sa.String(64)),
)
