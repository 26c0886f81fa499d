"""A meter's whole life as one rising total: devices that replaced each other, ratios that changed from a date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.intervals import MAX_GAP_MS
from accounting.registers import Total, in_order, straightened
from facility.ledger.installation import BEGINNING, history_of
from facility.model import Ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.arrays import Bools, Floats
    from accounting.local_time import Times
    from accounting.spells import Spell
    from facility.ledger.installation import Installation
    from facility.model import Meter, Point

_ALWAYS = -(2**62)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One device with one transformer ratio, from an instant on. Reads and span are those of its face.

    A stored reading is face times ``told`` (what the agent multiplied by), true use is face times ``true``.
    ``closing`` is the last read of the device before, ``opening`` the first of this one; with ``continues`` it is
    the same device under another ratio.
    """

    since_ms: int = _ALWAYS
    told: float = 1.0
    true: float = 1.0
    span: float | None = None
    opening: float | None = None
    closing: float | None = None
    continues: bool = False

    @property
    def stored_per_true(self) -> float:
        """By what a true unit is multiplied in stored readings."""
        return self.told / self.true

    @property
    def was_read(self) -> bool:
        """Whether somebody read a register when it began."""
        return self.opening is not None or self.closing is not None


def stretches_of(meter: Meter, point: Point, ledger: tuple[Installation, ...]) -> tuple[Stretch, ...]:
    """The stretches of one counter of a meter, oldest first, never none."""
    return tuple(_stretch(one, point) for one in history_of(meter, ledger))


def _stretch(one: Installation, point: Point) -> Stretch:
    ct_told = one.ct_ratio if one.told_ct_ratio is None else one.told_ct_ratio
    pt_told = one.pt_ratio if one.told_pt_ratio is None else one.told_pt_ratio
    by_ct, by_pt = point.ratio in {Ratio.CT, Ratio.CT_PT}, point.ratio in {Ratio.PT, Ratio.CT_PT}
    return Stretch(
        since_ms=_ALWAYS if one.since == BEGINNING else round(one.since.timestamp() * 1000),
        told=(ct_told if by_ct else 1.0) * (pt_told if by_pt else 1.0),
        true=(one.ct_ratio if by_ct else 1.0) * (one.pt_ratio if by_pt else 1.0),
        span=one.span,
        opening=one.opening,
        closing=one.closing,
        continues=one.continues,
    )


@dataclass(frozen=True, slots=True)
class _Faces:
    """Readings of one device as its face showed them (n,), and how far they are to be believed.

    ``suspect`` the edge doubted; ``entered`` (manual or substituted) measure nothing.
    """

    t_ms: Times
    x: Floats
    suspect: Bools
    entered: Bools

    def cut(self, rows: slice) -> _Faces:
        """Some of the readings."""
        return _Faces(self.t_ms[rows], self.x[rows], self.suspect[rows], self.entered[rows])

    def with_read(self, t_ms: int, face: float, *, at_end: bool) -> _Faces:
        """The readings and what somebody read before the first or after the last of them."""
        place = len(self.t_ms) if at_end else 0
        return _Faces(
            np.insert(self.t_ms, place, t_ms),
            np.insert(self.x, place, face),
            np.insert(self.suspect, place, False),
            np.insert(self.entered, place, False),
        )


