"""The demo's world: deterministic, conserving, honest about gaps, and wrong only where it says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from accounting.intervals import use_of
from accounting.ledger import stitched, stretches_of
from demo.devices.radio import Sender
from demo.devices.unit import Unit
from demo.estate import shipped_site
from demo.faults import DOOR, FAULTS, LEAK, LIGHTS, SILENT, STUCK, injected
from demo.recording import GAS_KWH_PER_M3, HOUR_MS, load_recording
from demo.shift import choose_shift
from demo.upkeep import METER, silence_ms, swap_of
from demo.world import World
from device_profiles import load_profiles
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.modbus.registers import decode_registers
from facility.documents.site import load_site
from facility.model import MeterRole, Provenance
from facility.protocols.modbus.profile import ModbusProfile
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.quantities import ACCOUNTED, Kind, Quantity, Utility
from stores.site_file import read_site

LONDON = ZoneInfo("Europe/London")
DAYS_SHOWN = [datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(days=i) for i in range(7)]


def times(world, step_ms=HOUR_MS):
    return np.arange(world.axis.start_ms, world.axis.end_ms + 1, step_ms, dtype=np.int64)


def hourly(world, meter):
    point = world.catalogue.accounted_point(world.catalogue.meter[meter])
    return np.diff(world.true_values(point, world.axis.edges_ms()))


def test_the_shipped_estate_has_no_problems_and_every_source():
    catalogue = load_site(shipped_site(), "site.yaml", load_profiles())
    assert len(catalogue.buildings) == 6
    assert len(catalogue.points) <= 80
    utilities = {meter.utility for meter in catalogue.meters}
    assert {Utility.ELECTRICITY, Utility.GAS, Utility.WATER} <= utilities
    quantities = {point.quantity for point in catalogue.points}
    assert {Quantity.TEMPERATURE, Quantity.CO2, Quantity.DOOR_OPEN, Quantity.LEAK, Quantity.BATTERY} <= quantities
    recorded = {m.id for m in catalogue.meters if m.provenance is Provenance.RECORDED}
    assert len(recorded) == 10
    assert all(m.provenance is not Provenance.METERED for m in catalogue.meters)
    assert all(m.name.zh for m in catalogue.meters)
    assert all(b.name.zh for b in catalogue.buildings)


def test_all_recorded_meters_are_heads_and_all_have_an_accounted_counter(world):
    for meter in world.catalogue.meters:
        if meter.utility:
            assert world.catalogue.find_point(meter.id, ACCOUNTED[meter.utility])
        if meter.provenance is Provenance.RECORDED and meter.utility:
            assert meter.role is MeterRole.HEAD


def test_the_world_is_the_same_at_every_start(world, folder, shift):
    again = World(shift, read_site(folder / "site.yaml", load_profiles()), load_profiles())
    t_ms = times(world, 7 * HOUR_MS + 12_345)
    for point in world.catalogue.points:
        np.testing.assert_array_equal(world.values(point, t_ms), again.values(point, t_ms))


def test_one_instant_shows_the_same_alone_as_among_others(world, now_ms):
    t_ms = now_ms + np.arange(-5, 5, dtype=np.int64) * 1_234_567
    for point in world.catalogue.points:
        alone = [world.values(point, t_ms[i : i + 1])[0] for i in range(len(t_ms))]
        np.testing.assert_array_equal(world.values(point, t_ms), alone)


def test_counters_never_go_back_and_every_value_is_plausible(world):
    t_ms = times(world, 20 * 60_000)
    for point in world.catalogue.points:
        x = world.values(point, t_ms)
        low, high = point.range
        assert np.isfinite(x).all()
        assert x.min() >= low
        assert x.max() <= high
        if point.quantity.kind is Kind.COUNTER:
            steps = np.diff(x)
            assert (steps < 0.0).sum() == (point.meter == METER), point.id


def test_what_is_shown_equals_what_the_registers_decode_to_bit_for_bit(world, now_ms):
    instants = [now_ms, now_ms + 10_007, now_ms - 40 * 24 * HOUR_MS]
    for meter in world.catalogue.meters:
        profile = world.profiles[meter.profile]
        if not isinstance(profile, ModbusProfile):
            continue
        unit = Unit(world, meter)
        for t_ms in instants:
            registers = unit.registers(t_ms)
            for point in world.catalogue.points_of(meter.id):
                place = world.offered(point)
                offset = place.address - unit.first
                decoded = decode_registers(place, registers[offset : offset + place.coding.registers])
                assert decoded == world.values(point, np.array([t_ms]))[0], point.id


def test_what_is_shown_equals_what_the_messages_decode_to_bit_for_bit(world, now_ms):
    for meter in world.catalogue.meters:
        profile = world.profiles[meter.profile]
        if not isinstance(profile, MqttJsonProfile):
            continue
        said = {}
        for topic, payload in Sender(world, meter).messages(now_ms).items():
            said |= decode_json(profile.points, topic, payload.encode(), unit=meter.unit)
        points = world.catalogue.points_of(meter.id)
        expected = {f"{p.quantity.word}/{p.channel}": world.values(p, np.array([now_ms]))[0] for p in points}
        assert said == expected


def test_the_real_use_is_conserved(world):
    recording = load_recording()
    for series, meter in (("b35_electricity", "b35-electricity"), ("b77_gas", "b77-gas")):
        expected = recording.filled(series)[world.axis.recorded]
        np.testing.assert_allclose(hourly(world, meter), expected, atol=1e-6)
    assert recording.series["b77_gas"].max() == pytest.approx(566.9 / GAS_KWH_PER_M3)


def test_a_part_never_takes_more_than_its_whole(world):
    for meter in world.catalogue.meters:
        if meter.utility and meter.role is MeterRole.SUB:
            (head,) = world.catalogue.head_meters(meter.building, meter.utility)
            assert (hourly(world, meter.id) <= hourly(world, head.id) + 1e-6).all(), meter.id


def test_a_swapped_meter_and_its_silence_conserve_the_real_use_by_the_ledger(world, shift):
    point = world.catalogue.accounted_point(world.catalogue.meter[METER])
    stretches = stretches_of(world.catalogue.meter[METER], point, world.catalogue.installations)
    swap, silence = swap_of(shift), silence_ms(shift)
    assert silence[1] - silence[0] == 12 * HOUR_MS
    assert [one.closing for one in stretches] == [None, swap.closing]
    t_ms = times(world)
    t_ms = t_ms[world.answers(METER, t_ms)]
    use = use_of(stitched(t_ms, world.values(point, t_ms), stretches), times(world))
    real = load_recording().filled("b105_electricity")[world.axis.recorded]
    assert use.qty.sum() == pytest.approx(real.sum(), abs=2.0)  # faces show whole kWh or tenths
    assert ((times(world)[:-1] >= silence[0]) & (times(world)[:-1] < silence[1]) & (use.est_qty == 0)).sum() == 0


def test_an_electricity_zero_of_the_source_is_a_silence_and_the_register_goes_on(world, shift):
    recording = load_recording()
    missing = np.isnan(recording.series["b57_electricity"])
    assert missing.sum() == 24
    first = shift.shown(datetime(2022, 11, 7, 1)).timestamp() * 1000  # noqa: DTZ001
    gap = np.array([first + HOUR_MS / 2, first + 10 * HOUR_MS, first + 23 * HOUR_MS], dtype=np.int64)
    assert not world.answers("b57-electricity", gap).any()
    around = np.array([first, first + 23 * HOUR_MS + 1], dtype=np.int64)
    assert world.answers("b57-electricity", around).all()
    point = world.catalogue.accounted_point(world.catalogue.meter["b57-electricity"])
    grown = np.diff(world.true_values(point, around))[0]
    assert 23 * 10 < grown < 23 * 30


def test_nothing_answers_outside_the_recorded_time(world):
    outside = np.array([world.axis.start_ms - 1, world.axis.end_ms + 1], dtype=np.int64)
    assert not any(world.answers(meter.id, outside).any() for meter in world.catalogue.meters)


@pytest.mark.parametrize("now", DAYS_SHOWN, ids=lambda now: f"{now:%a}")
def test_every_fault_lies_within_the_21_days_before_any_today(now):
    shift = choose_shift(now.astimezone(LONDON).date())
    for fault in injected(shift):
        onset = datetime.fromisoformat(fault["onset"])
        assert timedelta(days=2) < now - onset <= timedelta(days=21)
        assert fault["end"] is None or datetime.fromisoformat(fault["end"]) < now


def test_no_two_faults_touch_one_meter():
    meters = [meter for fault in FAULTS for meter in (fault.meter, *fault.also)]
    assert len(meters) == len(set(meters))
    assert {fault.kind for fault in FAULTS} == {
        "continuous_flow",
        "night_waste",
        "stuck_meter",
        "silent_meter",
        "door_left_open",
    }


def test_water_rests_every_night_until_it_leaks(world, shift):
    use = hourly(world, LEAK.meter)
    onset = (LEAK.span_ms(shift)[0] - world.axis.start_ms) // HOUR_MS
    windows = np.lib.stride_tricks.sliding_window_view(use[: onset + 2], 24)
    assert ((windows == 0.0).sum(axis=1) >= 4).all()
    assert use[onset:].min() == pytest.approx(LEAK.size)


def test_lights_left_on_are_on_the_lighting_meter_and_on_its_head(world, shift):
    start, end = ((t - world.axis.start_ms) // HOUR_MS for t in LIGHTS.span_ms(shift))
    assert end - start == 61
    lights, head = hourly(world, "b77-lights"), hourly(world, "b77-electricity")
    real = load_recording().filled("b77_electricity")[world.axis.recorded]
    assert lights[start + 1 : end].min() == pytest.approx(25.0)
    assert (head - real)[start + 1 : end].min() > 20.0
    assert np.abs(np.delete(head - real, np.arange(start, end))).max() < 1e-6
    week_before = lights[start - 168 : end - 168]
    assert np.median(week_before) < 2.0


def test_the_stuck_register_stands_still_and_then_jumps_to_its_true_value(world, shift):
    start, end = STUCK.span_ms(shift)
    point = world.catalogue.accounted_point(world.catalogue.meter[STUCK.meter])
    x = world.values(point, np.arange(start, end + 1, HOUR_MS, dtype=np.int64))
    assert np.ptp(x[:-1]) == 0.0
    assert x[-1] - x[0] > 58 * 15
    assert world.answers(STUCK.meter, np.arange(start, end, HOUR_MS, dtype=np.int64)).all()


def test_the_silent_meter_says_nothing_and_is_back(world, shift):
    start, end = SILENT.span_ms(shift)
    assert end - start == 40 * HOUR_MS
    assert not world.answers(SILENT.meter, np.array([start, end - 1])).any()
    assert world.answers(SILENT.meter, np.array([start - 1, end])).all()


def test_the_door_stays_open_while_lights_burn(world, shift):
    start, end = DOOR.span_ms(shift)
    t_ms = np.arange(start, end, 60_000, dtype=np.int64)
    assert world.values(world.catalogue.point["b33-door/door_open/door"], t_ms).min() == 1.0
    hours = slice((start - world.axis.start_ms) // HOUR_MS, (end - world.axis.start_ms) // HOUR_MS)
    assert hourly(world, "b33-lights")[hours].min() == pytest.approx(12.0)


def test_rooms_and_server_room_are_lifelike(world, now_ms):
    t_ms = np.arange(now_ms - 28 * 24 * HOUR_MS, now_ms, 60_000, dtype=np.int64)
    freezer = world.values(world.catalogue.point["b62-freezer/temperature/total"], t_ms)
    assert -15.5 < freezer.max() < -12.0
    assert np.median(freezer) == pytest.approx(-20.0, abs=0.5)
    pue = hourly(world, "b35-server-room").sum() / hourly(world, "b35-server-it").sum()
    assert 1.4 < pue < 1.6
    co2 = world.values(world.catalogue.point["b62-reading-room/co2/total"], t_ms)
    assert co2.min() < 450
    assert co2.max() > 1000
