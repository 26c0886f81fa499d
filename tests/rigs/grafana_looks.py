"""Opens dashboards of a Grafana in Chromium and says what is wrong with each, as a person would see it.

What it looks for are Grafana 12's own marks (packages/grafana-e2e-selectors, selectors/components.ts of 12.3). We never
saw them in a running one, so that a panel that cannot be found is wrong, too: a renamed mark is no good page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rigs.patience import until

if TYPE_CHECKING:
    from collections.abc import Collection

    from playwright.sync_api import Page

HEADER = "[data-testid='data-testid Panel header {title}']"
ERROR = "[data-testid='data-testid Panel status error']"
LOADING = "[aria-label='Panel loading bar']"
NO_PLUGIN = "Panel plugin not found"
TALL = 6_000
"""Panels below the edge of the window are not drawn: the window is higher than any dashboard."""


@dataclass
class Seen:
    """What the browser complained of while a page was open."""

    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page before it is opened."""
        page.on("pageerror", lambda error: self.errors.append(str(error)[:200]))
        page.on("requestfailed", lambda request: self.failed.append(f"{request.url} {request.failure}"))
        page.on("response", self._response)

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.url.partition('?')[0]} answered {response.status}")


def wrong_with(page: Page, url: str, board: dict[str, Any], empty: Collection[str], width: int) -> list[str]:
    """Everything that is wrong with a dashboard; ``empty`` are titles of panels that rightly have no figure."""
    seen = Seen()
    seen.watch(page)
    page.set_viewport_size({"width": width, "height": TALL})
    page.goto(f"{url}/d/{board['uid']}?kiosk", wait_until="load")
    page.locator(HEADER.format(title=board["panels"][0]["title"])).first.wait_for(state="visible")
    until(lambda: not page.locator(LOADING).count())
    page.wait_for_load_state("networkidle")
    found = [f"failed: {one}" for one in seen.failed] + [f"script: {one}" for one in seen.errors]
    for panel in board["panels"]:
        found += [f"{panel['title']}: {one}" for one in _wrong_with_panel(page, panel, empty)]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"is wider than {width} pixels")
    return found


def _wrong_with_panel(page: Page, panel: dict[str, Any], empty: Collection[str]) -> list[str]:
    box = page.locator(HEADER.format(title=panel["title"])).first
    if not box.count():
        return ["is not on the page"]
    found, said = [], box.inner_text()
    if box.locator(ERROR).count():
        found.append("has an error")
    if NO_PLUGIN in said:
        found.append("is of a type that this Grafana does not know")
    nothing = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "No data")
    if panel["title"] not in empty and any(words in said for words in (nothing, "No data")):
        found.append("says that there is nothing, where there are figures")
    wide = "e => [...e.querySelectorAll('h2, h6')].some(one => one.scrollWidth > one.clientWidth + 1)"
    if box.evaluate(wide):
        found.append("its title is cut")
    return found
