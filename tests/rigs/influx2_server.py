"""A real InfluxDB 2.7 on a free loopback port, where ``tools/build_servers.sh influxdb2`` has built one."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pytest
import urllib3

from meterhouse.servers.influxd import built_influxd
from rigs.influx2_fake import ORG, TOKEN
from rigs.influx_server import QUICK
from rigs.patience import until
from rigs.servers import end, free_port


def built_influxd2() -> Path | None:
    """The program, if it was built: it needs Rust beside Go, so that nobody has to have it."""
    program = built_influxd().with_name("influxd2")
    return program if os.access(program, os.X_OK) else None


def need_influxd2() -> None:
    """Where servers are required a test fails without it, and else is skipped; also as a module is imported."""
    if built_influxd2() is None:
        said = "influxd 2.7 is not built: tools/build_servers.sh influxdb2"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(said, pytrace=False)
        pytest.skip(said, allow_module_level=True)


class Influx2Server:
    """Context manager: a server of our own. ``kill`` and ``start`` keep its port and its folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="influxd2-", dir=QUICK))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.http = urllib3.PoolManager(retries=False, timeout=5.0)

    @property
    def url(self) -> str:
        return self.url_of("meterhouse")

    def url_of(self, database: str, token: str = TOKEN, org: str = ORG) -> str:
        return f"influx+token://{quote(token)}@127.0.0.1:{self.port}/{quote(org)}/{database}"

    def start(self) -> Self:
        program = built_influxd2()
        assert program is not None
        words = [
            "--reporting-disabled",
            f"--http-bind-address=127.0.0.1:{self.port}",
            f"--bolt-path={self.folder / 'meta.bolt'}",
            f"--sqlite-path={self.folder / 'meta.sqlite'}",
            f"--engine-path={self.folder / 'engine'}",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([program, *words], stdout=log, stderr=log)
        until(self._is_set_up, says=lambda: self.log)
        return self

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def _is_set_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        first = {"username": "root", "password": "a-password", "org": ORG, "bucket": "first", "token": TOKEN}
        try:
            answer = self.http.request("POST", f"http://127.0.0.1:{self.port}/api/v2/setup", json=first)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 201 or b"already been completed" in answer.data

    def bring(self, folder: Path) -> None:
        """What ``influx restore FOLDER`` does: buckets by their manifest, then their shards."""
        (manifest,) = folder.glob("*.manifest")
        said = json.loads(manifest.read_text())
        assert said["manifestVersion"] == 2
        place, token = f"http://127.0.0.1:{self.port}", {"Authorization": f"Token {TOKEN}"}
        orgs = self.http.request("GET", f"{place}/api/v2/orgs?org={quote(ORG)}", headers=token).json()["orgs"]
        for bucket in said["buckets"]:
            wanted = bucket | {"organizationID": orgs[0]["id"]}
            made = self.http.request("POST", f"{place}/api/v2/restore/bucketMetadata", json=wanted, headers=token)
            assert made.status == 201, made.data
            ids = {one["oldId"]: one["newId"] for one in made.json()["shardMappings"]}
            shards = [s for p in bucket["retentionPolicies"] for g in p["shardGroups"] for s in g["shards"]]
            for shard in shards:
                content = (folder / shard["fileName"]).read_bytes()
                assert gzip.decompress(content)
                head = token | {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
                address = f"{place}/api/v2/restore/shards/{ids[shard['id']]}"
                put = self.http.request("POST", address, body=content, headers=head)
                assert put.status == 200, put.data

    def lose(self) -> None:
        """Its disk dies, and an empty one takes its place."""
        self.kill()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.start()

    def kill(self) -> None:
        """Take it away without a word, as a crash does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        end(self.process, number)
        self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)
        self.http.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
