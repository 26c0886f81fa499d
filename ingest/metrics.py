"""Ingest's figures for Prometheus, at ``/metrics`` on this machine alone: agents and meters are not the world's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

WHERE = "METERHOUSE_METRICS"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class IngestMetrics:
    """A collector: figures are read when they are asked for, so nothing is counted twice."""

    def __init__(self, tree: Callable[[], dict[str, Any]], still_s: Callable[[], float]) -> None:
        """``tree`` gives all figures; ``still_s`` says for how long the store writer has not come round."""
        self._tree, self._still_s = tree, still_s

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


def serve_metrics(address: str, metrics: IngestMetrics) -> Callable[[], None]:
    """Answer at ``host:port`` from a thread of its own; returns what ends it. Raises ``ConfigError``."""
    host, _, port = address.rpartition(":")
    if host.strip("[]") not in LOOPBACK or not port.isdigit():
        raise ConfigError(Problem(WHERE, f"'{address}' is no port of this machine alone", "127.0.0.1:9464"))
    registry = CollectorRegistry()
    registry.register(metrics)
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise ConfigError(Problem(WHERE, f"{address} cannot be used ({error.strerror})", "another port")) from None

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def _labelled(name: str, meaning: str, label: str, values: dict[str, float | None]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values.items():
        if value is not None:
            family.add_metric([word], value)
    return family
