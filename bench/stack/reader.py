"""A person who opens the first page every few seconds, in a process of their own, and tells how long each took.

``python -m bench.stack.reader PORT [CA]``, with the cookie in ``COOKIE``. Beside simulated devices and two hundred
streams in one process a page would also wait for these.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import time
from contextlib import suppress

PAGE_EVERY_S = 3.0


def main(port: int, ca: str | None = None) -> None:
    """Print the seconds and the bytes of each page; for ever, or until nobody listens."""
    tls, headers = ssl.create_default_context(cafile=ca) if ca else None, {"accept": "text/html"}
    headers["cookie"] = os.environ["COOKIE"]
    while True:
        time.sleep(PAGE_EVERY_S)
        connection = _connection(port, tls)
        begun = time.perf_counter()
        with suppress(ConnectionError, TimeoutError, http.client.HTTPException):
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            page = answer.read()
            if answer.status == http.HTTPStatus.OK:
                print(time.perf_counter() - begun, len(page), flush=True)
        connection.close()


def _connection(port: int, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=tls)


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main(int(sys.argv[1]), *sys.argv[2:])
