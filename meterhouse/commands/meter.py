"""``meterhouse meter``: the ledger of what hung where, and its swaps and corrections."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.ledger import BEGINNING, Installation, amended, history_of, present_facts, removed, swapped, told_ratios
from facility.ledger_faults import check_history
from facility.ledger_ratio import corrected, told_from, true_ratios
from facility.wall_time import written_instant
from meterhouse.commands.meter_ratio import AgentFrom, agent_knows_from, check_ratio, positive, say_who_must_know
from meterhouse.commands.spoken import given_by, given_reason
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.readings import open_readings
from stores.readings.ledger_check import check_reads
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.model import Meter
    from stores.records.registry import Revision

app = typer.Typer(no_args_is_help=True)


def _finite(option: typer.CallbackParam, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ConfigError(Problem(option.opts[0], f"{value:g} is no number that a register shows", "such as 84211.7"))
    return value


Which = Annotated[str, typer.Argument(help="The meter's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the entry and in the audit trail.")]
By = Annotated[str, typer.Option("--by", help="Who did it; you, unless said otherwise.")]
Face = Annotated[float | None, typer.Option(min=0, callback=_finite, help="A read as the register's face shows it.")]
Digits = Annotated[int | None, typer.Option("--digits", min=3, max=12, help="Whole digits of the register.")]
RollsOver = Annotated[
    float | None,
    typer.Option("--rolls-over-at", min=1, callback=_finite, help="Where the register begins again."),
]


@app.command("list", help="One line per meter: what hangs there now.")
def list_meters(
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
) -> None:
    """Print every meter with the device that hangs there."""
    estate = _registry().load()
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    rows = []
    for meter in estate.meters:
        if meter.utility is None or (building and meter.building != building):
            continue
        history = history_of(meter, estate.installations)
        now = history[-1]
        rows.append((meter.building, meter.id, meter.role, now.serial or "–", *_facts(now), len(history)))
    headings = ("building", "meter", "role", "serial", "CT", "PT", "rolls over at", "entries")
    typer.echo(render_table(headings, rows, right=(4, 5, 6, 7)))


@app.command(help="Everything that hung at a meter's place, oldest first.")
def history(meter: Which) -> None:
    """Print a meter's ledger."""
    estate = _registry().load()
    zone = ZoneInfo(estate.site.timezone)
    rows = []
    for one in history_of(_meter(estate, meter), estate.installations):
        since = "beginning" if one.since == BEGINNING else _local(one.since, zone)
        serial = "(same)" if one.continues else one.serial or "–"
        reads = _read(one.closing), _read(one.opening)
        rows.append((since, serial, *_facts(one), *reads, one.by or "–", one.reason, one.photo))
    headings = ("since", "serial", "CT", "PT", "rolls over at", "closing", "opening", "by", "reason", "photo")
    typer.echo(render_table(headings, rows, right=(2, 3, 4, 5, 6)))


@app.command(help="Note that another device hangs there: closing read of the old one, opening read of the new one.")
def swap(
    meter: Which,
    *,
    at: Annotated[str, typer.Option("--at", help="When, local time: '2026-09-14 10:30'.")],
    reason: Reason,
    serial: Annotated[str, typer.Option("--serial", help="Serial of the new device.")] = "",
    closing: Face = None,
    opening: Face = None,
    digits: Digits = None,
    rolls_over_at: RollsOver = None,
    ct: Annotated[
        float | None, typer.Option("--ct", help="Its current transformer ratio; as before if not said.")
    ] = None,
    pt: Annotated[
        float | None, typer.Option("--pt", help="Its voltage transformer ratio; as before if not said.")
    ] = None,
    agent_from: AgentFrom = "",
    photo: Annotated[str, typer.Option("--photo", help="Where the photo of both faces is kept.")] = "",
    by: By = "",
) -> None:
    """Write a swap into the ledger and have its use computed again."""
    registry = _registry()
    found = registry.revision()
    estate = found.catalogue
    place, when = _meter(estate, meter), _past(estate, "--at", at)
    old = history_of(place, estate.installations)
    told = told_ratios(old[-1])
    new = Installation(
        meter=meter,
        since=when,
        serial=serial,
        digits=digits if digits or rolls_over_at else old[-1].digits,
        rolls_over_at=rolls_over_at if digits or rolls_over_at else old[-1].rolls_over_at,
        ct_ratio=positive("--ct", ct) or old[-1].ct_ratio,
        pt_ratio=positive("--pt", pt) or old[-1].pt_ratio,
        told_ct_ratio=told[0],
        told_pt_ratio=told[1],
        opening=opening,
        closing=closing,
        photo=photo,
        reason=given_reason(reason),
        by=given_by(by),
    )
    ratios, known = true_ratios(new), None
    if ct is not None or pt is not None:
        check_ratio(estate, place)
        known = agent_knows_from(estate, place, agent_from, told) if ratios != told else None
    changed = told_from(swapped(old, new), known, ratios, new)
    _write(registry, found, place, changed, "meter.swap", new)
    say_who_must_know(place, known)


