"""An estate's document with the notices beside it, and what a file or its name cannot be."""

import pytest
from rigs.one_meter import SITE

from device_profiles import load_profiles
from facility.errors import ConfigError
from stores.site_file import read_site


@pytest.fixture
def site(tmp_path):
    (tmp_path / "calendar" / "CN").mkdir(parents=True)
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    return file


def test_a_notice_may_be_a_file_of_its_own_beside_the_estate(site):
    notice = site.parent / "calendar" / "CN" / "2027.yaml"
    notice.write_text("basis: notice of 2026-11\nworkdays: [2027-02-06]\ndays_off: [2027-02-05]\n")
    (notice.parent.parent / "GB").mkdir()
    (notice.parent.parent / "GB" / "2028.yaml").write_text("basis: of another country\n")
    assert [(one.year, one.basis) for one in read_site(site, load_profiles()).site.notices] == [
        (2027, "notice of 2026-11")
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("2027.yaml", "basis: b\nworkdays: [2026-02-06]\n", r"2027.yaml:2: 2026-02-06 is not in 2027"),
        ("next.yaml", "basis: b\n", r"next.yaml: is no year of its own .allowed: one file a year, such as 2027.yaml."),
        ("2026.yaml", "basis: b\n", r"2026.yaml: is no year of its own"),
    ],
)
def test_a_notice_file_that_cannot_be_is_named(site, name, text, words):
    site.write_text(SITE.replace("{country: CN}", "{country: CN, notices: [{year: 2026, basis: said within}]}"))
    (site.parent / "calendar" / "CN" / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_site(site, load_profiles())


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"away\.yaml: cannot be read: No such file"):
        read_site(tmp_path / "away.yaml", load_profiles())
    (tmp_path / "gbk.yaml").write_bytes("name: 市政厅".encode("gbk"))
    with pytest.raises(ConfigError, match=r"is not UTF-8 text \(byte 6\)"):
        read_site(tmp_path / "gbk.yaml", load_profiles())
