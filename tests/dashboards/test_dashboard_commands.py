"""``meterhouse dashboards``, as people run it."""

import json
import re

import pytest
from rigs.boards import SITE, boards
from rigs.command_line import meterhouse


@pytest.fixture
def built(tmp_path):
    out = tmp_path / "out"
    done = meterhouse("dashboards", "build", "--site", SITE, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_build_says_what_it_wrote_and_writes_nothing_the_second_time(built):
    again = meterhouse("dashboards", "build", "--site", SITE, "--out", built, "--json")
    said = json.loads(again.stdout)
    assert (said["dashboards"], said["changed"], said["gone"]) == (len(boards()), [], [])
    assert (built / "en" / "estate.json").stat().st_mode & 0o044 == 0o044, "Grafana reads it as another user"


def test_build_removes_what_is_no_dashboard_of_the_estate_any_more(built):
    (built / "en" / "lobby-gone.json").write_text("{}")
    found = json.loads(meterhouse("dashboards", "build", "--site", SITE, "--out", built, "--json").stdout)
    assert found["gone"] == ["en/lobby-gone.json"]


def test_check_tells_every_file_that_drifted(built):
    assert meterhouse("dashboards", "check", "--site", SITE, "--out", built).returncode == 0
    (built / "en" / "estate.json").write_text("{}")
    (built / "zh-Hans" / "water.json").unlink()
    (built / "en" / "more.json").write_text("{}")
    done = meterhouse("dashboards", "check", "--site", SITE, "--out", built, "--json")
    assert done.returncode == 2
    found = [one["what"] for one in json.loads(done.stderr.splitlines()[-1])["error"]["problems"]]
    assert found == [
        "en/estate.json is not as it would be built",
        "zh-Hans/water.json is not there",
        "en/more.json is there, and would not be built",
    ]


def test_an_estate_without_water_is_told_which_dashboard_it_lacks(tmp_path):
    dry = re.sub(r"utility: water\n( +)role: head", r"utility: water\n\1role: check", SITE.read_text())
    (tmp_path / "site.yaml").write_text(dry)
    words = ("dashboards", "build", "--site", tmp_path / "site.yaml", "--out", tmp_path / "out")
    english, chinese = meterhouse(*words), meterhouse(*words, "--language", "zh-Hans")
    assert "“Water” is left out: the estate has no head meter of Water" in english.stderr
    assert "未生成“用水”" in chinese.stderr


def test_without_an_estate_it_says_where_one_comes_from(tmp_path):
    done = meterhouse("dashboards", "build", "--out", tmp_path / "out", data=tmp_path)
    assert done.returncode != 0
    assert not (tmp_path / "out").exists()


def refused(*words):
    """What it says in one sentence, without a traceback."""
    done = meterhouse("dashboards", *words, "--site", SITE)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_folder_that_cannot_be_written_and_a_wrong_console_are_one_sentence_each(built):
    taken = built / "taken"
    taken.write_text("a file")
    assert "cannot be written: Not a directory" in refused("build", "--out", taken)
    for console in ("javascript:alert(1)", "https://u:pw@host", "host", "https://h?x=1"):
        said = refused("build", "--out", built, "--console", console)
        assert "METERHOUSE_CONSOLE_URL: is no address that a browser opens" in said
        assert "pw" not in said


def test_a_file_that_is_no_text_drifted(built):
    (built / "en" / "cost.json").write_bytes(b"\xff\xfe")
    assert "en/cost.json is not as it would be built" in refused("check", "--out", built)
