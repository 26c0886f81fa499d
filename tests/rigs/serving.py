"""The console on a free loopback port, in a thread of the test."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import uvicorn

from console.app import create_app
from stores.readings.live import LiveValues


@contextmanager
def served(store, records, clock, **more):
    """Base address and application of a console that serves until the block ends, and knows what lay in the store."""
    listening = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    live = LiveValues(store)
    live.refresh()
    app = create_app(store, records, clock, hosts=[host], live=live, **more)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        _wait(lambda: server.started)
        yield f"http://{host}", app
    finally:
        live.end()
        server.should_exit = True
        thread.join(5)
        listening.close()


def _wait(is_so, limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end, "the console did not start"
        time.sleep(0.02)
