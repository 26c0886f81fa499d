"""A server's folder with data, of the release before, and the key of its backups."""

import shutil
from pathlib import Path

import pytest
from rigs.command_line import meterhouse
from rigs.released_town import RELEASES, unpacked


@pytest.fixture(scope="session")
def kept_town(tmp_path_factory):
    """Unpacked once; each test has a copy."""
    place = tmp_path_factory.mktemp("released")
    unpacked(RELEASES[-1], place)
    data = place / "town" / "data"
    (data / "settings.env").write_text("METERHOUSE_SETTINGS_VERSION=1\n")
    for name, text in {
        "site.yaml": "# written by people\n",
        "secrets/ca.key": "a secret",
        "logs/ingest.log": "a line",
        "processes/ingest.env": "A=b",
        "broker/kept/mosquitto.db": "old acknowledgements",
        "broker/accounts": "edge-1:digest",
        "own-profiles/maker/model.yaml": "# a profile",
        "readings.db.corrupt-1": "what was set aside",
        "console.pulse": "",
    }.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
        (data / name).chmod(0o600)
    return data


@pytest.fixture(scope="session")
def made(kept_town, tmp_path_factory):
    """A key and a backup of the town: made once."""
    place = tmp_path_factory.mktemp("made")
    key = meterhouse("backup", "--new-key", data=kept_town)
    assert key.returncode == 0, key.stderr
    (place / "key.txt").write_text(key.stdout.splitlines()[-1])
    done = meterhouse("backup", "--to", place, data=kept_town)
    assert done.returncode == 0, done.stderr
    (file,) = place.glob("*.tar.age")
    return place / "key.txt", file


@pytest.fixture
def key(made, tmp_path):
    """The file with the key, as a person keeps it."""
    return Path(shutil.copy(made[0], tmp_path))


@pytest.fixture
def backup(made, tmp_path):
    """A backup of the folder."""
    return Path(shutil.copy(made[1], tmp_path))


@pytest.fixture
def folder(kept_town, made, tmp_path):
    """The server's folder, as it was when it was backed up."""
    data = tmp_path / "server" / "data"
    shutil.copytree(kept_town, data)
    return data
