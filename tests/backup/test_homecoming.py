"""The drill: a backup is taken while ingest runs, the disk dies, and agents send what the restored backup lacks."""

import json
import shutil
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.released_town import RELEASES, unpacked
from rigs.servers import Mosquitto, need_mosquitto

from meterhouse.backup.keys import make_key
from meterhouse.backup.sources import sources_of
from meterhouse.backup.writing import write_backup
from meterhouse.settings import Settings


@pytest.fixture
def town(tmp_path):
    return unpacked(RELEASES[-1], tmp_path)


def count(rows):
    return sum(map(len, rows.values()))


def test_agents_send_again_what_a_backup_lacks_and_status_says_how_much(town, tmp_path):
    need_mosquitto()
    data, key = town.home / "data", tmp_path / "key.txt"
    key.write_text(make_key(data))
    lacking = count(town.facts["readings"]) - count(town.stored())
    newest = max(rows[-1][0] for rows in town.stored().values())
    with ExitStack() as running:
        broker = running.enter_context(Mosquitto())
        with town.process("ingest", town.env, broker):
            town.until((data / "ingest.health").exists)
            taken_at = datetime.fromtimestamp(newest / 1000 + 1, UTC)  # the readings are of another day than this
            made = write_backup(sources_of(Settings(data=data)), tmp_path / "backups", taken_at)
            with town.process("edge_agent", town.edge_env, broker):
                town.until(lambda: town.stored() == town.facts["readings"])
        shutil.rmtree(data)
        done = meterhouse("restore", made.file, "--key", key, data=data)
        assert done.returncode == 0, done.stderr
        assert count(town.facts["readings"]) - count(town.stored()) == lacking > 0
        for module, env in (("ingest", town.env), ("edge_agent", town.edge_env)):
            running.enter_context(town.process(module, env, broker))
        town.until(lambda: town.stored() == town.facts["readings"])
        said = town.command("status", "--json").stdout
        assert json.loads(said)["restored"]["readings"] == lacking
        assert f"readings of the time between that have come back: {lacking}" in town.command("status").stdout
