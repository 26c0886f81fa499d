"""Metrics to numbers in our units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_agent.drivers.sparkplug.payload import read_payload
from facility.errors import DriverError
from facility.profile import scaled

if TYPE_CHECKING:
    from edge_agent.drivers.sparkplug.payload import Metric
    from facility.protocols.sparkplug import MetricPoint, SparkplugProfile


def metric_value(point: MetricPoint, metric: Metric, datatype: int) -> float | None:
    """The value in the quantity's unit before ratios, None where there is none. Raises ``DriverError``."""
    try:
        raw = metric.value(datatype)
    except DriverError as error:
        raise DriverError(f"metric {point.metric}: {error}") from None
    if raw is None or not math.isfinite(raw):
        return None
    value = scaled(raw, point.scale) + point.offset
    return value if math.isfinite(value) else None


def sparkplug_example(profile: SparkplugProfile, message: bytes) -> dict[str, float]:
    """What the birth of an example says, by ``quantity/channel``. Raises ``DriverError`` where it is none."""
    by_name = {metric.name: metric for metric in read_payload(message).metrics if metric.name}
    said = {
        point.name: metric_value(point, by_name[point.metric], by_name[point.metric].datatype)
        for point in profile.points
        if point.metric in by_name
    }
    return {name: value for name, value in said.items() if value is not None}
