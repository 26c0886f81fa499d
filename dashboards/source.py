"""The data source: where Grafana reads rollups, with an account that may only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.kit import source_uid
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from dashboards.grafana import Grafana
    from facility.levels import Level
    from stores.readings.influx.address import InfluxAddress

STORE = "METERHOUSE_GRAFANA_STORE"
ALLOWED = "influx://reader:password@host:8086/database, or influx+token://READ_TOKEN@host:8086/organisation/database"


def source_body(address: InfluxAddress, level: Level) -> dict[str, Any]:
    """What Grafana is told of an InfluxDB: InfluxQL, by POST, since a query may be long.

    Both 1.x (``user:password``) and 2.x take what signs in as a token in a header.
    """
    body: dict[str, Any] = {
        "uid": source_uid(level),
        "name": f"Meterhouse {level.word}",
        "type": "influxdb",
        "access": "proxy",
        "url": address.host,
        "jsonData": {"dbName": address.database, "httpMode": "POST", "timeInterval": "1m", "maxSeries": 1000},
        "secureJsonData": {},
    }
    if address.token:
        body["jsonData"]["httpHeaderName1"] = "Authorization"
        body["secureJsonData"]["httpHeaderValue1"] = f"Token {address.token}"
    return body


class SourceStep:
    """Makes or mends the data source, and takes that back again."""

    def __init__(self, grafana: Grafana, level: Level, address: InfluxAddress | None) -> None:
        self._grafana = grafana
        self._uid = source_uid(level)
        self._wanted = source_body(address, level) if address else None
        self._found = grafana.read(f"/datasources/uid/{self._uid}", "the data source")
        if self._found is None and self._wanted is None:
            what = f"is not set, and Grafana has no data source {self._uid} yet"
            raise ConfigError(Problem(STORE, what, ALLOWED))

    @property
    def change(self) -> str:
        """``created``, ``changed``, or nothing."""
        if self._wanted is None or (self._found or {}).get("readOnly"):
            return ""
        if self._found is None:
            return "created"
        return "changed" if self._differs(self._found, self._wanted) else ""

    def apply(self) -> None:
        """Write what differs."""
        if self.change == "created":
            self._grafana.write("/datasources", self._wanted or {}, "the data source")
        elif self.change == "changed":
            self._grafana.write(f"/datasources/uid/{self._uid}", self._wanted or {}, "the data source", "PUT")

    def undo(self) -> None:
        """Without what ``apply`` did; a secret that was there before is not known to anybody but Grafana."""
        if self.change == "created":
            self._grafana.delete(f"/datasources/uid/{self._uid}", "the data source")
        elif self.change == "changed" and self._found:
            kept = {key: value for key, value in self._found.items() if key != "secureJsonFields"}
            self._grafana.write(f"/datasources/uid/{self._uid}", kept, "the data source", "PUT")

    def check(self) -> None:
        """Raise ``ConfigError`` where Grafana cannot read there: no server, no such database, no right to read."""
        said = self._grafana.read(f"/datasources/uid/{self._uid}/health", "whether the data source works") or {}
        if said.get("status") != "OK":
            why = str(said.get("message", "")).strip()[:200]
            raise ConfigError(Problem(STORE, f"Grafana cannot read there: {why or 'it does not say why'}", ALLOWED))

    @staticmethod
    def _differs(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
        plain = any(found.get(key) != wanted[key] for key in ("url", "type", "access"))
        there = found.get("jsonData", {})
        secrets = found.get("secureJsonFields", {})
        return (
            plain
            or any(there.get(key) != value for key, value in wanted["jsonData"].items())
            or any(value and not secrets.get(key) for key, value in wanted["secureJsonData"].items())
        )
