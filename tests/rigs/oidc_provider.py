"""A small OpenID Connect provider as a process of its own: discovery, RS256 keys, codes that work once, PKCE.

``python -m rigs.oidc_provider PORT``. Whoever is led to it is signed in at once, as who ``POST /next`` says: it may ask
for one thing that is wrong in the next answer, ``{"sub": "…", "wrong": "issuer"}``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from rigs.patience import until
from rigs.servers import end, free_port

CLIENT, SECRET = "meterhouse", "a secret/of:the client"


class Desk:
    """Keys, codes that were given out, and who is next."""

    def __init__(self, issuer):
        self.issuer, self.codes, self.next = issuer, {}, {"sub": "nobody"}
        self.keys = {name: RSAKey.generate_key(2048, {"kid": name, "use": "sig"}) for name in ("ours", "strange")}
        self.shown = ["ours"]

    def key_set(self):
        return KeySet([self.keys[name] for name in self.shown]).as_dict(private=False)

    def give_code(self, asked):
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | self.next
        return code

    def token(self, form, authorization):
        """The answer and its status."""
        begun = self.codes.pop(form.get("code", ""), None)
        made = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        wanted = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != wanted:
            return 401, {"error": "invalid_client"}
        if begun is None or begun["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if begun["code_challenge"] != made.rstrip(b"=").decode() or begun["code_challenge_method"] != "S256":
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(begun)}

    def id_token(self, begun):
        now, wrong = int(time.time()), begun.get("wrong", "")
        claims = {"iss": self.issuer, "sub": begun["sub"], "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": begun["nonce"], "email": "li@example.org", "name": "Li", "email_verified": True}
        claims |= {
            "issuer": {"iss": "https://other.example"}, "audience": {"aud": "somebody-else"},
            "nonce": {"nonce": "of another"}, "expired": {"iat": now - 900, "exp": now - 600},
            "two audiences": {"aud": [CLIENT, "other"], "azp": "other"}, "nobody": {"sub": ""},
        }.get(wrong, {})  # fmt: skip
        if wrong == "no nonce":
            del claims["nonce"]
        if wrong == "algorithm":
            part = lambda what: base64.urlsafe_b64encode(json.dumps(what).encode()).rstrip(b"=").decode()  # noqa: E731
            return f"{part({'alg': 'none'})}.{part(claims)}."
        name = "strange" if wrong == "signature" else self.shown[-1]
        kid = "ours" if wrong == "signature" else name
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, self.keys[name])


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        desk, place = self.server.desk, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path == "/.well-known/openid-configuration":
            self._say(200, {
                "issuer": desk.next.get("says", desk.issuer), "authorization_endpoint": f"{desk.issuer}/authorize",
                "token_endpoint": f"{desk.issuer}/token", "jwks_uri": f"{desk.issuer}/keys",
            })  # fmt: skip
        elif place.path == "/keys":
            self._say(200, desk.key_set())
        elif place.path == "/authorize" and asked.get("client_id") == CLIENT:
            given = {"state": asked["state"], "code": desk.give_code(asked), "iss": desk.next.get("iss", desk.issuer)}
            if desk.next.get("wrong") == "refused":
                given = {"state": asked["state"], "error": "access_denied"}
            self.send_response(302)
            self.send_header("location", f"{asked['redirect_uri']}?{urlencode(given, quote_via=quote)}")
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path == "/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*self.server.desk.token(form, self.headers.get("authorization")))
        elif self.path == "/next":
            self.server.desk.next = json.loads(body)
            if self.server.desk.next.get("new_key"):
                self.server.desk.keys["new"] = RSAKey.generate_key(2048, {"kid": "new", "use": "sig"})
                self.server.desk.shown = ["new"]
            self._say(200, {})

    def log_message(self, *_):
        """Nobody reads it."""

    def _say(self, status, what):
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class OidcProvider:
    """The process, and a browser's way through it."""

    def __enter__(self):
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "rigs.oidc_provider", str(self.port)]
        self._process = subprocess.Popen(command, cwd=Path(__file__).parents[1])
        until(self._answers)
        return self

    def __exit__(self, *_):
        end(self._process, signal.SIGTERM)

    def says_next(self, **what):
        assert httpx.post(f"{self.issuer}/next", json=what, trust_env=False).status_code == 200

    def led_back(self, address):
        """Where the browser is led after it was at ``address``."""
        return httpx.get(address, trust_env=False).headers["location"]

    def _answers(self):
        assert self._process.poll() is None
        try:
            return httpx.get(f"{self.issuer}/keys", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers)
    server.desk = Desk(f"http://127.0.0.1:{sys.argv[1]}")
    server.serve_forever()
