"""Ingest's figures for Prometheus, and what its agents say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric


class IngestMetrics:
    """A collector: figures are read when they are asked for, so nothing is counted twice."""

    def __init__(self, tree: Callable[[], dict[str, Any]], still_s: Callable[[], float]) -> None:
        """``tree`` gives all figures; ``still_s`` says for how long the store writer has not come round."""
        self._tree, self._still_s = tree, still_s

    def health(self) -> dict[str, object]:
        """That it answers, and for how long the store writer has not come round."""
        return {"process": "ingest", "state": "ok", "still_s": round(self._still_s(), 1)}

    def collect(self) -> Iterator[Metric]:
        """Every figure with its meaning."""
        tree = self._tree()
        for name, key, meaning in (
            ("readings_stored", "stored", "Readings ever stored, each once however often it was sent."),
            ("readings_quarantined", "quarantined", "Readings ever set aside."),
            ("messages_refused", "refused_messages", "Messages refused whole since start."),
        ):
            yield CounterMetricFamily(f"meterhouse_{name}", meaning, tree.get(key, 0))
        yield GaugeMetricFamily("meterhouse_ingest_queue", "Messages that wait to be taken in.", tree["queue"])
        yield GaugeMetricFamily("meterhouse_series", "Series that the estate makes in the store.", tree["series"])
        yield GaugeMetricFamily("meterhouse_series_budget", "Series that are allowed.", tree["series_budget"])
        yield GaugeMetricFamily(
            "meterhouse_store_writer_still_seconds", "Since the store writer came round last.", self._still_s()
        )
        yield _labelled(
            "meterhouse_live_latency_seconds",
            "From the moment of a live reading to its storing.",
            "quantile",
            {name: tree["live_latency_s"][key] for name, key in (("0.5", "p50"), ("0.95", "p95"))},
        )
        yield _labelled("meterhouse_alarm", "An alarm that stands.", "alarm", dict.fromkeys(tree["alarms"], 1))
        yield _labelled(
            "meterhouse_agent_stored_up_to",
            "Number up to which an agent's readings are stored.",
            "agent",
            {name: agent.get("store_hw") for name, agent in tree["agents"].items()},
        )
        said = GaugeMetricFamily(
            "meterhouse_agent_figure", "What an agent last said of itself.", labels=["agent", "figure"]
        )
        for name, agent in tree["agents"].items():
            for figure, value in agent.get("figures", {}).items():
                said.add_metric([name, figure], value)
        yield said


def _labelled(name: str, meaning: str, label: str, values: dict[str, float | None]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values.items():
        if value is not None:
            family.add_metric([word], value)
    return family
