"""Writes the files that are made from others, or with ``--check`` says which are out of date.

Checks beside it that the catalogues of both languages hold every text that is said, and no other.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dashboards.build import made, texts_of
from device_profiles import load_profiles
from device_profiles.generated import schema_text, supported_devices_text
from meterhouse.up import mosquitto
from stores.site_file import read_site
from tools.catalogues import problems
from tools.commands import commands_text
from tools.roles_table import with_roles
from tools.rollup_reference import rollup_reference_text
from tools.site_reference import site_reference_text

ROOT = Path(__file__).parent.parent


def generated_files() -> dict[Path, str]:
    """Text of each generated file."""
    boards = texts_of(made(read_site(ROOT / "demo" / "site.yaml", load_profiles())))
    return {
        **{ROOT / "dashboards" / "generated" / path: text for path, text in boards.items()},
        ROOT / "deploy" / "mosquitto" / mosquitto.CONFIGURATION: mosquitto.configuration(),
        ROOT / "deploy" / "mosquitto" / mosquitto.RIGHTS: mosquitto.rights(),
        ROOT / "device_profiles" / "schema.json": schema_text(),
        ROOT / "docs" / "commands.md": commands_text(),
        ROOT / "docs" / "security.md": with_roles(ROOT / "docs" / "security.md"),
        ROOT / "docs" / "rollups.md": rollup_reference_text(),
        ROOT / "docs" / "site.md": site_reference_text(),
        ROOT / "docs" / "supported-devices.md": supported_devices_text(load_profiles()),
    }


def main() -> int:
    """Write, or with ``--check`` compare; the exit code says whether all is well."""
    if "--check" not in sys.argv:
        for path, text in generated_files().items():
            path.write_text(text, encoding="utf-8")
        return 0
    found = [
        f"{path.relative_to(ROOT)} is out of date: run make docs"
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    found += problems()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
