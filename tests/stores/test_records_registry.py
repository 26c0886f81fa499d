"""The estate goes into the registry and comes out as it was; what people edited is not lost."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from rigs.campus import estate, renamed

from facility.building_use import BuildingUse
from facility.catalogue import Agent, Bus
from facility.errors import ConfigError
from facility.factors import Co2Factor, TypicalUse
from facility.quantities import Utility
from stores.records import tables
from stores.records.accounting.stated import STATED
from stores.records.audit import Audit
from stores.records.columns import METADATA
from stores.records.database import open_records, writing
from stores.records.estate import Change
from stores.records.registry import Registry


@pytest.fixture
def registry(engine):
    return Registry(engine)


@pytest.fixture
def applied(registry, now):
    registry.apply(estate(), by="anna", at=now)
    return registry


def test_an_empty_registry_says_what_to_do(registry):
    with pytest.raises(ConfigError, match="no estate has been applied; run meterhouse site apply FILE"):
        registry.load()
    assert registry.version() == 0


def test_an_estate_comes_out_as_it_went_in(applied):
    assert applied.load() == estate()
    assert applied.version() == 1


def test_that_a_device_is_shared_is_kept_and_taken_back(applied, now):
    plain = estate()
    shared = replace(plain, meters=tuple(replace(meter, shares_device=True) for meter in plain.meters))
    changes = applied.apply(shared, by="anna", at=now + timedelta(days=1))
    assert {change.field for change in changes} == {"shares_device"}
    assert applied.load() == shared
    applied.apply(plain, by="anna", at=now + timedelta(days=2))
    assert applied.load() == plain


def test_a_first_apply_adds_everything(registry, now):
    planned = registry.difference(estate()).changes
    assert registry.apply(estate(), by="anna", at=now) == planned
    assert {change.kind for change in planned} == {"added"}
    assert "added meter total" in map(str, planned)
    assert "added price electricity from 2026-01-01" in map(str, planned)


def test_a_large_estate_is_applied_in_as_many_statements_as_a_small_one(registry, engine, now):
    small = estate()
    first, said = small.meters[0], []
    more = tuple(replace(first, id=f"more-{n}") for n in range(500))
    sa.event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    registry.apply(small, by="anna", at=now)
    few, n = len(said), len(small.meters)
    registry.apply(replace(small, meters=(*small.meters, *more)), by="anna", at=now + timedelta(days=1))
    registry.apply(replace(small, meters=small.meters), by="anna", at=now + timedelta(days=2))
    assert len(said) <= 3 * few
    assert len(registry.assignments("meter", "more-7")) == 1
    assert len(registry.load().meters) == n


def test_a_second_apply_changes_nothing(applied, engine, now):
    assert applied.difference(estate()).changes == []
    assert applied.apply(estate(), by="anna", at=now + timedelta(days=1)) == []
    assert applied.version() == 1
    assert len(Audit(engine).entries()) == 1


def test_a_difference_is_told_field_by_field(applied, now):
    changed = estate(
        ('serial: "A1"', 'serial: "B2"'), ("per_unit: 4", "per_unit: 5"), ("library, name: Lib", "books, name: Lib")
    )
    sentences = [str(change) for change in applied.difference(changed).changes]
    assert sentences == [
        "changed price water from 2024-01-01: per_unit 4.0 → 5.0",
        "added department books",
        "removed department library",
        "changed meter total: serial 'A1' → 'B2'",
    ]
    applied.apply(changed, by="anna", at=now)
    assert applied.load() == changed
    assert applied.version() == 2


def test_factors_are_kept_with_their_source_and_a_newer_one_is_a_difference(applied, now):
    factor = Co2Factor(Utility.ELECTRICITY, 0.5366, date(2024, 1, 1), "announcement")
    typical = TypicalUse(BuildingUse.OFFICE, Utility.ELECTRICITY, 95.0, "TM46")
    stated = replace(estate(), site=replace(estate().site, co2=(factor,), typical_use=(typical,)))
    applied.apply(stated, by="anna", at=now)
    assert applied.load() == stated
    newer = replace(factor, kg_per_unit=0.5306, basis="announcement 47")
    changed = replace(stated, site=replace(stated.site, co2=(newer,), typical_use=()))
    assert [str(change) for change in applied.difference(changed).changes] == [
        "changed co2_factor electricity from 2024-01-01: kg_per_unit 0.5366 → 0.5306",
        "changed co2_factor electricity from 2024-01-01: basis 'announcement' → 'announcement 47'",
        "removed typical_use electricity of office",
    ]


def test_a_new_order_is_no_difference_and_is_kept(applied, now):
    swapped = replace(estate(), buildings=estate().buildings[::-1])
    assert applied.apply(swapped, by="anna", at=now) == []
    assert [b.id for b in applied.load().buildings] == ["annex", "main"]


def test_a_moved_meter_does_not_rewrite_last_year(applied, now):
    moved_at = now + timedelta(days=100)
    moved = estate(("id: door, name: Door, building: main", "id: door, name: Door, building: annex"))
    applied.apply(moved, by="anna", at=moved_at)
    first, second = applied.assignments("meter", "door")
    assert (first.target, first.valid_from, first.valid_to) == ("main", now, moved_at)
    assert (second.target, second.valid_from, second.valid_to) == ("annex", moved_at, None)
    assert applied.load() == moved


def test_since_when_the_estate_has_a_meter_is_known_however_often_it_moves(applied, now):
    moved = estate(("id: door, name: Door, building: main", "id: door, name: Door, building: annex"))
    applied.apply(moved, by="anna", at=now + timedelta(days=100))
    assert applied.named_ms() == {meter.id: round(now.timestamp() * 1000) for meter in moved.meters}


def test_a_building_belongs_to_a_department_for_a_time(applied, now):
    left_at = now + timedelta(days=1)
    applied.apply(estate(("name: Main, department: estates", "name: Main")), by="anna", at=left_at)
    assert [(a.target, a.valid_to) for a in applied.assignments("building", "main")] == [("estates", left_at)]
    assert applied.assignments("building", "annex") == []
    assert applied.load().building["main"].department == ""


def test_a_removed_meter_leaves_its_past(applied, now):
    without = replace(estate(), meters=estate().meters[:1], points=estate().points[:2])
    applied.apply(without, by="anna", at=now + timedelta(days=1))
    assert applied.load() == without
    assert [a.valid_to for a in applied.assignments("meter", "door")] == [now + timedelta(days=1)]


def test_what_was_edited_elsewhere_is_not_undone(applied, now):
    applied.edit(renamed(estate(), "Great hall"), based_on=1, by="bob", at=now)
    with pytest.raises(ConfigError, match=r"changed building main: name_en 'Main' → 'Great hall'[\s\S]*--accept"):
        applied.apply(estate(), by="anna", at=now)
    assert applied.load().building["main"].name.en == "Great hall"
    assert [str(c) for c in applied.apply(estate(), by="anna", at=now, accept=True)] == [
        "changed building main: name_en 'Great hall' → 'Main'"
    ]
    assert applied.load() == estate()
    assert applied.apply(estate(), by="anna", at=now) == []


def test_an_edit_that_the_document_has_taken_up_is_no_obstacle(applied, now):
    applied.edit(renamed(estate(), "Great hall"), based_on=1, by="bob", at=now)
    assert applied.apply(renamed(estate(), "Great hall"), by="anna", at=now) == []
    applied.apply(renamed(estate(), "Small hall"), by="anna", at=now)
    assert applied.load().building["main"].name.en == "Small hall"


def test_an_edit_elsewhere_does_not_hinder_a_document_that_keeps_it(applied, now):
    edited = renamed(estate(), "Great hall")
    applied.edit(edited, based_on=1, by="bob", at=now)
    assert len(applied.apply(renamed(estate(('"A1"', '"B2"')), "Great hall"), by="anna", at=now)) == 1


def test_a_row_changed_in_the_database_counts_as_edited(applied, engine, now):
    with writing(engine) as connection:
        connection.execute(sa.update(tables.meter).where(tables.meter.c.id == "total").values(serial="X"))
    with pytest.raises(ConfigError, match="serial 'A1' → 'X'"):
        applied.apply(estate(), by="anna", at=now)


def test_two_prices_from_one_day_are_refused(registry, now):
    whole = estate()
    twice = replace(whole, site=replace(whole.site, prices=2 * whole.site.prices[:1]))
    with pytest.raises(ConfigError, match="two entries 'electricity from 2024-01-01' under price"):
        registry.apply(twice, by="anna", at=now)
    assert registry.version() == 0


def test_each_change_is_audited(applied, engine, now):
    applied.edit(renamed(estate(), "Great hall"), based_on=1, by="bob", at=now)
    edit, apply = Audit(engine).entries()
    assert (apply.who, apply.what, apply.subject) == ("anna", "site.apply", "campus")
    assert (edit.who, edit.what) == ("bob", "site.edit")
    assert edit.detail == "changed building main: name_en 'Main' → 'Great hall'"


def with_radio(url):
    made = estate()
    return replace(made, agents=(Agent("edge-1", (Bus("radio", url),)),), meters=(), points=(), installations=())


def test_the_password_of_a_devices_broker_is_kept_nowhere(engine, now, tmp_path):
    registry = Registry(engine)
    registry.apply(with_radio("mqtt://li:s3cr3t@127.0.0.1"), by="anna", at=now)
    (bus,) = registry.load().agents[0].buses
    assert bus.url == "mqtt://li@127.0.0.1?password_env=METERHOUSE_PASSWORD_RADIO"
    assert registry.difference(with_radio("mqtt://li:another@127.0.0.1")).changes == []
    with engine.connect() as connection:
        said = [str(row) for table in METADATA.sorted_tables for row in connection.execute(sa.select(table))]
    assert not [row for row in said if "s3cr3t" in row]


ORDERS = (
    *("letter_offer", "order_offer", "order_step", "order_file", "order_mark", "work_order", "report_place"),
    *("shift", "day_off", "worker"),
)
LETTERS = ("letter_step", "letter", "letter_mark", "contact")
ACCOUNT_COLUMNS = {
    "person": ("password", "totp", "totp_step", "closed_at", "changes"),
    "token": ("begun_at", "browser", "address", "proof"),
    "site": ("custodian",),
    "errand": ("of_import",),
    "alert": ("cause", "snoozed_until", "snoozed_over", "plan", "parent", "saving"),
}
"""What came with accounts, levels and casework, later than passwords in URLs went."""


def test_passwords_that_were_kept_once_are_kept_no_more(engine, now):
    registry = Registry(engine)
    registry.apply(with_radio("mqtt://li@127.0.0.1"), by="anna", at=now)
    with writing(engine) as connection:
        old = {"url": "mqtt://li:s3cr3t@127.0.0.1"}
        connection.execute(sa.update(tables.bus).values(old))
        (document,) = connection.execute(sa.select(tables.revision.c.document)).scalars()
        document["bus"]["edge-1/radio"] |= old
        connection.execute(sa.update(tables.revision).values(document=document))
        connection.execute(sa.text("ALTER TABLE audit_head DROP COLUMN seal"))  # came later
        connection.execute(sa.text("ALTER TABLE meter DROP COLUMN read_every_days"))  # the same
        connection.execute(sa.text("ALTER TABLE building DROP COLUMN totals"))  # the same
        for name in (
            *STATED,
            "role_grant",
            "recovery_code",
            "sign_in_attempt",
            "graded_point",
            "reading_import",
            *ORDERS,
            *LETTERS,
            "planned_event",
            "identity",
        ):
            connection.execute(sa.text(f"DROP TABLE {name}"))
        connection.execute(sa.text("DROP INDEX ix_alert_parent"))
        for table, columns in ACCOUNT_COLUMNS.items():
            for column in columns:
                connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0012'"))
    open_records(engine.url.render_as_string(hide_password=False)).dispose()
    (bus,) = registry.load().agents[0].buses
    assert bus.url == "mqtt://li@127.0.0.1?password_env=METERHOUSE_PASSWORD_RADIO"
    assert registry.difference(with_radio("mqtt://li:any@127.0.0.1")).edits == []


def test_a_change_tells_no_password():
    sentence = str(Change("changed", "bus", "radio", "url", "mqtt://a:old'1@h:1", "mqtt://a:new@h:2"))
    assert sentence == "changed bus radio: url \"mqtt://a:…@h:1\" → 'mqtt://a:…@h:2'"
    assert str(Change("changed", "meter", "m", "serial", "A:1", "B@2")) == "changed meter m: serial 'A:1' → 'B@2'"
