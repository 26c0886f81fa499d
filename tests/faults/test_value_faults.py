"""Faults E8 to E11: what meters and senders say that cannot be."""

from __future__ import annotations

from contextlib import suppress
from math import fsum

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.trials import FULL, seeded

from accounting.intervals import use_between
from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from edge_agent.clock import EARLIEST_MS
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.modbus.registers import decode_registers, encode_registers
from edge_agent.suspicion import Suspicion
from facility import wire
from facility.errors import DriverError, Rejected
from facility.protocols.json_values import JsonPoint
from facility.protocols.modbus.profile import Coding, RegisterPoint, RegisterTable, WordOrder
from facility.quantities import GREATEST_RATES, Quantity
from ingest import decode as ingest_decode
from ingest.subscriber import Inbound

EXAMPLES = settings(
    max_examples=100_000 if FULL else 2000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def test_E8_swapped_words_are_kept_as_suspect_and_never_reach_a_total():
    """0 suspect values in totals; 0 raw values discarded, at 0.1 % swapped words."""
    chance = seeded()
    for coding, scale in ((Coding.UINT32, 0.01), (Coding.FLOAT32, 1.0)):
        big = RegisterPoint(Quantity.ENERGY_IMPORT, "total", 0, coding, RegisterTable.INPUT, scale=scale)
        little = RegisterPoint(
            Quantity.ENERGY_IMPORT, "total", 0, coding, RegisterTable.INPUT, scale=scale, word_order=WordOrder.LITTLE
        )
        suspicion = Suspicion({"c": GREATEST_RATES[Quantity.ENERGY_IMPORT]}, {})
        truth, raw, swapped, taken = 4912.5, [], set(), []
        for k in range(20_000):
            truth += chance.choice([0.0, 0.25, 0.5])
            words = encode_registers(big, truth)
            if chance.random() < 0.001 and k:
                swapped.add(k)
            value = decode_registers(little if k in swapped else big, words)
            raw.append(value)
            taken += suspicion.judge([("c", EARLIEST_MS + 60_000 * k, value, 0)])
        assert [x for _, _, x, _ in taken] == raw
        assert {k for k, sample in enumerate(taken) if sample[3] == 2} >= {k for k in swapped if raw[k] != raw[k - 1]}
        good = [sample for sample in taken if sample[3] != 2]
        assert len(taken) - len(good) <= len(swapped)  # nothing true is doubted
        t_ms, x = np.array([s[1] for s in good]), np.array([s[2] for s in good])
        ends = np.array([t_ms[0], t_ms[-1]])
        qty = use_between(t_ms, x, ends, max_rate=GREATEST_RATES[Quantity.ENERGY_IMPORT]).qty
        assert fsum(qty) == pytest.approx(truth - raw[0], abs=0.6)
        assert len(swapped) > 10


def test_E8_what_a_meter_counted_through_an_outage_is_believed_and_a_reset_after_three_readings():
    suspicion = Suspicion({"c": 5000.0}, {"c": (EARLIEST_MS, 100.0)})
    t_ms = EARLIEST_MS + 8 * HOUR_MS
    assert judged(suspicion, t_ms, [4100.0, 4100.1]) == [0, 0]
    t_ms += 60_000
    assert judged(suspicion, t_ms, [0.0, 0.1, 0.1, 0.2, 0.3]) == [2, 2, 2, 0, 0]
    assert judged(suspicion, t_ms + 60_000, [0.3, 9e8, 0.4]) == [0, 2, 0]


def judged(suspicion, t_ms, values):
    return [suspicion.judge([("c", t_ms + 1000 * i, x, 0)])[0][3] for i, x in enumerate(values)]


@EXAMPLES
@given(
    st.sampled_from([2.0**16, 2.0**32, 9_999_999.9]),
    st.lists(st.tuples(st.floats(0, 49), st.sampled_from(["on"] * 12 + ["reset"])), min_size=8, max_size=24),
    st.floats(0, 1),
)
def test_E9_rolled_over_and_reset_a_counter_never_counts_backwards_or_faster_than_it_can(span, walk, begin):
    """0 negative deltas; error of at most one interval per reset; 0 deltas above rated power × interval."""
    rate, quarter = 200.0, HOUR_MS // 4  # units an hour, 50 a quarter: a little more than the walks take
    register, used, resets = (span - 300 * begin) % span, [], 0
    x = [register]
    settled = 0
    for step, what in walk:
        settled += 1
        if what == "reset" and settled > 5 and register > 1000:
            register, resets, settled = 0.0, resets + 1, 0
        register = (register + step) % span
        used.append(step)
        x.append(register)
    x += [register] * 5  # long enough to settle the last anomaly
    t_ms = np.arange(len(x)) * quarter
    total = straightened(t_ms, np.array(x), register_span=span, max_rate=rate)
    steps = np.diff(total.total)
    hours = np.diff(total.t_ms) / HOUR_MS
    assert (steps >= 0).all()
    assert (steps <= rate * hours + 1e-6 * span**0.5 + 1e-6).all()
    lost = fsum(used) - float(total.total[-1] - total.total[0])
    # a register holds a small step back and its last digits; each reset may cost what was used in its interval
    assert lost + 1e-9 * span >= -1e-3 or resets
    assert abs(lost) <= resets * 50.0 + 0.1


def test_E10_zeros_after_a_restart_of_the_device_are_a_glitch():
    """100, 0, 0, 101 is +1, at the edge and in the accounts."""
    t_ms, x = np.arange(4) * 60_000, np.array([100.0, 0.0, 0.0, 101.0])
    assert straightened(t_ms, x).total.tolist() == [100.0, 101.0]
    suspicion = Suspicion({"c": 5000.0}, {})
    assert judged(suspicion, EARLIEST_MS, x.tolist()) == [0, 2, 2, 0]


NOT_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "null", "true", '"7"', "[]", "{}", "9" * 5000]
JSON_TEXTS = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3),
        max_leaves=6,
    ).map(msgspec.json.encode),
    st.integers(1, 5000).map(lambda depth: b"[" * depth),
    st.sampled_from(NOT_NUMBERS).map(lambda word: b'{"a":{"b":%s}}' % word.encode()),
)
JSON_POINTS = (
    JsonPoint(Quantity.ACTIVE_POWER, "total", "t", ("a", "b")),
    JsonPoint(Quantity.VOLTAGE, "total", "t", ("a", "1")),
    JsonPoint(Quantity.DOOR_OPEN, "door", "t", ("a",), words={"true": 1.0}),
)


