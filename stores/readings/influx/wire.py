"""One InfluxDB over HTTP: lines in, answers out, and every refusal as what somebody can do about it.

How real servers answer was measured; the table in docs/adr/0015-influxdb.md says what each answer means here.
"""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from influxdb_client import DeletePredicateRequest, InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.delete_service import DeleteService
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from facility.errors import Rejected, StoreUnavailable
from stores.readings.influx.answers import series_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Literal

    from stores.readings.influx.address import InfluxAddress
    from stores.readings.influx.answers import AnswerSeries, AnswerTable

STORED = 204
CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 5.0, 30.0
MOST_BYTES = 2_000_000
"""Of a body: some 25,000 readings, far below the 25 MB that InfluxDB takes."""

MOST_WORDS = 300
"""A batch of 5,000 bad lines is answered with 600 KB: only its beginning is kept."""

GZIP_LEVEL = 6
"""Of 5,000 readings (518 KB) it makes 27 KB in 2 ms; the client's own 9 makes no less in 10 ms."""

_TOO_LARGE = 413
_HINTS = {
    401: " (check the user and password, or the token, of the store URL; that of a 2.x begins with influx+token://)",
    403: " (this account may not do that: grant it all on the database)",
    404: " (run meterhouse store init)",
}
_NEEDS_ADMIN = " (only an administrator's account may prepare a store; granted all on it, another does from then on)"
_NO_ROOM = "no space left"
_FULL = " (the disk of the InfluxDB is full: make room, then restart it, for it goes on refusing until then)"
_LIMITS = ("max-series-per-database", "max-values-per-tag")


class TooLargeError(Exception):
    """The body was larger than the server takes: send it in parts."""


