"""A process's figures for Prometheus, at ``/metrics`` on this machine alone: names of agents are not the world's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WHERE = "METERHOUSE_METRICS"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Figures(Protocol):
    """What tells figures when it is asked."""

    def collect(self) -> Iterable[Any]:
        """Every figure with its meaning, as prometheus-client knows them."""


def serve_metrics(address: str, *told: Figures) -> Callable[[], None]:
    """Answer at ``host:port`` from a thread of its own, or nowhere if it is empty; returns what ends it.

    Processor time and memory of the process are told beside. Raises ``ConfigError``.
    """
    if not address:
        return lambda: None
    host, _, port = address.rpartition(":")
    if host.strip("[]") not in LOOPBACK or not port.isdigit():
        raise ConfigError(Problem(WHERE, f"'{address}' is no port of this machine alone", "127.0.0.1:9464"))
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for figures in told:
        registry.register(figures)
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except (OSError, OverflowError) as error:
        raise ConfigError(Problem(WHERE, f"{address} cannot be used ({error})", "another port")) from None

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end
