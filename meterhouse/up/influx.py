"""Sets up an empty InfluxDB 2 of a server: its owner, and an account for Grafana that may only read.

Done again it changes nothing: what was made is kept in the server's secrets.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import urllib3

from facility.errors import ConfigError, Unavailable
from meterhouse.up.private_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path

ORG = DATABASE = OWNER = "meterhouse"
SHOWN = f"{DATABASE}-internal"
"""The database of what Grafana shows."""

READS = "reads the buckets, for Grafana"
WAIT_S = 120.0
CREATED = 201


def set_up_influx(url: str, kept: Path) -> tuple[str, str]:
    """Wait for the server at ``http://host:port``, make its owner where it has none; the URLs of store and copy.

    Raises ``ConfigError`` where somebody else has set it up, ``Unavailable`` where it does not answer.
    """
    http = urllib3.PoolManager(timeout=10, retries=False)
    is_open = _await(http, url)
    if is_open and kept.exists():
        raise ConfigError(f"the InfluxDB at {url} is empty, and {kept} is of another: move that away to begin anew")
    if not is_open and not kept.exists():
        raise ConfigError(f"the InfluxDB at {url} was set up by somebody else: name it by METERHOUSE_STORE")
    if is_open:
        said = {"token": secrets.token_urlsafe(48), "password": secrets.token_urlsafe(32)}
        write_whole(kept, json.dumps(said))  # before it is used: else nobody would know it after a crash
        wanted = {"username": OWNER, "org": ORG, "bucket": f"{DATABASE}-first", **said}
        answer = http.request("POST", f"{url}/api/v2/setup", json=wanted)
        if answer.status != CREATED:
            kept.unlink()
            raise ConfigError(f"the InfluxDB at {url} cannot be set up: {answer.data.decode(errors='replace')[:200]}")
    token = json.loads(kept.read_text(encoding="utf-8"))["token"]
    place = f"influx+token://{quote(token, safe='')}@{urlsplit(url).netloc}/{ORG}"
    return f"{place}/{DATABASE}", f"{place}/{SHOWN}"


def reading_token(url: str, kept: Path) -> str:
    """A token that may read the buckets of the copy and nothing else, made once; one that could read more is ended.

    Raises ``ConfigError`` where none can be made.
    """
    said: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    if "shown_reader" not in said:
        http = urllib3.PoolManager(timeout=10, retries=False, headers={"Authorization": f"Token {said['token']}"})
        org = http.request("GET", f"{url}/api/v2/orgs?org={ORG}").json()["orgs"][0]["id"]
        buckets = http.request("GET", f"{url}/api/v2/buckets?orgID={org}&limit=100").json()["buckets"]
        theirs = [one["id"] for one in buckets if one["name"].startswith(f"{SHOWN}/")]
        reads = [{"action": "read", "resource": {"type": "buckets", "orgID": org, "id": one}} for one in theirs]
        mapped = {"action": "read", "resource": {"type": "dbrp", "orgID": org}}
        wanted = {"orgID": org, "description": READS, "permissions": [*reads, mapped]}
        _end_others(http, url)
        answer = http.request("POST", f"{url}/api/v2/authorizations", json=wanted)
        if answer.status != CREATED:
            raise ConfigError(
                f"no account that may read can be made at {url}: {answer.data.decode(errors='replace')[:200]}"
            )
        said.pop("reader", None)
        write_whole(kept, json.dumps(said | {"shown_reader": answer.json()["token"]}))
        return str(answer.json()["token"])
    return str(said["shown_reader"])


def _end_others(http: urllib3.PoolManager, url: str) -> None:
    """End accounts that an earlier Meterhouse made for Grafana: they read every bucket."""
    found = http.request("GET", f"{url}/api/v2/authorizations").json()["authorizations"]
    for one in found:
        if one["description"] == READS:
            http.request("DELETE", f"{url}/api/v2/authorizations/{one['id']}")


def _await(http: urllib3.PoolManager, url: str) -> bool:
    """Whether it waits to be set up, once it answers."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            answer = http.request("GET", f"{url}/api/v2/setup")
            return bool(answer.json()["allowed"])
        except (urllib3.exceptions.HTTPError, ValueError, KeyError):
            if time.monotonic() > until:
                raise Unavailable(f"no InfluxDB 2 answers at {url}") from None
            time.sleep(0.5)
