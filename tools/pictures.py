"""Takes the README's pictures of a running demo: ``python tools/pictures.py DATA_FOLDER ADDRESS``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from meterhouse.commands.access import one_time_link
from meterhouse.settings import Settings
from stores.records.database import open_records

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
DRAWN_MS = 2500
SIZES = {"desktop": (1440, 1000), "phone": (390, 844)}
PICTURES = (
    ("now", "/", "en", "light", "desktop"),
    ("building", "/buildings/b35", "en", "dark", "desktop"),
    ("alerts", "/alerts?state=all", "zh-Hans", "light", "desktop"),
    ("alert", "/alerts", "zh-Hans", "dark", "phone"),
)


def open_page(page: Page, address: str, path: str, language: str) -> None:
    """Go to a page in a language; the path ``/alerts`` means the first alert's card."""
    page.goto(f"http://{address}/")
    page.click(f"button[value='{language}']")
    page.goto(f"http://{address}{path}")
    if path == "/alerts":
        page.click("main a[href^='/alerts/']")
    page.wait_for_timeout(DRAWN_MS)


def main() -> None:
    """Sign in once, then take each picture."""
    data, address = Path(sys.argv[1]), sys.argv[2]
    records = open_records(Settings(data=data).records_url)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name, path, language, scheme, size in PICTURES:
            width, height = SIZES[size]
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(one_time_link(records, "demo", address, datetime.now(UTC)))
            page.click("main button")
            open_page(page, address, path, language)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
