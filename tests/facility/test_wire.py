import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility import wire
from facility.errors import Rejected

BATCH = wire.Batch(1, "edge-1", "e0", 1, "live", wire.Clock(), ["a/x/total"], [0, 0], [1, 2], [1.5, -2.0])


def reason(payload: bytes, kind=wire.Batch) -> str:
    with pytest.raises(Rejected) as caught:
        wire.decode(kind, payload)
    return caught.value.reason


def changed(**fields: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(BATCH) | fields)


def test_a_batch_survives_the_wire():
    payload = wire.encode(BATCH)
    assert wire.decode_checked(wire.Batch, payload, wire.crc(payload)) == BATCH
    assert wire.decode(wire.Batch, payload).readings().x == [1.5, -2.0]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"v":1}', "malformed"),
        (b"\xff\xfe", "malformed"),
        (wire.encode(BATCH).replace(b"1.5", b"NaN"), "malformed"),
        (wire.encode(BATCH).replace(b"1.5", b"Infinity"), "malformed"),
        (wire.encode(BATCH).replace(b"1.5", b"1e999"), "malformed"),
        (changed(extra=1), "malformed"),
        (changed(x=["1", "2"]), "malformed"),
        (changed(lane="fast"), "malformed"),
        (changed(v=2), "unknown_version"),
        (changed(t=[1]), "unequal_columns"),
        (changed(q=[0]), "unequal_columns"),
        (changed(p=[0, 1]), "index_out_of_range"),
        (changed(p=[-1, 0]), "index_out_of_range"),
        (changed(p=[], t=[], x=[]), "empty_batch"),
        (changed(first=0), "bad_sequence"),
        (b" " * (wire.MAX_PAYLOAD_BYTES + 1), "too_large"),
    ],
)
def test_what_is_not_a_batch_is_rejected_with_its_reason(payload, expected):
    assert reason(payload) == expected


def test_a_flipped_bit_is_noticed():
    payload = wire.encode(BATCH)
    flipped = payload.replace(b"1.5", b"1.4")
    with pytest.raises(Rejected, match="crc_mismatch"):
        wire.decode_checked(wire.Batch, flipped, wire.crc(payload))
    with pytest.raises(Rejected, match="no_crc"):
        wire.decode_checked(wire.Batch, payload, None)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_rejected(payload):
    for kind in (wire.Batch, wire.Tombstones, wire.Hello, wire.Status, wire.Ack, wire.Command, wire.Accepted):
        try:
            wire.decode(kind, payload)
        except Rejected:
            continue


def test_an_oversize_message_never_leaves():
    big = wire.Batch(1, "e", "e", 1, "live", wire.Clock(), ["p"], [0] * 60_000, [10**12] * 60_000, [0.1] * 60_000)
    with pytest.raises(Rejected, match="too_large"):
        wire.encode(big)


def test_a_tombstone_says_from_and_to_on_the_wire():
    payload = wire.encode(wire.Tombstones(1, "edge-1", "e0", [wire.Tombstone(3, 9, "outbox_full")]))
    assert b'"from":3,"to":9' in payload
    assert wire.decode(wire.Tombstones, payload).tomb[0].end == 9
