"""Receivers of letters on loopback: a mail server and a web address, each of which can be made to fail."""

from __future__ import annotations

import email
import json
import threading
import time
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

from rigs.servers import free_port


class MailServer:
    """Keeps what it takes; ``answer`` is what it says to a letter, after ``slow_s``."""

    def __init__(self):
        self.letters, self.answer, self.refused = [], "250 OK", ""
        self.port = free_port()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refused and self.refused in address:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.answer.startswith("250"):
            letter = email.message_from_bytes(envelope.content, policy=policy.default)
            self.letters.append((list(envelope.rcpt_tos), letter))
        return self.answer

    @property
    def url(self):
        return f"mailto://127.0.0.1:{self.port}?from=meterhouse@example.org&to=duty@example.org"

    def __enter__(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()


class WebAddress(ThreadingHTTPServer):
    """Keeps what is posted; ``fault``: '' (takes it), a status, 'hang' (takes it and says nothing), 'slow' (late)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Posted)
        self.heard, self.fault, self.body, self.slow_s = [], "", b"{}", 0.3
        self.closing = threading.Event()

    @property
    def url(self):
        return f"json://127.0.0.1:{self.server_port}/hook"

    @property
    def ids(self):
        return [headers.get("Idempotency-Key") for headers, _ in self.heard]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.shutdown()
        self.server_close()


class _Posted(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server
        if not server.fault.isdecimal():
            server.heard.append((dict(self.headers), json.loads(body)))
        if server.fault == "hang":
            server.closing.wait(60)
            return
        if server.fault == "slow":
            time.sleep(server.slow_s)
        self.send_response(int(server.fault) if server.fault.isdecimal() else 200)
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_):
        pass
