"""A meter's whole life as one rising total: devices that replaced each other, ratios that changed from a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.registers import Total, in_order, straightened
from facility.ledger.installation import BEGINNING, history_of
from facility.model import Ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.local_time import Times
    from accounting.registers import Floats
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
    """Face readings of one stretch, reads at its ends included."""

    t_ms: Times
    x: Floats


def stitched(
    t_ms: Times,
    x: Floats,
    stretches: Sequence[Stretch] = (),
    *,
    max_rate: float = np.inf,
    reach: tuple[int, int] = (_ALWAYS, -_ALWAYS),
) -> Total:
    """The rising total over every stretch; ``stretches`` in order of time, none: one device, ratio 1.

    ``x`` (n,) are readings as stored, at ``t_ms`` (n,); the total is in true units, ``max_rate`` in true units an hour.
    Where a device was replaced the total goes on: up to the closing read, from the opening read; a step without
    both reads adds nothing and is an estimate, or unknown where it is a silence. ``reach`` is the time (both ends
    included) of which all readings are given: what was read outside it is not joined to them.
    """
    t_ms, x = in_order(t_ms, x)
    found = _in_reach(stretches, *reach) or [Stretch()]
    both = [one.since_ms for one in found if one.opening is not None and one.closing is not None]
    if both:
        apart = ~np.isin(t_ms, both)  # at the instant of a swap nobody can tell which device a reading is of
        t_ms, x = t_ms[apart], x[apart]
    starts = np.searchsorted(t_ms, [stretch.since_ms for stretch in found[1:]])
    rows = [slice(a, b) for a, b in zip([0, *starts], [*starts, len(t_ms)], strict=True)]
    faces = [_Faces(t_ms[r], x[r] / s.told) for r, s in zip(rows, found, strict=True)]
    reads = [None, *(_reads_at(new, faces[k], faces[k + 1]) for k, new in enumerate(found[1:]))]
    if found[0].opening is not None and found[0].since_ms > _ALWAYS:
        reads[0] = (None, found[0].opening)
    parts = []
    for k, (stretch, face) in enumerate(zip(found, faces, strict=True)):
        closing = reads[k + 1] if k + 1 < len(found) else None
        with_reads = _with_reads(face, stretch, reads[k], found[k + 1].since_ms if closing else 0, closing)
        span = stretch.span * stretch.true if stretch.span else None
        parts.append(
            straightened(
                with_reads.t_ms,
                with_reads.x * stretch.true,
                register_span=span,
                max_rate=max_rate,
                more_may_come=k + 1 == len(found),
            )
        )
    return _joined(parts)


def _in_reach(stretches: Sequence[Stretch], low_ms: int, high_ms: int) -> list[Stretch]:
    """The stretches of that time; of one that began earlier its reads are left out."""
    first = max(sum(1 for stretch in stretches if stretch.since_ms < low_ms) - 1, 0)
    reach = [stretch for stretch in stretches[first:] if stretch is stretches[first] or stretch.since_ms <= high_ms]
    if reach and reach[0].since_ms < low_ms:
        one = reach[0]
        reach[0] = Stretch(_ALWAYS, one.told, one.true, one.span)
    return reach


def _reads_at(new: Stretch, before: _Faces, after: _Faces) -> tuple[float | None, float | None]:
    """Closing read of the old and opening read of the new device where a stretch begins."""
    if not new.continues:
        return new.closing, new.opening
    if not len(before.t_ms) or not len(after.t_ms):
        return None, None
    around, old, young = [before.t_ms[-1], after.t_ms[0]], before.x[-1], after.x[0]
    young = young + new.span if new.span and young < old else max(young, old)
    face = float(np.interp(new.since_ms, around, [old, young]))
    face = face % new.span if new.span else face
    return face, face


def _with_reads(
    face: _Faces,
    stretch: Stretch,
    begun: tuple[float | None, float | None] | None,
    ends_ms: int,
    ended: tuple[float | None, float | None] | None,
) -> _Faces:
    """The readings with what was read when the device was installed and when it was removed."""
    t_ms, x = face.t_ms, face.x
    if begun and begun[1] is not None:
        t_ms, x = np.concatenate(([stretch.since_ms], t_ms)), np.concatenate(([begun[1]], x))
    if ended and ended[0] is not None:
        t_ms, x = np.concatenate((t_ms, [ends_ms])), np.concatenate((x, [ended[0]]))
    return _Faces(t_ms, x)


def _joined(parts: Sequence[Total]) -> Total:
    """Totals one after the other, each beginning where the one before it ended."""
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
    return Total(np.concatenate(t_ms), np.concatenate(total), np.concatenate(estimated), np.concatenate(unread))
