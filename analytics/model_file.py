"""Models from one run to the next, in their coefficients: a restart fits nothing that was fitted before."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from analytics.baselines.port import FitQuality
from analytics.baselines.recentred import RecentredBaseline
from analytics.baselines.towt import TowtBaseline
from analytics.fits import LEAST_LEAK_M3H, Fitted, Model
from analytics.models import Models
from analytics.sufficiency import Shortage
from analytics.suspicion.budget import AlarmSizes, Budget
from analytics.suspicion.leaks import LeakRule
from analytics.suspicion.policy import AlarmPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from analytics.baselines.port import Floats

FILE = "analytics.models"
FORMAT = "towt_recentred 6"
"""Whoever changes what a model learns, or from what, changes this."""

CHECKSUM_BYTES = 4
"""CRC-32 of what follows, at the beginning of the file."""


class _Row(msgspec.Struct, array_like=True):
    """A model by counter and week; without coefficients there is none, for what was short."""

    name: str
    fit_ms: int
    mean: float = 0.0
    coef: bytes = b""
    knots: bytes = b""
    busy: bytes = b""
    offsets: bytes = b""
    level: bytes = b""
    quality: tuple[float, float] = (0.0, 0.0)
    bound: float = 0.0
    spread: bytes = b""
    peaks: bytes = b""
    own: bytes = b""
    flat_record: int = 0
    is_never_zero: bool = False
    leaks: bytes = b""
    leak_steps: tuple[float, int] = (0.0, 1)
    hours: int = 0
    short: list[tuple[str, float, float]] = []


class _Content(msgspec.Struct):
    format: str
    estate: str
    rows: list[_Row]


class KeptModels(Models):
    """Models that are kept in a file of a folder whenever there are new ones."""

    def __init__(self, folder: Path, estate: str, budget: Budget = Budget.NORMAL, *, are_on: bool = True) -> None:
        """``estate`` names the site and the version of its calendars. What cannot be read is fitted again."""
        super().__init__(budget, are_on=are_on)
        self._folder, self._estate = folder, estate
        for one in load(folder, estate):
            self.keep(one)
        self._saved = self.learned

    def forget_before(self, t_ms: int) -> None:
        """Drop models that are no longer in force, and keep the others where some are new."""
        super().forget_before(t_ms)
        if self.learned != self._saved:
            save(self._folder, self._estate, self.kept())
            self._saved = self.learned


def save(folder: Path, estate: str, models: Iterable[Fitted]) -> None:
    """Keep models for the next run; the file is whole or as it was."""
    content = msgspec.msgpack.encode(_Content(FORMAT, estate, [_row(one) for one in models]))
    new = folder / f"{FILE}.new"
    new.write_bytes(_checksum(content) + content)
    new.replace(folder / FILE)


def load(folder: Path, estate: str) -> Iterator[Fitted]:
    """What was kept for an estate as it is; nothing where there is no file, or one of another: it is fitted again.

    A flipped bit in a coefficient would make each expectation wrong, and nobody would see it: the file has a checksum.
    """
    try:
        whole = (folder / FILE).read_bytes()
        if whole[:CHECKSUM_BYTES] != _checksum(whole[CHECKSUM_BYTES:]):
            return
        content = msgspec.msgpack.decode(whole[CHECKSUM_BYTES:], type=_Content)
    except (OSError, ValueError, msgspec.MsgspecError):
        return
    if (content.format, content.estate) == (FORMAT, estate):
        yield from map(_fitted, content.rows)


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def _row(one: Fitted) -> _Row:
    if one.model is None:
        return _Row(one.name, one.fit_ms, short=[(s.reason, s.have, s.need) for s in one.shortages])
    model, suspicion = one.model.baseline, one.model.suspicion
    week = model.week_
    return _Row(
        one.name,
        one.fit_ms,
        week.mean_,
        week.coef_.tobytes(),
        week.knots_.tobytes(),
        np.packbits(week.busy_).tobytes(),
        model.offsets_.tobytes(),
        model.level_.tobytes(),
        (model.quality_.cv_rmse, model.quality_.nmbe),
        model.bound_,
        model.spread_.tobytes(),
        suspicion.sizes_.peaks_.tobytes(),
        suspicion.sizes_.own_.tobytes(),
        suspicion.flat_record_,
        suspicion.is_never_zero_,
        one.model.leaks.sizes_.tobytes() if one.model.leaks else b"",
        (one.model.leaks.step_, one.model.leaks.span_) if one.model.leaks else (0.0, 1),
        one.model.hours,
    )


def _fitted(row: _Row) -> Fitted:
    if not row.coef:
        return Fitted(row.name, row.fit_ms, None, tuple(Shortage(*one) for one in row.short))
    model, week = RecentredBaseline(), TowtBaseline()
    week.mean_, week.coef_, week.knots_ = row.mean, _floats(row.coef), _floats(row.knots)
    week.busy_ = np.unpackbits(np.frombuffer(row.busy, np.uint8))[:168].astype(np.bool_)
    model.week_, model.offsets_, model.level_ = week, _floats(row.offsets).reshape(-1, 2), _floats(row.level)
    model.quality_, model.bound_, model.spread_ = FitQuality(*row.quality), row.bound, _floats(row.spread)
    return Fitted(row.name, row.fit_ms, Model(model, _suspicion(row), _leaks(row), row.hours))


def _leaks(row: _Row) -> LeakRule | None:
    if not row.leaks:
        return None
    rule = LeakRule(least=LEAST_LEAK_M3H)
    rule.sizes_ = _floats(row.leaks)
    rule.step_, rule.span_ = row.leak_steps
    return rule


def _suspicion(row: _Row) -> AlarmPolicy:
    suspicion, limits = AlarmPolicy(), AlarmSizes()
    limits.peaks_, limits.own_ = _floats(row.peaks), _floats(row.own)
    suspicion.sizes_, suspicion.flat_record_, suspicion.is_never_zero_ = limits, row.flat_record, row.is_never_zero
    return suspicion


def _floats(content: bytes) -> Floats:
    return np.frombuffer(content, np.float64)
