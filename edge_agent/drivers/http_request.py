"""One GET on a connection of its own: what comes late, or not at all, is nobody else's answer."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import TYPE_CHECKING, cast

from edge_agent.drivers.base import BusDownError, NoAnswerError

if TYPE_CHECKING:
    import ssl

    from facility.protocols.lines import NetworkLine

MOST_BYTES = 262_144
HEAD_ENDS = (b"\r\n\r\n", b"\n\n")
RECEIVED = 4096


class _Heard:
    """What came, as ``http.client`` wants to read it."""

    def __init__(self, heard: bytes) -> None:
        self._heard = heard

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._heard)


def ask_for(place: NetworkLine, resource: str, tls: ssl.SSLContext | None, timeout_s: float) -> tuple[int, bytes]:
    """Status and body of the answer, all of which must have come within the time. Redirects are not followed.

    Raises ``BusDownError`` where nobody listens, else ``NoAnswerError``.
    """
    end_s = time.monotonic() + timeout_s
    try:
        line = socket.create_connection((place.host, place.port), timeout_s)
    except OSError as error:
        raise BusDownError(f"{place.host}:{place.port} cannot be reached: {error.strerror or error}") from None
    with line:
        try:
            spoken = tls.wrap_socket(line, server_hostname=place.host) if tls else line
        except OSError as error:
            raise BusDownError(f"{place.host}:{place.port}: no TLS: {error.strerror or error}") from None
        with spoken:
            return _asked(spoken, place, resource, end_s)


def _asked(line: socket.socket, place: NetworkLine, resource: str, end_s: float) -> tuple[int, bytes]:
    heard = b""
    try:
        line.sendall(_request(place, resource))
        while (left_s := end_s - time.monotonic()) > 0:
            line.settimeout(left_s)
            more = line.recv(RECEIVED)
            heard += more
            if found := _answer(heard, is_whole=not more):
                return found
            if not more or len(heard) > MOST_BYTES:
                raise NoAnswerError(f"{resource}: what came is no answer")
    except TimeoutError:
        pass
    except OSError as error:
        raise NoAnswerError(f"{resource}: {error.strerror or error}") from None
    raise NoAnswerError(f"{resource}: no answer in time")


def _request(place: NetworkLine, resource: str) -> bytes:
    host = f"[{place.host}]" if ":" in place.host else place.host.encode("idna").decode()
    head = f"GET {resource} HTTP/1.1\r\nHost: {host}:{place.port}\r\nAccept: application/json\r\n"
    return f"{head}Connection: close\r\n\r\n".encode()


def _answer(heard: bytes, *, is_whole: bool) -> tuple[int, bytes] | None:
    """Status and body once all of it is there. Raises ``NoAnswerError`` for what is no answer."""
    if not any(end in heard for end in HEAD_ENDS):
        return None
    answer = http.client.HTTPResponse(cast("socket.socket", _Heard(heard)), method="GET")
    try:
        answer.begin()
        is_endless = answer.length is None and not answer.chunked
        body = answer.read()
    except (http.client.IncompleteRead, http.client.RemoteDisconnected):
        return None
    except (http.client.HTTPException, ValueError, OverflowError, MemoryError) as error:
        raise NoAnswerError(f"what came is no answer: {type(error).__name__}") from None
    return (answer.status, body) if is_whole or not is_endless else None
