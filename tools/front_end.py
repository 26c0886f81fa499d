"""Fetch the console's locked browser packages by npm and lay the files it serves into console/static/vendor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "console"
VENDOR = CONSOLE / "static" / "vendor"
NODE_VENV = ROOT / ".tools" / "node"

SERVED = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "sse.min.js": "htmx-ext-sse/dist/sse.min.js",
    "sse.LICENSE": "htmx-ext-sse/LICENSE",
    "uPlot.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uPlot.LICENSE": "uplot/LICENSE",
}
"""Name under ``console/static/vendor`` → file under ``node_modules``."""


def main() -> None:
    """Install what the lock names, without running any package's scripts, and copy what pages load."""
    npm = shutil.which("npm")
    folder = Path(npm).parent if npm and shutil.which("node") else _node_from_wheel()
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(folder / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=CONSOLE, env=environment, check=True)  # noqa: S603 - a fixed command
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, source in SERVED.items():
        shutil.copyfile(CONSOLE / "node_modules" / source, VENDOR / name)


def _node_from_wheel() -> Path:
    """Folder of the npm that comes as a wheel, in a venv of its own: it is large and needed once."""
    scripts = NODE_VENV / ("Scripts" if os.name == "nt" else "bin")
    if not (scripts / "npm").exists():
        print("node is not installed: fetching it as a wheel", file=sys.stderr)
        venv.create(NODE_VENV, with_pip=True, clear=True)
        pip = [str(scripts / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        lock = str(ROOT / "requirements" / "front_end.txt")
        subprocess.run([*pip, "--require-hashes", "-r", lock], check=True)  # noqa: S603 - a fixed command
    return scripts


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"front_end: '{' '.join(error.cmd[:2])}' failed with code {error.returncode}; is the network reachable?"
        )