@app.command(help="Put the ledger right from a date on: ratios, reads, serial, digits.")
def correct(
    meter: Which,
    *,
    since: Annotated[str, typer.Option("--from", help="From when on, local time: '2026-03-01'.")],
    reason: Reason,
    ct: Annotated[float | None, typer.Option("--ct", help="The true current transformer ratio.")] = None,
    pt: Annotated[float | None, typer.Option("--pt", help="The true voltage transformer ratio.")] = None,
    agent_from: AgentFrom = "",
    serial: Annotated[str | None, typer.Option("--serial", help="The true serial.")] = None,
    closing: Face = None,
    opening: Face = None,
    digits: Digits = None,
    rolls_over_at: RollsOver = None,
    by: By = "",
) -> None:
    """Correct what the ledger says and have what depends on it computed again."""
    registry = _registry()
    found = registry.revision()
    estate = found.catalogue
    place, when, known = _meter(estate, meter), _past(estate, "--from", since), None
    note = Installation(meter, when, reason=given_reason(reason), by=given_by(by))
    changed = history_of(place, estate.installations)
    facts = {
        "serial": serial,
        "closing": closing,
        "opening": opening,
        "digits": digits,
        "rolls_over_at": rolls_over_at,
    }
    told: dict[str, object] = {name: value for name, value in facts.items() if value is not None}
    if digits is not None or rolls_over_at is not None:
        told |= {"digits": digits, "rolls_over_at": rolls_over_at}
    if not told and ct is None and pt is None:
        raise ConfigError(Problem(f"meter correct {meter}", "nothing is corrected", "--ct, --pt, " + ", ".join(facts)))
    if told:
        changed = amended(changed, when, told)
    if ct is not None or pt is not None:
        in_force = [one for one in changed if one.since <= when] or [changed[0]]
        check_ratio(estate, place)
        true = replace(
            note,
            ct_ratio=positive("--ct", ct) or in_force[-1].ct_ratio,
            pt_ratio=positive("--pt", pt) or in_force[-1].pt_ratio,
        )
        known = agent_knows_from(estate, place, agent_from, told_ratios(in_force[-1]))
        changed = corrected(changed, when, known, true)
    _write(registry, found, place, changed, "meter.correct", note)
    say_who_must_know(place, known)


@app.command("remove-entry", help="Take an entry out that is wrong, such as a swap noted under another date.")
def remove_entry(
    meter: Which,
    *,
    entry: Annotated[str, typer.Option("--entry", help="Since when it holds, as 'meter history' shows it.")],
    reason: Reason,
    by: By = "",
) -> None:
    """Take a wrong entry out of the ledger and have what depends on it computed again; the audit trail keeps it."""
    registry = _registry()
    found = registry.revision()
    estate = found.catalogue
    place, when = _meter(estate, meter), written_instant("--entry", entry, ZoneInfo(estate.site.timezone))
    note = Installation(meter, when, reason=given_reason(reason), by=given_by(by))
    changed = removed(history_of(place, estate.installations), when)
    _write(registry, found, place, changed, "meter.remove-entry", note)


def _write(
    registry: Registry,
    found: Revision,
    place: Meter,
    changed: tuple[Installation, ...],
    what: str,
    note: Installation,
) -> None:
    """Keep what was changed in the estate as it was found. Raises ``Stale`` where somebody has changed it since."""
    estate = found.catalogue
    check_history(changed)
    check_reads(open_readings(Settings().store_url), estate, place, changed)
    others = tuple(one for one in estate.installations if one.meter != place.id)
    meters = tuple(present_facts(m, changed) if m.id == place.id else m for m in estate.meters)
    edited = replace(estate, meters=meters, installations=(*others, *changed))
    why = f"{place.id}: {note.reason}"
    changes = registry.edit(edited, based_on=found.version, by=note.by, at=datetime.now(UTC), what=what, reason=why)
    for change in changes:
        typer.echo(str(change))
    if not changes:
        raise ConfigError(f"{place.id}: the ledger already says so; nothing was written")
    typer.echo("its use is computed again by analytics; see meterhouse account recomputations.")


def _registry() -> Registry:
    return Registry(open_records(Settings().records_url))


def _meter(estate: Catalogue, meter: str) -> Meter:
    if meter not in estate.meter:
        raise ConfigError(Problem("meter", f"unknown meter '{meter}'", ", ".join(estate.meter)))
    return estate.meter[meter]


def _past(estate: Catalogue, option: str, text: str) -> datetime:
    zone = ZoneInfo(estate.site.timezone)
    at, now = written_instant(option, text, zone), datetime.now(UTC)
    if at > now:
        told = f"up to now, {_local(now.replace(microsecond=0), zone)}; note it once it is done"
        raise ConfigError(Problem(option, f"{_local(at, zone)} lies in the future", told))
    return at


def _local(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def _facts(one: Installation) -> tuple[str, str, str]:
    return f"{one.ct_ratio:g}", f"{one.pt_ratio:g}", f"{one.span:,.10g}" if one.span else "–"


def _read(face: float | None) -> str:
    return "–" if face is None else f"{face:,.10g}"
