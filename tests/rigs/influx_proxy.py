"""An ill-tempered link before a real InfluxDB: it answers writes as a script says, and lets everything else through."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import urllib3


class InfluxProxy:
    """Context manager. ``script`` holds what comes of the next writes; ``writes_s`` says when they came."""

    def __init__(self, behind) -> None:
        self.behind, self.script, self.writes_s = behind, deque(), []
        self.http = urllib3.PoolManager(retries=False)
        proxy = self

        class Link(_Link):
            server_of = proxy

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Link)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def url_of(self, database: str) -> str:
        return self.behind.url_of(database).replace(
            f":{self.behind.server.port}/", f":{self.server.server_address[1]}/"
        )

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.http.clear()


class _Link(BaseHTTPRequestHandler):
    server_of: InfluxProxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/write" in self.path:
            self.server_of.writes_s.append(time.monotonic())
            if self.server_of.script:
                getattr(self, f"say_{self.server_of.script.popleft()}")()
                return
        answer = self.passed_on()
        self.say(answer.status, answer.data, {"Content-Type": answer.headers.get("Content-Type", "")})

    def passed_on(self):
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "content-length"}}
        url = f"http://127.0.0.1:{self.server_of.behind.server.port}{self.path}"
        return self.server_of.http.request("POST", url, body=self.body, headers=headers)

    def say(self, status: int, body: bytes = b"", headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say_throttled(self) -> None:
        self.say(429, b'{"code":"too many requests","message":"slow down"}', {"Retry-After": "2"})

    def say_busy(self) -> None:
        self.say(503, b'{"error":"request throttled"}')

    def say_broken(self) -> None:
        self.say(500, b'{"error":"timeout"}')

    def say_stranger(self) -> None:
        """What an Apache or nginx says in the server's place."""
        self.say(400, b"<html><head><title>400 Bad Request</title></head></html>")

    def say_hang(self) -> None:
        """Say nothing until whoever asks has had enough."""
        while self.rfile.read(1):
            pass
        self.close_connection = True

    def say_reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def say_half(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        self.wfile.flush()
        self.close_connection = True

    def say_nothing(self) -> None:
        """The write is applied, and the answer never comes."""
        assert self.passed_on().status == 204
        self.close_connection = True

    def say_ok(self) -> None:
        """A 200 where only 204 means stored: something on the way answered in the server's place."""
        self.say(200, b"<html>welcome to the guest network</html>")
