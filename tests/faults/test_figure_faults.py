"""Faults A1 to A3, A6 and X6: gaps, late readings, spoilt models, civil days, names that a table or a log obeys."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rigs.rollup_hall import HALL, assert_same, batch, estate, everything, fed, rows, steady
from rigs.trials import FULL, seeded

from accounting.local_time import HOUR_MS
from analytics.fits import Fitted
from analytics.model_file import FILE, KeptModels, load, save
from analytics.sufficiency import Shortage
from process.logging import _render
from process.throttle import shorten
from reports.csv_cell import csv_cell

POINT = "m0/energy_import/total"


def kept(t_ms, part, chance):
    """A mask of readings that came: the first and the last, and ``part`` of the others."""
    mask = np.array([chance.random() < part for _ in t_ms])
    mask[[0, -1]] = True
    return mask


def test_A1_a_gap_is_no_zero_and_its_hours_say_how_much_of_them_was_heard():
    t_ms, x = steady("2026-03-02", "2026-03-16", HOUR_MS // 4)
    mask = kept(t_ms, 0.7, seeded())
    mask[96:192] = False  # and a whole day of silence
    hours = rows(fed(estate(), batch(POINT, t_ms[mask], x[mask])), "building_1h")
    quantity = hours.fields["qty"]
    heard = hours.fields["completeness"]
    assert np.nansum(quantity) == pytest.approx(x[-1] - x[0])
    assert not (quantity == 0).any(), "a silence is no use of zero"
    assert np.nanmin(quantity) == pytest.approx(2.0, rel=0.01)
    assert heard.min() < 0.5 < heard.max(), "what was not heard is said"


def test_A2_what_comes_a_day_late_leaves_the_figures_of_what_came_in_order():
    t_ms, x = steady("2026-03-02", "2026-03-06", HOUR_MS // 4)
    parts = [slice(i, i + 96) for i in range(0, len(t_ms), 96)]
    in_order = fed(estate(), *[batch(POINT, t_ms[p], x[p]) for p in parts])
    late = fed(estate(), *[batch(POINT, t_ms[p], x[p]) for p in (parts[0], *parts[2:], parts[1])])
    assert_same(everything(in_order), everything(late))


@pytest.mark.parametrize("spoil", ["cut", "flip", "foreign", "nonsense", "gone"])
def test_A3_a_spoilt_file_of_models_is_no_crash_and_no_figure(tmp_path, spoil):
    save(tmp_path, "town 1", [Fitted("m1/energy_import", 0, None, (Shortage("hours", 1.0, 2.0),))])
    path, chance = tmp_path / FILE, seeded()
    whole = path.read_bytes()
    for _ in range(2_000 if FULL else 100):
        if spoil == "cut":
            path.write_bytes(whole[: chance.randrange(len(whole))])
        elif spoil == "flip":
            at = chance.randrange(len(whole))
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
        elif spoil == "nonsense":
            path.write_bytes(bytes(chance.randrange(256) for _ in range(200)))
        elif spoil == "gone":
            path.unlink(missing_ok=True)
        assert KeptModels(tmp_path, "town 1" if spoil != "foreign" else "other 2").learned == 0
    assert list(load(tmp_path, "other 2")) == []


@pytest.mark.parametrize(
    ("zone", "start", "end", "day", "hours"),
    [
        ("Europe/Berlin", "2024-03-30", "2024-04-02", date(2024, 3, 31), 23),
        ("Europe/Berlin", "2024-10-26", "2024-10-29", date(2024, 10, 27), 25),
        ("Asia/Shanghai", "2024-03-30", "2024-04-02", date(2024, 3, 31), 24),
    ],
)
def test_A6_days_are_civil_days_and_sum_to_what_the_register_counted(zone, start, end, day, hours):
    here = ZoneInfo(zone)
    first, last = (round(datetime.fromisoformat(t).replace(tzinfo=here).timestamp()) * 1000 for t in (start, end))
    t_ms = np.arange(first, last + 1, HOUR_MS // 2)
    x = 100 + (t_ms - first) / HOUR_MS * 2.0
    store = fed(replace(estate(), site=replace(estate().site, timezone=zone)), batch(POINT, t_ms, x))
    by_day, by_hour = rows(store, "building_1d", HALL), rows(store, "building_1h", HALL)
    assert by_day.fields["qty"].sum() == pytest.approx(by_hour.fields["qty"].sum()) == pytest.approx(x[-1] - x[0])
    days = [datetime.fromtimestamp(t / 1000, UTC).astimezone(here).date() for t in by_day.t_ms]
    assert by_day.fields["qty"][days.index(day)] == pytest.approx(2.0 * hours)


ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
FORMULAS = st.builds(str.__add__, st.sampled_from(["=", "+", "-", "@", "\t=", "\r=", "\n="]), ANY_TEXT)


@settings(max_examples=20_000 if FULL else 500, deadline=None)
@given(st.one_of(ANY_TEXT, FORMULAS))
@example(" =1+1")
@example("\u00a0\n@x")
def test_X6_no_name_ends_a_line_of_the_log_or_lives_as_a_formula_in_a_table(text):
    line = _render()(None, "", shorten(None, "", {"timestamp": "t", "level": "info", "event": "e", "name": text}))
    assert len(line.splitlines()) == 1
    assert line.isprintable() or not any(c in line for c in "\x1b\r\n\x00")
    out = io.StringIO()
    csv.writer(out).writerow([csv_cell(text)])
    (cell,) = next(csv.reader(io.StringIO(out.getvalue(), newline=""), strict=True), [""]) or [""]
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
