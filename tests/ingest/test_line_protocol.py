"""Line protocol says exactly what was read, and nothing that a name or a number smuggles in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.ingest_rig import CATALOGUE, ENERGY, POWER

from facility.model import ReadingBatch
from stores.readings.influx.line_protocol import ReadingLines

LINES = ReadingLines(CATALOGUE)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(0, 4),
    ),
    max_size=40,
)


@given(ROWS)
def test_every_number_comes_back_as_it_was(rows):
    p, t, x, q = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    text = LINES.encode(ReadingBatch([POWER, ENERGY], p, t, x, q)).decode()
    lines = text.split("\n") if text else []
    assert len(lines) == len(rows)
    for line, (point, t_ms, value, code) in zip(lines, rows, strict=True):
        head, fields, time = line.split(" ")
        quantity = ("active_power", "energy_import")[point]
        assert head == f"reading,site=town,building=hall,meter=m1,quantity={quantity},channel=total"
        assert int(time) == t_ms
        found = re.fullmatch(r"value=([^,]+)(?:,q=(\d)i)?", fields)
        assert (float(found[1]), int(found[2] or 0)) == (value, code)


def test_an_unknown_point_has_no_line():
    with pytest.raises(KeyError):
        LINES.encode(ReadingBatch(["m9/co2/total"], [0], [1], [1.0]))
