"""A real browser for tests that look at pages."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
VENDOR = ROOT / "console" / "static" / "vendor" / "htmx.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def _need(path: Path, what: str) -> None:
    if not path.exists():
        pytest.skip(f"{what} is missing: {path}")


@contextmanager
def browser_started() -> Iterator[Browser]:
    """Chromium until the block ends; a skip where it, or what pages load, is missing."""
    _need(CHROMIUM, "Chromium")
    _need(VENDOR, "the front end (run tools/front_end.py)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
