"""The first files of a server: asked for in six questions, commented, and never written over others."""

import os
import pty
import re
import subprocess
import sys

import pytest
from rigs.command_line import meterhouse
from rigs.patience import PATIENCE_S

from device_profiles import load_profiles
from facility.levels import Level
from meterhouse.up.settings_file import KNOWN, read_settings_file
from stores.site_file import read_site


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_what_init_writes_is_an_estate_and_explains_every_setting(tmp_path, language):
    words = ("--name", 'Rathaus "Ost"', "--zone", "Europe/Berlin", "--currency", "EUR", "--language", language)
    done = meterhouse("init", *words, data=tmp_path / "site")
    assert done.returncode == 0, done.stderr
    estate = read_site(tmp_path / "site" / "site.yaml", load_profiles())
    assert (estate.site.name.en, estate.site.timezone, estate.site.currency) == (
        'Rathaus "Ost"',
        "Europe/Berlin",
        "EUR",
    )
    text = (tmp_path / "site" / "settings.env").read_text()
    assert all(f"{name}=" in text for name in KNOWN)
    said = read_settings_file(tmp_path / "site" / "settings.env")
    assert {name: value for name, (_, value) in said.items()} == {
        "METERHOUSE_LANGUAGE": language,
        "METERHOUSE_LISTEN": "127.0.0.1:8443",
    }
    for file in ("site.yaml", "settings.env", "folder.json"):
        assert (tmp_path / "site" / file).stat().st_mode & 0o777 == 0o600


def test_at_a_terminal_six_questions_are_asked_and_a_wrong_answer_once_more(tmp_path):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "meterhouse", "init", "--data", str(tmp_path / "site")]
    env = {**os.environ, "TZ": "Asia/Shanghai"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    os.write(master, "zh-Hans\n市政园区\nMars/Base\n\n\n\n李伟\n".encode())
    process.wait(PATIENCE_S)
    seen = os.read(master, 65_536).decode()
    assert process.returncode == 0, seen
    assert seen.count("]: ") == 6  # five with a default, and the zone again
    assert "unknown time zone 'Mars/Base'" in seen
    estate = read_site(tmp_path / "site" / "site.yaml", load_profiles())
    assert (estate.site.name.en, estate.site.timezone, estate.site.currency) == ("市政园区", "Asia/Shanghai", "CNY")
    assert estate.site.custodian == "李伟"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--zone", "Mars/Base"), "--zone: unknown time zone 'Mars/Base'"),
        (("--currency", "euro"), "--currency: unknown currency 'euro'"),
        (("--listen", "8443"), "--listen: '8443' is no host:port"),
        (("--listen", "127.0.0.1:99999"), "--listen: '127.0.0.1:99999' is no host:port"),
        (("--name", " "), "--name: is empty"),
        (("--custodian", "\u202eLi"), "hidden characters"),
    ],
)
def test_an_answer_that_cannot_be_used_changes_nothing(tmp_path, words, sentence):
    done = meterhouse("init", *words, data=tmp_path / "site")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("custodian", ["", "Li Wei"])
def test_who_decides_about_levels_is_named_and_then_each_meter_has_one(tmp_path, custodian):
    """The meter that stands there as an example is right as it is."""
    words = ("--custodian", custodian) if custodian else ()
    assert meterhouse("init", *words, data=tmp_path).returncode == 0
    file = tmp_path / "site.yaml"
    text = re.sub(r"(?m)^(agents|meters): \[\]", r"\1:", file.read_text())
    file.write_text(re.sub(r"(?m)^#(?=  )", "", text))
    estate = read_site(file, load_profiles())
    assert estate.site.custodian == custodian
    assert {one.level for one in estate.points} == {Level.INTERNAL}


@pytest.mark.parametrize("file", ["site.yaml", "settings.env", "demo.json"])
def test_what_is_there_is_not_written_over(tmp_path, file):
    (tmp_path / file).write_text("mine")
    done = meterhouse("init", data=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / file} is there already: nothing was changed" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_text() == "mine"