@EXAMPLES
@given(JSON_TEXTS)
def test_E11_whatever_a_device_says_yields_finite_numbers_or_a_reason(payload):
    """0 crashes and 0 non-finite values in 100,000 examples (FULL=1)."""
    try:
        said = decode_json(JSON_POINTS, "t", payload)
    except DriverError:
        return
    assert all(isinstance(x, int | float) and np.isfinite(x) for x in said.values())


BATCH = '{"v":1,"dev":"edge-1","ep":"e","first":%s,"lane":"live","clk":{},"points":["p"],"p":[%s],"t":[%s],"x":[%s]}'
FIELDS = st.one_of(
    st.just("1"), st.just("0"), st.sampled_from(NOT_NUMBERS), st.integers().map(str), st.floats().map(str)
)


@EXAMPLES
@given(st.one_of(JSON_TEXTS, st.tuples(FIELDS, FIELDS, FIELDS, FIELDS).map(lambda f: (BATCH % f).encode())))
def test_E11_whatever_an_agent_sends_is_decoded_or_refused_with_a_reason(payload):
    """0 crashes; what is no finite number leaves the wire as NaN only towards the gate, which refuses it."""
    for kind in (wire.Batch, wire.Tombstones, wire.Hello, wire.Status, wire.Ack, wire.Command):
        try:
            said = wire.decode(kind, payload)
        except Rejected:
            continue
        if isinstance(said, wire.Batch):
            assert all(np.isfinite(said.x))
    for what in ("live", "hello", "status"):
        topic = wire.up_topic("edge-1", what)
        with suppress(Rejected):
            ingest_decode.decode(Inbound(1, 1, topic, payload, wire.crc(payload)))
