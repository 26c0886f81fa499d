"""The console on a free loopback port, in a thread of the test."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import uvicorn

from console.app import create_app
from rigs.patience import PATIENCE_S, until
from stores.readings.live import LiveValues

DAY_S = 86_400
"""A test's clock leaps: nobody is signed out for having done nothing meanwhile. Nobody has a phone."""


@contextmanager
def served(store, records, clock, **more):
    """Base address and application of a console that serves until the block ends, and knows what lay in the store."""
    listening = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    live = LiveValues(store)
    live.refresh()
    app = create_app(
        store, records, clock, hosts=[host], live=live, **{"idle_s": DAY_S, "second_factor": "nobody", **more}
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://{host}", app
    finally:
        live.end()
        server.should_exit = True
        thread.join(PATIENCE_S)
        listening.close()
