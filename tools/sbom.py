"""What a release is made of: a bill of materials from the hashed locks, in CycloneDX 1.6, and whether we may ship it.

``python -m tools.sbom [FILE]`` prints or writes it; the exit code is 1 where a licence is unknown or not ``ALLOWED``.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parent.parent
LOCK, FRONT_END = ROOT / "requirements" / "server.txt", ROOT / "console" / "package-lock.json"

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "EPL-2.0", "ISC", "LGPL-3.0-only", "MIT",
        "MIT-0", "MPL-2.0", "PSF-2.0", "Zlib",
    }
)  # fmt: skip
"""Licences whose works stand beside ours unchanged; GPL and AGPL are not among them."""

SAID = {
    "colorama": "BSD-3-Clause",
    "htmx-ext-sse": "0BSD",
    "pywin32": "PSF-2.0",
    "pyrage": "MIT",
    "scipy": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
"""Packages that do not say it in a form of their own, or are of another system: by the licence file that they bring."""

OF_CLASSIFIERS = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

_PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)(?: ;.*)? \\$((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)", re.MULTILINE
)
_HASH = re.compile(r"[0-9a-f]{64}")


def bill(version: str) -> dict[str, Any]:
    """The bill of materials of a version of ours."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "meterhouse",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": f"pkg:pypi/meterhouse@{version}",
            }
        },
        "components": [*_of_python(LOCK.read_text(encoding="utf-8")), *_of_browser()],
    }


def problems(document: dict[str, Any]) -> list[str]:
    """What may not be shipped, one sentence each."""
    found = []
    for one in document["components"]:
        expression = one["licenses"][0]["expression"] if one["licenses"] else ""
        if not expression:
            found.append(f"{one['name']} {one['version']}: nobody says its licence (tools/sbom.py: SAID)")
        elif not _may_be_shipped(expression):
            found.append(f"{one['name']} {one['version']}: {expression} is not among those we may ship (tools/sbom.py)")
    return found


def _may_be_shipped(expression: str) -> bool:
    """One of what OR offers, all of what AND joins."""
    offers = re.sub(r"[()]", "", expression).split(" OR ")
    return any(all(part.strip() in ALLOWED for part in offer.split(" AND ")) for offer in offers)


def _of_python(lock: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name.lower()}@{version}",
            "licenses": [{"expression": licence}] if (licence := licence_of(name)) else [],
            "properties": [{"name": "locked:sha256", "value": value} for value in _HASH.findall(hashes)],
        }
        for name, version, hashes in _PINNED.findall(lock)
    ]


def _of_browser() -> list[dict[str, Any]]:
    packages = json.loads(FRONT_END.read_text(encoding="utf-8"))["packages"]
    return [
        {
            "type": "library",
            "name": (name := path.removeprefix("node_modules/")),
            "version": said["version"],
            "purl": f"pkg:npm/{name}@{said['version']}",
            "licenses": [{"expression": licence}] if (licence := said.get("license") or SAID.get(name)) else [],
            "properties": [{"name": "locked:integrity", "value": said["integrity"]}],
        }
        for path, said in packages.items()
        if path
    ]


def licence_of(name: str) -> str:
    """By what the installed package says, in SPDX's words; nothing where it says nothing that is known."""
    if name.lower() in SAID:
        return SAID[name.lower()]
    try:
        said = cast("Message", metadata.metadata(name))
    except metadata.PackageNotFoundError:
        return ""
    if expression := said.get("License-Expression"):
        return str(expression)
    if (text := str(said.get("License") or "").strip()) in ALLOWED:
        return text
    classes = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or [] if one.startswith("License")]
    return next((OF_CLASSIFIERS[one] for one in classes if one in OF_CLASSIFIERS), OF_CLASSIFIERS.get(text, ""))


def main(arguments: list[str]) -> int:
    """Print or write it; say what may not be shipped."""
    document = bill(metadata.version("meterhouse"))
    text = json.dumps(document, indent=2) + "\n"
    if arguments:
        Path(arguments[0]).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    for problem in problems(document):
        print(problem, file=sys.stderr)
    return 1 if problems(document) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
