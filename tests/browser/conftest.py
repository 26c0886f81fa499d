from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rigs.patience import PATIENCE_S
from rigs.sample import ANALYTICS, INGEST, make_sample
from rigs.serving import served

from console.authority import Authority
from facility.status import AgentStatus, ProcessStatus
from reports.doctor import Ground
from stores.mailbox import KeptLetter, Mailbox
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller

THEIRS = Authority(b"a certificate", "site:8443")
ROOT = Path(__file__).parent.parent.parent
LETTER = """Water never stops: 21 L/h, day and night, since Monday.
Take it: https://meters.example.org/take?token=Yl3yJc0aSsBxk2Jr1m9QhWc0VtN5dZ8u
"""


@pytest.fixture(scope="session")
def fares():
    """What ingest tells: its status and its agents, which a test may change."""
    return {"status": ProcessStatus(), "agents": [AgentStatus("edge-1", "online", 1.0)]}


@pytest.fixture(scope="session")
def estate(tmp_path_factory, fares):
    """A sample that lives now, and the address of its console."""
    sample = make_sample(tmp_path_factory.mktemp("estate"), datetime.now(UTC))
    board = StatusBoard(sample.records)
    files = sample.folder
    ground = Ground(files, f"sqlite://{files / 'readings.db'}", f"sqlite:///{files / 'records.db'}")
    ingest = Teller(board, INGEST, lambda: fares["status"], agents=lambda: fares["agents"])
    mailbox = Mailbox(files / "letters")
    mailbox.put(KeptLetter("l1", "duty.engineer@demo.invalid", "Water never stops: Library main meter", LETTER))
    with (
        ingest,
        Teller(board, ANALYTICS, ProcessStatus),
        served(
            sample.store, sample.records, lambda: datetime.now(UTC), authority=THEIRS, ground=ground, mailbox=mailbox
        ) as (
            address,
            _,
        ),
    ):
        yield sample, address
    sample.store.close()
    sample.records.dispose()


@pytest.fixture(scope="session")
def screenshots():
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def open_page(chromium, estate):
    """Opens pages in contexts of their own; what the browser complains of and no test tolerates fails it."""
    sample, address = estate
    contexts, complaints = [], []

    def complain(said, tolerated):
        if said.type in {"error", "warning"} and not (tolerated and tolerated in said.text):
            complaints.append(said.text)

    def opened(path, *, language="en", width=1440, height=900, scheme="light", tolerated=None):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        context.add_cookies([{"name": "meterhouse_session", "value": sample.session(language), "url": address}])
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        page.on("console", lambda said: complain(said, tolerated))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
