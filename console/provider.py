"""Signing in by the site's provider: OpenID Connect Core 1.0, section 3.1, with PKCE (RFC 7636) and discovery.

Every answer of the provider is held against what was asked: by this browser, once, within minutes. What it claims of a
person but who vouches and how they name them is not looked at: a person matches that with an account here.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import KeySet

from facility.errors import ConfigError, Denied, Problem, Unavailable
from facility.host import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "METERHOUSE_OIDC_ISSUER"
DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "ES256")
BEGUN_S, MOST_BEGUN = 600.0, 1000
KNOWN_S = 3600.0
"""For how long the provider's addresses and keys are taken for what they are; a key that is not known asks anew."""

SKEW_S = 60
TIMEOUT_S = 10.0
OK = 200


@dataclass(frozen=True, slots=True)
class Begun:
    """One sign-in under way. ``person`` is who wants to be matched; empty for who wants to come in."""

    nonce: str
    verifier: str
    back: str
    person: str
    until_s: float


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, and who of ours asked."""

    subject: str
    person: str


class Provider:
    """The site's provider. Any thread may ask."""

    def __init__(
        self, issuer: str, client: str, secret: str, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """``name`` is what the button says. Raises ``ConfigError`` for an issuer that is not asked by TLS."""
        check_issuer(issuer)
        if not client:
            raise ConfigError(Problem("METERHOUSE_OIDC_CLIENT", "is missing", "the client id that the provider gave"))
        self.issuer, self.name = issuer, name or urlsplit(issuer).hostname or issuer
        self._client, self._secret, self._monotonic = client, secret, monotonic
        self._http = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
        self._lock = threading.Lock()
        self._begun: OrderedDict[str, Begun] = OrderedDict()
        self._known: tuple[float, dict[str, Any], KeySet] | None = None

    def begin(self, back: str, person: str = "") -> tuple[str, str]:
        """Where the browser goes, and the state by which it comes back to ``back``. Raises ``Unavailable``."""
        place, _ = self._look()
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        begun = Begun(secrets.token_urlsafe(24), verifier, back, person, self._monotonic() + BEGUN_S)
        with self._lock:
            self._begun[state] = begun
            while len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self._client,
            "redirect_uri": back,
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        address = str(place["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", state

    def finish(self, state: str, code: str, issuer: str = "", error: str = "") -> Vouched:
        """Whom the answer vouches for. Raises ``Denied`` with one sentence why not, ``Unavailable``."""
        with self._lock:
            begun = self._begun.pop(state, None)
        if begun is None or self._monotonic() > begun.until_s:
            raise Denied("this sign-in was not begun here, has been finished, or took too long")
        if error or not code:
            raise Denied("the provider has let nobody in")
        if issuer and issuer != self.issuer:  # RFC 9207
            raise Denied("the answer comes from another issuer than was asked")
        return Vouched(self._subject(self._exchange(code, begun), begun), begun.person)

    def _exchange(self, code: str, begun: Begun) -> str:
        place, _ = self._look()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": begun.back}
        form |= {"client_id": self._client, "code_verifier": begun.verifier}
        auth = httpx.BasicAuth(self._client, self._secret) if self._secret else None
        answer = self._ask("POST", str(place["token_endpoint"]), data=form, auth=auth)
        if answer.status_code != OK:
            raise Denied("the provider does not take the code: it was used, is too old, or is another's")
        token = _document(answer).get("id_token")
        if not isinstance(token, str):
            raise Denied("the provider's answer names nobody")
        return token

    def _subject(self, token: str, begun: Begun) -> str:
        try:
            held = self._decoded(token)
            wanted = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._client},
            }
            params = {"nonce": begun.nonce, "client_id": self._client}
            claims = CodeIDToken(held.claims, held.header, wanted, params)
            claims.validate(leeway=SKEW_S)
        except ExpiredTokenError:
            raise Denied("the provider's answer has expired") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise Denied(f"the provider's answer has {_WRONG.get(error.claim or '', 'a wrong claim')}") from None
        except (JoseError, ValueError):
            raise Denied("the provider's answer is not signed by the provider") from None
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Denied("the provider's answer names nobody")
        return subject

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._look()[1], algorithms=ALGORITHMS)
        except (BadSignatureError, InvalidKeyIdError, ValueError):  # it may have a new key since
            return jwt.decode(token, self._look(anew=True)[1], algorithms=ALGORITHMS)

    def _look(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """The provider's addresses and keys."""
        with self._lock:
            known = self._known
        if known and self._monotonic() < known[0] and not anew:
            return known[1], known[2]
        place = _document(self._ask("GET", self.issuer.rstrip("/") + DISCOVERY))
        if place.get("issuer") != self.issuer:
            raise Unavailable(f"what answers at {self.issuer} says that it is another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            check_issuer(str(place.get(name)))
        try:
            keys = KeySet.import_key_set(_document(self._ask("GET", place["jwks_uri"])))  # type: ignore[arg-type]
        except (JoseError, KeyError, TypeError, ValueError):
            raise Unavailable(f"the keys of {self.issuer} cannot be read") from None
        with self._lock:
            self._known = self._monotonic() + KNOWN_S, place, keys
        return place, keys

    def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, address, headers={"accept": "application/json"}, **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.issuer} does not answer: {type(error).__name__}") from None


_WRONG = {"iss": "another issuer", "aud": "another audience", "nonce": "another nonce", "azp": "another audience"}
"""Claim → what is wrong with it."""


def check_issuer(address: str) -> None:
    """Raise ``ConfigError`` for an address that is not asked by TLS; on this machine alone it may."""
    try:
        place = urlsplit(address)
        host = place.hostname or ""
    except ValueError:
        host = ""
    if not host or not (place.scheme == "https" or (place.scheme == "http" and is_loopback(host))) or place.fragment:
        raise ConfigError(Problem(ISSUER, f"'{address}' is no address of a provider", "https://id.example/realms/site"))


def _document(answer: httpx.Response) -> dict[str, Any]:
    """Raises ``Unavailable`` for what is no JSON object."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code != OK or not isinstance(found, dict):
        raise Unavailable(f"the provider answers {answer.status_code} where it should say what it is")
    return found
