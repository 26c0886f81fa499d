"""Faults C1 and C3: a spoilt site document starts nothing and says why; other settings never touch the outbox."""

import sqlite3
from contextlib import closing, suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.edge_lines import TcpUnits
from rigs.fault_rig import SITE as EDGE_SITE
from rigs.fault_rig import agent_process, log_of, sdm120, stop
from rigs.ingest_process import SITE
from rigs.patience import PATIENCE_S, until
from rigs.trials import FULL

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.errors import ConfigError

PROFILES = load_profiles()
CRAFTED = ["&a *a ", "!!python/object:os.system ", "{{", "\t", "- ", ": ", "~", "2e999"]
PIECES = st.one_of(st.text(max_size=8), st.sampled_from(CRAFTED))
SPOILT = st.builds(
    lambda at, gone, piece: SITE[:at] + piece + SITE[at + gone :],
    st.integers(0, len(SITE)),
    st.one_of(st.integers(0, 40), st.just(len(SITE))),
    PIECES,
)


@settings(max_examples=50_000 if FULL else 300, deadline=None, suppress_health_check=list(HealthCheck))
@given(SPOILT)
def test_C1_a_spoilt_site_document_is_refused_with_words_or_means_what_it_says(text):
    with suppress(ConfigError):
        catalogue = load_site(text, "site.yaml", PROFILES)
        assert catalogue.site.id
        assert len({meter.id for meter in catalogue.meters}) == len(catalogue.meters)


def _rows(folder):
    """What waits in an agent's outbox: each row with all that it says, and the epoch."""
    if not (folder / "outbox.db").exists():
        return [], None
    with closing(sqlite3.connect(f"file:{folder / 'outbox.db'}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'fact'").fetchone():
            return [], None  # it is just being made
        rows = db.execute(
            "SELECT seq, name, t_ms, x, q FROM reading JOIN point ON point.id = reading.point ORDER BY seq"
        )
        return rows.fetchall(), db.execute("SELECT value FROM fact WHERE name = 'epoch'").fetchone()


def test_C3_other_settings_never_touch_what_waits_in_the_outbox(tmp_path):
    """Settings reach an agent with a new start: of its part of the estate, changed, spoilt and put right again."""
    with TcpUnits({1: sdm120(1.0, 1.0)}) as units:
        whole = EDGE_SITE.format(modbus=units.port, radio="mqtt://127.0.0.1:1")
        without_sensors = "".join(line for line in whole.splitlines(keepends=True) if "bus: radio" not in line)
        slower = whole.replace("unit: 1, poll_s: 1", "unit: 1, poll_s: 2").replace("timeout_s: 5", "timeout_s: 2")
        waiting, epoch, site = [], None, tmp_path / "given.yaml"
        for text in (whole, without_sensors, whole[: len(whole) // 2], slower):
            site.write_text(text, encoding="utf-8")
            with agent_process(tmp_path, "mqtt://127.0.0.1:9", METERHOUSE_SITE=str(site)) as child:
                if text in (whole, without_sensors, slower):
                    until(lambda: len(_rows(tmp_path)[0]) > len(waiting) + 1)  # noqa: B023 - asked at once
                    stop(child)
                else:
                    assert child.wait(PATIENCE_S) == 2, log_of(tmp_path)
            after, epoch_after = _rows(tmp_path)
            assert after[: len(waiting)] == waiting
            assert epoch in {None, epoch_after}
            waiting, epoch = after, epoch_after
    assert [row[0] for row in waiting] == list(range(1, len(waiting) + 1))
