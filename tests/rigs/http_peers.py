"""Devices that answer over HTTP and HTTPS: Python's own server, and bare sockets for what it cannot be talked into."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from facility.protocols.http_json import HttpJsonProfile
from facility.protocols.json_values import JsonPoint
from facility.quantities import Quantity
from rigs.bare_server import BareServer, BareTlsServer
from rigs.certificates import Authority
from rigs.servers import free_port

STATUS, ENERGY, POWER = "/status/7", "/energy?id=7", "/power"


class HttpJsonPeer:
    """A meter with three resources."""

    unit, scheme = "7", "http"
    profile = HttpJsonProfile(
        "test/http", "Test meter", "electricity", (),
        (
            JsonPoint(Quantity.VOLTAGE, "l1", "/status/{unit}", ("l", "0")),
            JsonPoint(Quantity.VOLTAGE, "l2", "/status/{unit}", ("l", "1")),
            JsonPoint(Quantity.ENERGY_IMPORT, "total", "/energy?id={unit}", ("total",), 0.001),
            JsonPoint(Quantity.ACTIVE_POWER, "total", "/power", ("now", "w")),
        ),
    )  # fmt: skip
    expect = {
        "voltage/l1": 231.5, "voltage/l2": 229.8, "energy_import/total": 1234.56, "active_power/total": -1234.5
    }  # fmt: skip
    refusable, unsayable = "active_power/total", "voltage/l2"
    alike = ("energy_import/total", "active_power/total")

    def __init__(self, _folder):
        self.port = free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def body(self, resource, refusing="", without=""):
        """What a resource says, None where there is none."""
        said = {name: None if name == without else value for name, value in self.expect.items()}
        tree = {
            STATUS: {"l": [said["voltage/l1"], said["voltage/l2"]]},
            ENERGY: {"total": 1_234_560},
            POWER: None if refusing else {"now": {"w": said["active_power/total"]}},
        }.get(resource)
        return None if tree is None else json.dumps(tree).encode()

    @contextmanager
    def serving(self, refusing="", without=""):
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = peer.body(self.path, refusing, without)
                self.send_response(404 if body is None else 200)
                self.end_headers()  # its end is the end of the connection
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        with ThreadingHTTPServer(("127.0.0.1", self.port), Handler) as server:
            self.wrap(server)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def wrap(self, server):
        """It speaks as it is."""

    def bare(self, port, answer):
        return BareServer(port, answer)

    def mute(self):
        return self.bare(self.port, lambda _: b"")

    def late(self, held):
        return self.bare(self.port, lambda request: held.wait() and self.reply(request))

    def babbling(self, noise):
        return self.bare(self.port, lambda request: noise(self.reply(request)))

    def reply(self, request):
        return self.framed(request, self.body(request.split()[1].decode()))

    def framed(self, right, body):
        del right
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class HttpsJsonPeer(HttpJsonPeer):
    """The same behind TLS."""

    scheme = "https"

    def __init__(self, folder):
        super().__init__(folder)
        authority = Authority(folder)
        self.url += f"?ca={authority.ca}"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.sign("meter", "IP:127.0.0.1"))

    def wrap(self, server):
        server.socket = self.context.wrap_socket(server.socket, server_side=True)

    def bare(self, port, answer):
        return BareTlsServer(port, answer, self.context)
