"""An InfluxDB's own backup, called and laid out so that its own program restores it: 2.x over HTTP, 1.x by ``influxd``.

The form of 2.x is that of ``influx backup`` (influx-cli 2.7, manifest version 2); ``influx restore FOLDER`` reads it.
"""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from facility.errors import ConfigError, Unavailable
from meterhouse.servers.influxd import find_influxd
from stores.readings.influx.address import influx_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from stores.readings.influx.address import InfluxAddress

FOLDER = "influx-backup"
"""Where a restore leaves it, within the data folder."""

RESTORE_V2, RESTORE_V1 = "influx restore", "influxd restore -portable"
RPC_PORT = 8088
"""Where a 1.x listens for its own program unless it is told otherwise."""

CHUNK_BYTES = 2**20
CONNECT_S = 10.0
OK, GONE, MAY_NOT = 200, 404, frozenset({401, 403})
GZIP = 1
"""How a manifest calls it."""


class NotHereError(Exception):
    """It cannot be called from here; the sentence says why, and who backs the readings up instead."""


def copies_of(url: str, into: Path, now: datetime, rpc: str = "") -> Iterator[Path]:
    """Each file of the backup, one after the other in ``into``: whoever takes one deletes it.

    ``rpc`` is where a 1.x listens for its own program. Raises ``NotHereError`` before the first where it cannot be
    called, ``Unavailable`` where it fails.
    """
    address = influx_address(url)
    into.mkdir(mode=0o700, exist_ok=True)
    if address.speaks_v2:
        yield from _Server(address).copies(into, f"{now:%Y%m%dT%H%M%SZ}")
    else:
        yield from _by_program(address, into, rpc or f"{urlsplit(address.host).hostname}:{RPC_PORT}")


def _by_program(address: InfluxAddress, into: Path, rpc: str) -> list[Path]:
    _Server(address).check_answers()
    try:
        program = str(find_influxd())
    except ConfigError:
        raise NotHereError("its own backup is 'influxd backup -portable', and influxd is not installed here") from None
    _check_listens(rpc)
    command = [program, "backup", "-portable", "-db", address.database, "-host", rpc, str(into)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        why = f"failed at {rpc}: {' '.join(said)[:200]}"
        raise NotHereError(f"its own backup is 'influxd backup -portable', which {why}")
    return sorted(path for path in into.iterdir() if path.is_file())


def _check_listens(rpc: str) -> None:
    """Its own program tries again for minutes where nobody listens."""
    host, _, port = rpc.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, ValueError, OverflowError):
        raise NotHereError(f"its own backup is 'influxd backup -portable', and nobody listens at {rpc}") from None


class _Server:
    """A server over HTTP; one of 2.x is asked by the token of the store's URL."""

    def __init__(self, address: InfluxAddress) -> None:
        self._address = address
        wait = urllib3.Timeout(connect=CONNECT_S, read=300)
        headers = {"Authorization": f"Token {address.token}"}
        self._http = urllib3.PoolManager(retries=False, timeout=wait, headers=headers)

    def check_answers(self) -> None:
        """Raise ``Unavailable`` where nobody does."""
        self._ask("/ping")

    def copies(self, into: Path, base: str) -> Iterator[Path]:
        """What its keys, tables and shards are, and last what belongs together."""
        parts = self._metadata()
        said: dict[str, Any] = {"manifestVersion": 2}
        for name, ending in (("kv", "bolt"), ("sql", "sqlite")):
            file = into / f"{base}.{ending}.gz"
            file.write_bytes(gzip.compress(parts[name], 1))
            said[name] = _entry(file)
            yield file
        ours = [one for one in json.loads(parts["buckets"]) if self._is_ours(one)]
        for shard in _shards(ours):
            file = into / f"{base}.{shard['id']}.tar.gz"
            if self._copy_shard(shard["id"], file):
                shard.update(_entry(file))
                yield file
        for group in _groups(ours):  # one that went meanwhile was deleted by its age
            group["shards"] = [one for one in group["shards"] if "fileName" in one]
        manifest = into / f"{base}.manifest"
        manifest.write_text(json.dumps(said | {"buckets": ours}, indent=2), encoding="utf-8")
        yield manifest

    def _is_ours(self, bucket: dict[str, Any]) -> bool:
        named = bucket["bucketName"].partition("/")[0] == self._address.database
        return named and self._address.org in {bucket["organizationName"], bucket["organizationID"]}

    def _metadata(self) -> dict[str, bytes]:
        answer = self._ask("/api/v2/backup/metadata")
        if answer.status in MAY_NOT:
            raise NotHereError("its own backup is 'influx backup', by a token that may do all")
        _check(answer, self._address)
        return _parts(answer.data, answer.headers.get("content-type", ""))

    def _copy_shard(self, shard: int, file: Path) -> bool:
        """Whether it is there."""
        answer = self._ask(f"/api/v2/backup/shards/{shard}", preload_content=False)
        try:
            if answer.status == GONE:
                return False
            _check(answer, self._address)
            is_packed = answer.headers.get("content-encoding") == "gzip"
            with file.open("wb") if is_packed else gzip.open(file, "wb", 1) as out:
                while piece := answer.read(CHUNK_BYTES, decode_content=False):
                    out.write(piece)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._address.place} broke off its backup: {type(error).__name__}") from None
        finally:
            answer.release_conn()
        return True

    def _ask(self, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request("GET", f"{self._address.host}{path}", **more)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._address.place} does not answer: {type(error).__name__}") from None


def _check(answer: urllib3.BaseHTTPResponse, address: InfluxAddress) -> None:
    if answer.status != OK:
        raise Unavailable(f"{address.place} answers {answer.status} where its backup was asked for")


def _parts(body: bytes, kind: str) -> dict[str, bytes]:
    """Name → content of a multipart answer, whose boundary stands nowhere in it."""
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    found = {}
    for piece in body.split(boundary)[1:]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0] or head.partition(b"name=")[2].partition(b"\r")[0]
        found[name.split(b";")[0].decode()] = content.removesuffix(b"\r\n")
    if not {"kv", "sql", "buckets"} <= found.keys():
        raise Unavailable("the InfluxDB's answer is no backup of one")
    return found


def _entry(file: Path) -> dict[str, Any]:
    return {"fileName": file.name, "size": file.stat().st_size, "compression": GZIP}


def _groups(buckets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for bucket in buckets:
        for policy in bucket["retentionPolicies"]:
            policy["shardGroups"] = policy.get("shardGroups") or []
            policy["subscriptions"] = policy.get("subscriptions") or []
            yield from policy["shardGroups"]


def _shards(buckets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for group in _groups(buckets):
        group["shards"] = group.get("shards") or []
        yield from group["shards"]