def stitched(
    t_ms: Times,
    x: Floats,
    stretches: Sequence[Stretch] = (),
    *,
    max_rate: float = np.inf,
    reach: tuple[int, int] = (_ALWAYS, -_ALWAYS),
    suspect: Bools | None = None,
    entered: Bools | None = None,
    decided: Sequence[Spell] = (),
    is_new: bool = False,
    is_limit_known: bool = True,
) -> Total:
    """The rising total over every stretch; ``stretches`` in order of time, none: one device, ratio 1.

    ``x`` (n,) are readings as stored, at ``t_ms`` (n,); the total is in true units, ``max_rate`` in true units an hour.
    Where a device was replaced the total goes on: up to the closing read, from the opening read; a step without
    both reads adds nothing and is an estimate, or unknown where it is a silence. ``reach`` is the time (both ends
    included) of which all readings are given: what was read outside it is not joined to them. ``suspect`` (n,) the edge
    doubted; ``entered`` (n,), manual or substituted, measure nothing; ``decided`` are spells that a person judged.
    ``is_new``: nothing was ever read before; ``is_limit_known``: ``max_rate`` is what this feeder can deliver, not all
    that was ever accepted. The spells of the total are in units as stored.
    """
    none = np.zeros(len(x), np.bool_)
    faces = _Faces(*in_order(t_ms, x, none if suspect is None else suspect, none if entered is None else entered))
    found = _in_reach(stretches, *reach) or [Stretch()]
    both = [one.since_ms for one in found if one.opening is not None and one.closing is not None]
    if both:  # at the instant of a swap nobody can tell which device a reading is of
        apart = ~np.isin(faces.t_ms, both)
        faces = _Faces(faces.t_ms[apart], faces.x[apart], faces.suspect[apart], faces.entered[apart])
    devices = _devices(found)
    starts = np.searchsorted(faces.t_ms, [device[0].since_ms for device in devices[1:]]).tolist()
    parts = []
    for k, device in enumerate(devices):
        rows = slice([0, *starts][k], [*starts, len(faces.t_ms)][k])
        following = devices[k + 1][0] if k + 1 < len(devices) else None
        own = _with_reads(faces.cut(rows), device, following)
        if following is not None:  # what the edge doubted of a device that is gone waits for nothing any more
            own = replace(own, suspect=np.zeros(len(own.x), np.bool_))
        elif device[0].opening is not None:
            own = replace(own, suspect=_after_another(own.suspect))
        begins = not is_limit_known and device[0].opening is None and (is_new or k > 0)
        was_read = following is not None and following.closing is not None
        parts.append(_device_total(own, device, max_rate, decided, is_new=begins, was_read=was_read))
    return _joined(parts)


