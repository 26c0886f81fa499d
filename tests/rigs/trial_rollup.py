"""A rollup with a field of each type, as those of events and figures will have, and its rows in a readable form."""

from __future__ import annotations

import numpy as np

from accounting.local_time import HOUR_MS
from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import FieldType
from stores.readings.rollup_fields import FieldUnit, RollupField
from stores.readings.rollups import ROLLUPS, RetentionClass, Rollup

TRIAL = {"site": "s", "meter": "main"}
TYPES = {"count": FieldType.INTEGER, "note": FieldType.TEXT, "x": FieldType.FLOAT}
UNITS = {FieldType.INTEGER: FieldUnit.INSTANT, FieldType.TEXT: FieldUnit.TEXT, FieldType.FLOAT: FieldUnit.NUMBER}


def add_trial(monkeypatch, types=TYPES, retention=RetentionClass.DAILY):
    """Its name; stores that are opened afterwards have it."""
    said = {name: RollupField("a trial", UNITS[kind]) for name, kind in types.items()}
    monkeypatch.setitem(ROLLUPS, "trial", Rollup("trial", tuple(TRIAL), said, HOUR_MS, retention))
    return "trial"


def mixed(t_ms, tags=TRIAL, **fields):
    """Rows as the port has them: ``x`` as floats, the others as objects, None where absent."""
    columns = {}
    for name, values in fields.items():
        columns[name] = np.empty(len(values), np.float64 if name == "x" else object)
        columns[name][:] = values
    return RollupSeries(tags, np.array(t_ms, np.int64), columns)


def rows_of(store, name, tags=None, fields=None):
    """What the one series of these tags holds, by time and field; NaN as None."""
    (series,) = store.read_rollup(name, tags or {}, 0, 10**15, fields)
    columns = [[None if x != x else x for x in column.tolist()] for column in series.fields.values()]  # noqa: PLR0124
    rows = zip(series.t_ms.tolist(), *columns, strict=True)
    return {t_ms: dict(zip(series.fields, row, strict=True)) for t_ms, *row in rows}
