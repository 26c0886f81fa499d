"""What is looked for on Grafana's pages is found: on a fake of its page, made wrong in one way after the other."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rigs.grafana_looks import wrong_with

pytestmark = pytest.mark.browser

BOARD = {
    "uid": "cost-en",
    "panels": [
        {"title": "Cost", "fieldConfig": {"defaults": {"noValue": "no figure in this time"}}},
        {"title": "Used", "fieldConfig": {"defaults": {"noValue": "no figure in this time"}}},
    ],
}
GOOD = {"Cost": "£12", "Used": "3 kWh"}
LONG_TITLE = "<script>document.querySelector('h2').textContent='long '.repeat(40)</script>"
ERROR_MARK = '<button data-testid="data-testid Panel status error">!</button>'


class FakePages:
    """A fake of Grafana 12's pages: panels with its marks, and what a test puts into them."""

    def __init__(self):
        self.panels, self.more = dict(GOOD), ""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status = 500 if self.path.startswith("/api/broken") else 200
                text = fake.page().encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def page(self):
        boxes = "".join(
            f'<section data-testid="data-testid Panel header {title}"><h2 style="width:200px;white-space:nowrap;'
            f'overflow:hidden">{title}</h2><div>{inner}</div></section>'
            for title, inner in self.panels.items()
        )
        return f"<!doctype html><link rel=icon href='data:,'><body>{boxes}{self.more}</body>"


@pytest.fixture
def fake():
    pages = FakePages()
    threading.Thread(target=pages.server.serve_forever, args=(0.01,), daemon=True).start()
    yield pages
    pages.server.shutdown()
    pages.server.server_close()


def looked(chromium, fake, empty=()):
    context = chromium.new_context()
    found = wrong_with(context.new_page(), fake.url, BOARD, empty, 1440)
    context.close()
    return found


def test_nothing_is_wrong_with_a_good_page_nor_with_a_panel_that_rightly_has_no_figure(chromium, fake):
    assert looked(chromium, fake) == []
    fake.panels["Used"] = "no figure in this time"
    assert looked(chromium, fake, {"Used"}) == []


@pytest.mark.parametrize(
    ("inner", "more", "said"),
    [
        (ERROR_MARK, "", "Used: has an error"),
        ("Panel plugin not found: graph", "", "Used: is of a type that this Grafana does not know"),
        ("no figure in this time", "", "Used: says that there is nothing"),
        ("No data", "", "Used: says that there is nothing"),
        (None, "", "Used: is not on the page"),
        ("3 kWh", "<script>fetch('/api/broken')</script>", "/api/broken answered 500"),
        ("3 kWh", "<script>throw new Error('out of order')</script>", "script: out of order"),
        ("3 kWh", "<div style='width:3000px'>wide</div>", "is wider than 1440 pixels"),
        ("3 kWh", LONG_TITLE, "Cost: its title is cut"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(chromium, fake, inner, more, said):
    fake.panels = {**GOOD, "Used": inner} if inner is not None else {"Cost": GOOD["Cost"]}
    fake.more = more
    found = looked(chromium, fake)
    assert len([one for one in found if said in one]) == 1, json.dumps(found)
