"""The files of deploy/grafana say what the dashboards and the rollups say."""

import configparser
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dashboards.build import SHIPPED
from dashboards.influxql import problems
from dashboards.kit import source_uid
from dashboards.push import _folder_title, folder_uid
from dashboards.source import source_body
from stores.readings.influx.address import influx_address
from wording.texts import LANGUAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana"


def read(path):
    return YAML(typ="safe").load((FOLDER / "provisioning" / path).read_text(encoding="utf-8"))


SOURCE = read("datasources/influx.yaml")["datasources"][0]
RULES = read("alerting/platform.yaml")["groups"][0]["rules"]


def test_the_data_source_is_the_one_that_dashboards_read_and_that_a_push_would_make():
    pushed = source_body(influx_address("influx+token://t@h:8086/o/d"), SHIPPED)
    assert SOURCE["uid"] == source_uid(SHIPPED) == pushed["uid"]
    for key in ("name", "type", "access"):
        assert SOURCE[key] == pushed[key]
    assert SOURCE["jsonData"] == {**pushed["jsonData"], "dbName": "${METERHOUSE_INFLUX_DATABASE}"}
    assert SOURCE["secureJsonData"].keys() == pushed["secureJsonData"].keys()
    assert SOURCE["editable"] is False


def test_no_secret_stands_in_a_file():
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert not re.search(r"(?i)(token|password)\S* *[:=] *(?!\$|Token \$)[\w-]{8,}", path.read_text()), path


def test_folders_are_those_of_a_push():
    providers = {one["folderUid"]: one for one in read("dashboards/energy.yaml")["providers"]}
    assert {uid: one["folder"] for uid, one in providers.items()} == {
        folder_uid(language): _folder_title(language) for language in LANGUAGES
    }
    assert all(not one["allowUiUpdates"] for one in providers.values())
    paths = {one["options"]["path"].rpartition("/")[2] for one in providers.values()}
    assert paths == set(LANGUAGES)


def test_nobody_looks_without_signing_in_and_nothing_is_told_outside():
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(FOLDER / "grafana.ini")
    for section, key in (
        ("auth.anonymous", "enabled"), ("analytics", "reporting_enabled"), ("analytics", "check_for_updates"),
        ("users", "allow_sign_up"), ("security", "allow_embedding"), ("public_dashboards", "enabled"),
        ("news", "news_feed_enabled"), ("snapshots", "external_enabled"),
    ):  # fmt: skip
        assert ini[section][key] == "false", (section, key)
    assert ini["dashboards"]["default_home_dashboard_path"].endswith("/en/estate.json")


def test_five_rules_and_all_about_ourselves():
    assert [rule["uid"] for rule in RULES] == [
        f"meterhouse-{what}"
        for what in ("ingest-lag", "gateway-silent", "rollups-late", "store-errors", "analytics-silent")
    ]
    assert all(rule["noDataState"] == "Alerting" and rule["annotations"]["summary"] for rule in RULES)
    assert all(rule["data"][0]["datasourceUid"] == source_uid(SHIPPED) for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_a_rule_asks_what_there_is(rule):
    query = rule["data"][0]["model"]["query"]
    assert list(problems(query)) == ["names no site"], "a database holds one site"
    assert set(re.findall(r'"\."(\w+)"', query)) <= {"platform_1m", "device_health"}


def test_every_variable_of_the_files_is_explained():
    said = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    named = {v for path in FOLDER.rglob("*") if path.is_file() for v in re.findall(r"\$\{(\w+)\}", path.read_text())}
    assert named
    assert [one for one in named if f"`{one}`" not in said] == []