def _devices(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Stretches by device: those that go on under another ratio belong to the one before."""
    devices: list[list[Stretch]] = []
    for stretch in stretches:
        if devices and stretch.continues:
            devices[-1].append(stretch)
        else:
            devices.append([stretch])
    return devices


def _with_reads(stored: _Faces, device: Sequence[Stretch], following: Stretch | None) -> _Faces:
    """A device's readings on its face, with what was read when it was installed and when it was removed."""
    told = _by_stretch(stored.t_ms, device, [one.told for one in device])
    faces = _Faces(stored.t_ms, stored.x / told, stored.suspect, stored.entered)
    first = device[0]
    if first.opening is not None and first.since_ms > _ALWAYS:
        faces = faces.with_read(first.since_ms, first.opening, at_end=False)
    if following is not None and following.closing is not None:
        faces = faces.with_read(following.since_ms, following.closing, at_end=True)
    return faces


def _after_another(suspect: Bools) -> Bools:
    """The marks (n,) without those from the opening read on: the edge compared with the device before."""
    believed = np.flatnonzero(~suspect[1:])
    return suspect & (np.arange(len(suspect)) > (believed[0] if len(believed) else len(suspect)))


def _by_stretch(t_ms: Times, device: Sequence[Stretch], values: Sequence[float]) -> Floats:
    """Of each instant (n,) the value of the stretch that it lies in, (n,)."""
    rows = np.searchsorted([one.since_ms for one in device[1:]], t_ms, side="right")
    return np.asarray(values, np.float64)[rows]


def _device_total(
    faces: _Faces,
    device: Sequence[Stretch],
    max_rate: float,
    decided: Sequence[Spell],
    *,
    is_new: bool,
    was_read: bool,
) -> Total:
    """One device's total in true units: its register is judged by its face, whatever the ratio was."""
    ratios = [one.true for one in device]
    total = straightened(
        faces.t_ms,
        faces.x,
        register_span=device[0].span,
        max_rate=max_rate / _lowest_ratios(faces.t_ms, device),
        suspect=faces.suspect,
        decided=decided,
        is_new=is_new,
        was_read=was_read,
    )
    total = _at_ratios(_not_measured(total, faces), device, ratios)
    told = [one.told for one in device]
    return replace(total, spells=tuple(_as_stored(one, device, told) for one in total.spells))


def _lowest_ratios(t_ms: Times, device: Sequence[Stretch]) -> Floats:
    """Of the step into each reading (n,) the lowest ratio that held in it: the face may grow fastest by that, (n,)."""
    lowest = _by_stretch(t_ms, device, [one.true for one in device])
    for earlier, later in pairwise(device):
        row = int(np.searchsorted(t_ms, later.since_ms))
        lowest[row : row + 1] = np.minimum(lowest[row : row + 1], min(earlier.true, later.true))
    return lowest


def _not_measured(total: Total, faces: _Faces) -> Total:
    """Steps into and out of a value that somebody entered are estimates."""
    if not faces.entered.any():
        return total
    entered = np.isin(total.t_ms, faces.t_ms[faces.entered])
    return replace(total, estimated=total.estimated | entered | np.append(False, entered[:-1]))


def _at_ratios(total: Total, device: Sequence[Stretch], ratios: Sequence[float]) -> Total:
    """A total by the face in true units; where the ratio changes the face is taken to lie evenly between readings.

    An entry inside a silence does not make it measured.
    """
    changes = np.array([one.since_ms for one in device[1:]], np.int64)
    t_ms = total.t_ms
    if not len(changes) or len(t_ms) < 2:  # noqa: PLR2004 - a step needs two readings
        return replace(total, total=total.total * ratios[0])
    new = np.setdiff1d(changes[(changes > t_ms[0]) & (changes < t_ms[-1])], t_ms)
    at = np.searchsorted(t_ms, new)
    is_guess = total.estimated | (np.diff(t_ms, prepend=t_ms[0]) > MAX_GAP_MS)
    estimated = total.estimated.copy()
    estimated[at] |= is_guess[at]
    grid = np.insert(t_ms, at, new)
    steps = np.diff(np.interp(grid, t_ms, total.total)) * _by_stretch(grid[:-1], device, ratios)
    first = float(total.total[0]) * float(_by_stretch(grid[:1], device, ratios)[0])
    return Total(
        grid,
        np.concatenate(([first], first + np.cumsum(steps))),
        np.insert(estimated, at, is_guess[at]),
        np.insert(total.unread, at, False),
        total.spells,
    )


def _as_stored(spell: Spell, device: Sequence[Stretch], told: Sequence[float]) -> Spell:
    before, level = _by_stretch(np.array([spell.since_ms, spell.first_ms]), device, told).tolist()
    return replace(spell, before=spell.before * before, level=spell.level * level)


def _in_reach(stretches: Sequence[Stretch], low_ms: int, high_ms: int) -> list[Stretch]:
    """The stretches of that time; of one that began earlier its reads are left out."""
    first = max(sum(1 for stretch in stretches if stretch.since_ms < low_ms) - 1, 0)
    reach = [stretch for stretch in stretches[first:] if stretch is stretches[first] or stretch.since_ms <= high_ms]
    if reach and reach[0].since_ms < low_ms:
        one = reach[0]
        reach[0] = Stretch(_ALWAYS, one.told, one.true, one.span)
    return reach


def _joined(parts: Sequence[Total]) -> Total:
    """Totals one after the other, each beginning where the one before it ended."""
    spells = tuple(spell for part in parts for spell in part.spells)
    known = [part for part in parts if len(part.t_ms)]
    if not known:
        return parts[0]
    t_ms, total, estimated, unread = [known[0].t_ms], [known[0].total], [known[0].estimated], [known[0].unread]
    ended_ms, ended_at = known[0].t_ms[-1], known[0].total[-1]
    for part in known[1:]:
        lifted = part.total + (ended_at - part.total[0])
        same = int(part.t_ms[0] == ended_ms)  # closing and opening read are one instant
        ended_ms, ended_at = part.t_ms[-1], lifted[-1]
        begins, unknown = part.estimated.copy(), part.unread.copy()
        begins[0] = unknown[0] = not same
        t_ms.append(part.t_ms[same:])
        total.append(lifted[same:])
        estimated.append(begins[same:])
        unread.append(unknown[same:])
    return Total(np.concatenate(t_ms), np.concatenate(total), np.concatenate(estimated), np.concatenate(unread), spells)
