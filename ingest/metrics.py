"""Ingest's figures for Prometheus, and what its agents say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from facility.status import Overview


class IngestMetrics:
    """Figures are read when they are asked for, so nothing is counted twice."""

    def __init__(self, overview: Callable[[], Overview], still_s: Callable[[], float]) -> None:
        """``overview`` gives all figures; ``still_s`` says for how long the store writer has not come round."""
        self._overview, self._still_s = overview, still_s

    def collect(self) -> Iterator[Metric]:
        """Every figure with its meaning."""
        overview = self._overview()
        status, agents = overview.processes[0].status, overview.agents
        figures = status.figures
        for name, key, meaning in (
            ("readings_stored", "stored", "Readings ever stored, each once however often it was sent."),
            ("readings_quarantined", "quarantined", "Readings ever set aside."),
            ("messages_refused", "refused_messages", "Messages refused whole since start."),
        ):
            yield CounterMetricFamily(f"meterhouse_{name}", meaning, figures[key])
        yield GaugeMetricFamily("meterhouse_ingest_queue", "Messages that wait to be taken in.", figures["queue"])
        yield GaugeMetricFamily("meterhouse_series", "Series that the estate makes in the store.", figures["series"])
        yield GaugeMetricFamily("meterhouse_series_budget", "Series that are allowed.", figures["series_budget"])
        yield GaugeMetricFamily(
            "meterhouse_store_writer_still_seconds", "Since the store writer came round last.", self._still_s()
        )
        yield _labelled(
            "meterhouse_live_latency_seconds",
            "From the moment of a live reading to its storing.",
            "quantile",
            {share: figures.get(f"live_latency_{name}_s") for share, name in (("0.5", "p50"), ("0.95", "p95"))},
        )
        yield _labelled("meterhouse_alarm", "An alarm that stands.", "alarm", dict.fromkeys(status.alarms, 1))
        yield _labelled(
            "meterhouse_agent_stored_up_to",
            "Number up to which an agent's readings are stored.",
            "agent",
            {agent.agent: agent.store_hw if agent.epoch else None for agent in agents},
        )
        said = GaugeMetricFamily(
            "meterhouse_agent_figure", "What an agent last said of itself.", labels=["agent", "figure"]
        )
        for agent in agents:
            for figure, value in agent.figures.items():
                said.add_metric([agent.agent, figure], value)
        yield said


def _labelled(name: str, meaning: str, label: str, values: dict[str, float | None]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values.items():
        if value is not None:
            family.add_metric([word], value)
    return family