@dataclass(frozen=True, slots=True)
class InfluxWire:
    """Threads may share it. Nothing connects before the first call."""

    address: InfluxAddress
    client: InfluxDBClient

    def write(self, policy: str, lines: bytes, precision: Literal["ms", "ns"] = "ms") -> None:
        """Store lines; a body that is too large is halved. Raises ``Rejected`` or ``StoreUnavailable``.

        After ``Rejected`` some lines may be stored and some not, whatever the answer said (measured): send them again.
        """
        if not lines:
            return
        try:
            self._write_once(policy, lines, precision)
        except TooLargeError:
            self._write_halves(policy, lines, precision)

    def _write_halves(self, policy: str, lines: bytes, precision: Literal["ms", "ns"]) -> None:
        middle = lines.rfind(b"\n", 0, len(lines) // 2) + 1 or lines.find(b"\n") + 1
        if not middle:
            raise Rejected("too_large", f"{self.address.place} takes no line of {len(lines)} bytes") from None
        self.write(policy, lines[: middle - 1], precision)
        self.write(policy, lines[middle:], precision)

    def write_parts(self, policy: str, parts: Iterable[bytes]) -> None:
        """Store lines that come in parts, in as few bodies as is reasonable; a line may break inside a text."""
        body: list[bytes] = []
        size = 0
        for part in parts:
            if size + len(part) > MOST_BYTES and body:
                self._write_body(policy, body)
                body, size = [], 0
            body.append(part)
            size += len(part) + 1
        self._write_body(policy, body)

    def _write_body(self, policy: str, parts: list[bytes]) -> None:
        """Parts in one body; where that is too large it is halved between parts, while there are several."""
        if not any(parts):
            return
        try:
            self._write_once(policy, b"\n".join(parts), "ms")
        except TooLargeError:
            if len(parts) == 1:
                self._write_halves(policy, parts[0], "ms")
                return
            self._write_body(policy, parts[: len(parts) // 2])
            self._write_body(policy, parts[len(parts) // 2 :])

    def _write_once(self, policy: str, lines: bytes, precision: str) -> None:
        bucket = f"{self.address.database}/{policy}"
        also = {"content_encoding": "gzip"} if self.address.is_gzipped else {}
        body = gzip.compress(lines, GZIP_LEVEL) if also else lines
        try:
            _, status, _ = WriteService(self.client.api_client).post_write_with_http_info(
                self.address.org, bucket, body, precision=precision, **also
            )
        except ApiException as error:
            raise self._write_refusal(error) from None
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            raise self._silence(error) from None
        if status != STORED:
            raise StoreUnavailable(f"{self.address.place} answered {status} to a write: only {STORED} is stored")

    def ask(self, query: str) -> Iterator[AnswerTable]:
        """The answer to a query of numbers, times in ms. Raises ``StoreUnavailable``."""
        return map(table_of, self._series(query, "ms"))

    def ask_json(self, query: str) -> list[AnswerSeries]:
        """The answer to a small query, times in ns. Raises ``StoreUnavailable``."""
        return self._series(query, "ns")

    def _series(self, query: str, epoch: str) -> list[AnswerSeries]:
        found, error_text = series_of(self._query(query, epoch))
        if error_text:
            hint = _FULL if _NO_ROOM in error_text else _HINTS[404] if "not found" in error_text else ""
            raise StoreUnavailable(f"{self.address.place}: {error_text}{hint}")
        return found

    def delete(self, policy: str, measurement: str, tags: Mapping[str, str], period: tuple[int, int]) -> None:
        """Delete a measurement's points of these tags in ``[start, end)`` ms. Raises ``StoreUnavailable``."""
        start_ns, last_ns = max(period[0] * 10**6, -(2**63) + 2), min(period[1] * 10**6, 2**63 - 1) - 1
        if start_ns > last_ns:
            return
        if not self.address.speaks_v2:
            chosen = "".join(f' AND "{tag}" = {quoted(value)}' for tag, value in tags.items())
            self.ask_json(f'DELETE FROM "{measurement}" WHERE time >= {start_ns} AND time <= {last_ns}{chosen}')
            return
        chosen = "".join(f" AND {tag}={_in_predicate(value)}" for tag, value in tags.items())
        predicate = f"_measurement={_in_predicate(measurement)}{chosen}"
        ask = DeletePredicateRequest(_instant(start_ns), _instant(last_ns), predicate)
        with self.refusals():
            DeleteService(self.client.api_client).post_delete(
                ask, org=self.address.org, bucket=f"{self.address.database}/{policy}"
            )

    def _query(self, query: str, epoch: str) -> bytes:
        with self.refusals():
            response = self.client.api_client.call_api(
                "/query",
                "POST",
                header_params={
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip" if self.address.is_gzipped else "identity",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                post_params=[
                    ("q", query),
                    ("epoch", epoch),
                    ("db", self.address.database),
                ],
                auth_settings=[],
                _preload_content=False,
                _return_http_data_only=True,
            )
            body: bytes = response.data
        return body

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """What the client raises in here is raised as ``StoreUnavailable``."""
        try:
            yield
        except ApiException as error:
            raise self._failure(error) from None
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            raise self._silence(error) from None

    def _write_refusal(self, error: ApiException) -> Exception:
        status, words = error.status or 0, _words(error)
        if status == _TOO_LARGE:
            return TooLargeError()
        if status in {400, 422} and _is_own(error) and not any(limit in words for limit in _LIMITS):
            return Rejected(_reason(words), words)
        return self._failure(error)

    def _failure(self, error: ApiException) -> StoreUnavailable:
        """An answer that says no for now, in words, with what to do about it."""
        words = _words(error)
        status = 404 if "not found" in words else error.status or 0  # an unknown retention policy is a 500
        if _NO_ROOM in words:
            hint = _FULL
        elif "requires admin privilege" in words:
            hint = _NEEDS_ADMIN
        else:
            hint = _HINTS.get(status, "")
        sentence = f"{self.address.place}: {error.status} {words}{hint}"
        return StoreUnavailable(sentence, retry_after_s=_retry_after(error.headers))

    def _silence(self, error: Exception) -> StoreUnavailable:
        """A server that does not answer, in words."""
        return StoreUnavailable(f"{self.address.place} does not answer: {type(error).__name__} {error}"[:MOST_WORDS])


def connect(address: InfluxAddress, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> InfluxWire:
    """A wire to that address; nothing connects yet."""
    timeout_ms = (round(CONNECT_TIMEOUT_S * 1000), round(answer_timeout_s * 1000))
    token = address.token.encode().decode("latin-1")  # as UTF-8 on the wire: the client writes headers as Latin-1
    return InfluxWire(address, InfluxDBClient(address.host, token, timeout=timeout_ms, org=address.org))


def quoted(text: str) -> str:
    """A string in InfluxQL."""
    return "'" + text.replace("\\", r"\\").replace("'", r"\'").replace("\n", r"\n") + "'"


def _in_predicate(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _instant(ns: int) -> str:
    """RFC 3339 with nanoseconds."""
    seconds, rest = divmod(ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def _reason(words: str) -> str:
    if "retention policy" in words:
        return "beyond_retention"
    return "field_type_conflict" if "field type conflict" in words else "store_refused"


def _words(error: ApiException) -> str:
    body = error.body if error.body is not None else error.reason
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    try:
        tree = msgspec.json.decode(text)
        text = str(tree.get("error") or tree.get("message") or text)
    except (msgspec.MsgspecError, AttributeError):
        pass
    return " ".join(text.split())[:MOST_WORDS]


def _is_own(error: ApiException) -> bool:
    """Whether the server itself refused: it says why as JSON, what stands before it says something else."""
    try:
        return isinstance(msgspec.json.decode(error.body or ""), dict)
    except msgspec.MsgspecError:
        return False


def _retry_after(headers: Mapping[str, str] | None) -> float:
    """Seconds that the server asks for; a date is not believed, since clocks differ."""
    asked = (headers or {}).get("Retry-After", "")
    return float(asked) if asked.isdigit() else 0.0
