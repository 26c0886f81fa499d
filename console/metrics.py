"""The console's figures for Prometheus: how long answers took, and whether requests can be answered at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPPER_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)


class Timed:
    """ASGI application around another: passes everything on, and keeps the time until the answer began."""

    def __init__(self, app: ASGIApp, clock_s: Callable[[], float]) -> None:
        """``clock_s`` is a monotonic clock."""
        self._app, self._clock_s = app, clock_s
        self.moved_s = clock_s()
        self._answers = Histogram(
            "meterhouse_console_answer_seconds",
            "From a request to the beginning of its answer.",
            ["status"],
            registry=None,
            buckets=UPPER_BOUNDS_S,
        )
        still = "Since the loop that answers requests came round last."
        self._still = Gauge("meterhouse_console_still_seconds", still, registry=None)
        self._still.set_function(lambda: clock_s() - self.moved_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; a status is told by its hundred, so that there are few series."""
        begun_s = self._clock_s()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.labels(f"{message['status'] // 100}xx").observe(self._clock_s() - begun_s)
            await send(message)

        await self._app(scope, receive, send_timed)

    def move(self) -> None:
        """The loop has come round."""
        self.moved_s = self._clock_s()

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        yield from self._answers.collect()
        yield from self._still.collect()
