"""A real Grafana: the one that GRAFANA_URL names, or one of our own where grafana-server is on the PATH.

None can be installed by us: Debian has none, and its source is under the AGPL. Whoever has one says
``GRAFANA_URL=http://…:3000`` with ``GRAFANA_TOKEN`` (a service account with the role Admin) or ``GRAFANA_PASSWORD`` (of
``GRAFANA_USER``, else admin). The InfluxDB of the tests must be reachable by it: both on one machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from dashboards.build import texts_of, write
from rigs.boards import boards
from rigs.patience import until
from rigs.servers import end, free_port
from stores.readings.influx.address import influx_address

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parents[2] / "deploy" / "grafana"
LACKING = (
    "no Grafana: GRAFANA_URL (with GRAFANA_TOKEN or GRAFANA_PASSWORD) names none, and no grafana-server is on the PATH;"
    " Debian has none, and we ship none. Dashboards were NOT opened in a real Grafana"
)


@dataclass(frozen=True)
class RealGrafana:
    """Where it answers, a token that may all, and whether it has its dashboards by our files."""

    url: str
    token: str
    has_files: bool


def need_grafana() -> None:
    """Without any a test is skipped, and says so."""
    if not os.environ.get("GRAFANA_URL") and not shutil.which("grafana-server"):
        pytest.skip(LACKING)


@contextlib.contextmanager
def real_grafana(store: str) -> Iterator[RealGrafana]:
    """One that can reach the InfluxDB ``store``."""
    program = shutil.which("grafana-server")
    with contextlib.ExitStack() as stack:
        if url := os.environ.get("GRAFANA_URL", "").rstrip("/"):
            token = os.environ.get("GRAFANA_TOKEN") or stack.enter_context(_signed_in(url, _password()))
            yield RealGrafana(url, token, has_files=False)
        else:
            url = stack.enter_context(_own(str(program), store))
            yield RealGrafana(url, stack.enter_context(_signed_in(url, ("admin", "admin"))), has_files=True)


def _password() -> tuple[str, str]:
    password = os.environ.get("GRAFANA_PASSWORD")
    if not password:
        pytest.fail("GRAFANA_URL is set, and neither GRAFANA_TOKEN nor GRAFANA_PASSWORD")
    return os.environ.get("GRAFANA_USER", "admin"), password


@contextlib.contextmanager
def _signed_in(url: str, person: tuple[str, str]) -> Iterator[str]:
    """A token of a service account that goes again."""
    with httpx.Client(base_url=f"{url}/api", auth=person, timeout=30) as client:
        made = client.post("/serviceaccounts", json={"name": f"meterhouse-test-{os.getpid()}", "role": "Admin"})
        assert made.status_code == 201, made.text
        account = made.json()["id"]
        try:
            yield client.post(f"/serviceaccounts/{account}/tokens", json={"name": "test"}).json()["key"]
        finally:
            client.delete(f"/serviceaccounts/{account}")


@contextlib.contextmanager
def _own(program: str, store: str) -> Iterator[str]:
    """A Grafana of our own, with nothing but the files of ``deploy/grafana``."""
    folder, port, address = Path(tempfile.mkdtemp(prefix="grafana-")), free_port(), influx_address(store)
    write(folder / "dashboards", texts_of(boards()))
    settings = {
        "METERHOUSE_PROVISIONING": DEPLOY / "provisioning", "METERHOUSE_DASHBOARDS": folder / "dashboards",
        "METERHOUSE_INFLUX_URL": address.host, "METERHOUSE_INFLUX_DATABASE": address.database,
        "METERHOUSE_INFLUX_TOKEN": address.token, "GF_PATHS_DATA": folder / "data", "GF_PATHS_LOGS": folder / "logs",
        "GF_SERVER_HTTP_ADDR": "127.0.0.1", "GF_SERVER_HTTP_PORT": port,
    }  # fmt: skip
    home = os.environ.get("GRAFANA_HOME", "/usr/share/grafana")
    words = [program, "--config", str(DEPLOY / "grafana.ini"), "--homepath", home]
    with (folder / "said").open("wb") as said:
        environment = os.environ | {name: str(value) for name, value in settings.items()}
        process = subprocess.Popen(words, env=environment, stdout=said, stderr=said)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "said").read_text(errors="replace")[-2000:]
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/api/health", timeout=5).is_success
        return False

    try:
        until(answers)
        yield url
    finally:
        end(process, signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)
