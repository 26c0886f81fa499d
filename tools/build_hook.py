"""Refuses to build a wheel whose pages would have no charts and no live figures: hatchling asks here before it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from front_end import SERVED, VENDOR  # beside this file, which hatchling loads by its path


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """The console's browser packages come by npm and are not committed: they are in the tree, or there is no wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's own names
        """Raise where a file is missing. An editable install may lack them: make fetches them next."""
        missing = sorted(name for name in SERVED if not (VENDOR / name).is_file())
        if version != "editable" and missing:
            sys.exit(
                f"the wheel lacks {', '.join(missing)} in console/static/vendor: run 'make console/static/vendor/stamp'"
            )
