"""A server of a real site in a folder of its own, made and started by the commands that people use."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from meterhouse.up.folder import holder
from rigs.command_line import meterhouse
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port, need_mosquitto


class SiteServer:
    """``make`` writes its files, ``start`` brings it up; as a context manager it is ended, however a test ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.console, self.broker = free_port(), free_port()

    def make(self, *words: str) -> None:
        need_mosquitto()
        made = meterhouse(
            "init", "--listen", f"127.0.0.1:{self.console}", "--name", "Town hall", *words, data=self.folder
        )
        assert made.returncode == 0, made.stderr
        self.set("METERHOUSE_BROKER_LISTEN", f"127.0.0.1:{self.broker}")

    def set(self, name: str, value: str) -> None:
        """Write a setting as a person does: in the place of its comment, or of what it said before."""
        file = self.folder / "settings.env"
        lines = [
            f"{name}={value}" if line.lstrip("#").startswith(f"{name}=") else line
            for line in file.read_text().splitlines()
        ]
        file.write_text("\n".join(lines) + "\n")

    def run(self, *words: str, **env: str):
        return meterhouse(*words, data=self.folder, **env)

    def start(self) -> str:
        done = self.run("up", "--detach")
        assert done.returncode == 0, (done.stderr, self.logs())
        return done.stdout

    def logs(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in (self.folder / "logs").glob("*.log"))

    @property
    def ca(self) -> Path:
        return self.folder / "secrets" / "ca.pem"

    @property
    def listen(self) -> str:
        return f"127.0.0.1:{self.console}"

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.console}"

    def open(self, path: str, ca: Path | None = None) -> tuple[int, str]:
        """Status and text of a page, by TLS that trusts the site's authority alone."""
        trusts = ssl.create_default_context(cafile=str(ca or self.ca))
        try:
            with urllib.request.urlopen(f"{self.address}{path}", context=trusts, timeout=PATIENCE_S) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def pids(self) -> dict[str, int]:
        """Processes of this server, by the children that Linux knows of its supervisor."""
        found = holder(self.folder)
        if found is None:
            return {}
        listed = Path(f"/proc/{found.pid}/task/{found.pid}/children").read_text().split()
        return {name: int(pid) for pid in listed if (name := _name(int(pid)))}

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        found = holder(self.folder) if self.folder.exists() else None
        if found is not None:
            os.kill(found.pid, 15)
            until(lambda: holder(self.folder) is None)


def _name(pid: int) -> str:
    """What a process runs; nothing of one that has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return "broker" if b"mosquitto" in words[0] else b" ".join(words[-2:-1]).decode()


def newer(folder: Path) -> None:
    """Make a folder say that it is of tomorrow."""
    (folder / "folder.json").write_text(json.dumps({"version": 99}))
