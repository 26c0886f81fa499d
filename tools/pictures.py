"""Takes the README's and the handbook's pictures of a running demo: ``python tools/pictures.py DATA_FOLDER ADDRESS``.

The demo must have run for three minutes, so that its message has come, and nobody may have answered it yet.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from facility.order import OrderState
from meterhouse.commands.access import one_time_link
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.orders.order_rows import OrderFilter
from stores.records.orders.orders import Orders

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from sqlalchemy import Engine

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

LANGUAGES = ("en", "zh-Hans")
PHONE = {"width": 390, "height": 760}


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
        handbook(browser, records, address)
        browser.close()


def handbook(browser: Browser, records: Engine, address: str) -> None:
    """What a caretaker sees on a phone, in both languages: message, order, then what is theirs and the verdict."""
    [order] = Orders(records).of(OrderFilter(states=[OrderState.OFFERED]))
    steps = (
        ("message", "demo", "/mailbox", "article"),
        ("order", order.assignee, f"/orders/{order.id}", "main"),
        ("mine", order.assignee, "/orders/mine", "main"),
        ("verdict", order.assignee, f"/alerts/{order.wish.alert}", "details.verdict"),
    )
    for name, person, path, begins in steps:
        page = browser.new_page(viewport=PHONE, color_scheme="light", device_scale_factor=2)
        page.goto(one_time_link(records, person, address, datetime.now(UTC)))
        page.click("main button")
        if name == "mine":
            page.goto(f"http://{address}/orders/{order.id}")
            page.click("#act-accept")
        for language in LANGUAGES:
            open_page(page, address, path, language)
            page.locator(begins).first.evaluate("one => { one.open = true; one.scrollIntoView() }")
            page.screenshot(path=FOLDER / "facilities" / f"{name}.{language}.png")
        page.close()


if __name__ == "__main__":
    main()
