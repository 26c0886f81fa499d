"""docker-compose.yml, its images and its scripts: valid, hardened service by service, and without a secret in them."""

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from rigs.bare_install import ROOT
from ruamel.yaml import YAML

from meterhouse.up import mosquitto

FILE = ROOT / "docker-compose.yml"
COMPOSE = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
PROFILES = {"edge": ["edge-demo"], "postgres-password": ["postgres"], "postgres": ["postgres"]}
ONE_SHOT = {"prepare", "postgres-password"}
each = pytest.mark.parametrize("name", SERVICES)


def test_it_is_what_the_compose_specification_calls_valid():
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", FILE]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    plugin = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    if plugin and plugin.returncode == 0:
        subprocess.run(["docker", "compose", "-f", FILE, "config", "-q"], check=True)


def test_the_services_and_their_profiles_are_these():
    assert SERVICES.keys() == {
        *("prepare", "mosquitto", "influxdb", "ingest", "analytics", "console", "backup", "grafana"),
        *PROFILES,
    }
    assert {name: one.get("profiles", []) for name, one in SERVICES.items()} == {
        name: [] for name in SERVICES
    } | PROFILES


@each
def test_a_service_can_do_no_more_than_it_must(name):
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert re.fullmatch(r"[1-9]\d*:\d+", one["user"]), "a number, so that it is not root in any image"
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add", "devices", "userns_mode"} & one.keys()
    assert one["mem_limit"]
    assert one["cpus"] <= 2
    assert one["pids_limit"] <= 512
    assert one["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert not [volume for volume in one.get("volumes", []) if "docker.sock" in volume]


@each
def test_what_a_service_keeps_is_in_a_named_volume_and_what_it_is_given_is_read_only(name):
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = re.sub(r"\$\{[^}]*\}", "./given", volume).partition(":")
        assert source in COMPOSE["volumes"] or (source.startswith("./") and rest.endswith(":ro")), volume


@each
def test_a_service_is_well_where_it_makes_progress(name):
    one = SERVICES[name]
    if name in ONE_SHOT:
        assert one["restart"] == "no"
        return
    asked = " ".join(one["healthcheck"]["test"])
    ours = {"ingest", "analytics", "console", "backup", "edge"}
    progress = {
        "mosquitto": "mosquitto_pub",
        "influxdb": "/api/v2/setup",
        "grafana": "/api/health",
        "postgres": "select 1",
    }
    assert (f"healthy {name}" if name in ours else progress[name]) in asked
    assert one["restart"] == "unless-stopped"


@each
def test_an_image_is_pinned_and_never_the_latest(name):
    image = re.sub(r"\$\{METERHOUSE_VERSION:-([^}]*)\}", r"\1", SERVICES[name]["image"])
    digest = "" if "build" in SERVICES[name] else "@sha256:[0-9a-f]{64}"
    assert re.search(rf":\d+\.\d+(\.\d+)?(-\w+)?{digest}$", image), image


def test_the_influxdb_is_the_one_that_is_tested():
    built = (ROOT / "tools/build_servers.sh").read_text()
    assert f"@v{SERVICES['influxdb']['image'].partition('@')[0].partition(':')[2]}" in built


def test_no_service_of_the_peoples_zone_reaches_the_broker():
    zones = {name: set(one["networks"]) for name, one in SERVICES.items()}
    assert [name for name, nets in zones.items() if {"edge", "people"} <= nets] == []
    assert zones["mosquitto"] == zones["edge"] == {"edge"}
    assert zones["influxdb"] == zones["postgres"] == {"store"}
    assert COMPOSE["networks"]["store"]["internal"] is True
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"mosquitto": ["8883:8883"], "console": ["8443:8443"], "grafana": ["127.0.0.1:3000:3000"]}


def test_everybody_waits_for_the_secrets_and_none_stands_in_a_file():
    for name in ("mosquitto", "ingest", "analytics", "console", "backup", "grafana"):
        assert SERVICES[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    said = "\n".join(path.read_text() for path in (FILE, ROOT / "Dockerfile", *(ROOT / "deploy").rglob("*.sh")))
    named = re.findall(r"(?i)^\s*\w*(?:password|token|secret)\w*[ ]*[:=][ ]*([^\s#].*)$", said, re.MULTILINE)
    kept = [value for value in named if not re.match(r"\$\(cat |\[|/run/|\$\{METERHOUSE_(POSTGRES_)?SECRETS", value)]
    assert kept == []
    assert SERVICES["postgres"]["depends_on"]["postgres-password"]["condition"] == "service_completed_successfully"
    assert SERVICES["prepare"]["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}
    assert "secrets" not in COMPOSE, "none is a file that somebody writes by hand"


def test_whoever_shares_a_volume_has_one_account():
    """What is made there is its maker's alone (mode 0600): another account of another image could not read it."""
    accounts = {}
    for one in SERVICES.values():
        for volume in one.get("volumes", []):
            accounts.setdefault(volume.partition(":")[0], set()).add(one["user"].partition(":")[0])
    assert {name: found for name, found in accounts.items() if len(found) > 1} == {}
    folders = {volume.split(":")[1] for name in ("prepare", "backup") for volume in SERVICES[name]["volumes"]}
    made = re.search(r"RUN /install/account.sh (.*meterhouse-grafana.*)", (ROOT / "Dockerfile").read_text())[1]
    assert folders <= set(made.split()), "a new volume takes over whose its folder in the image is"


def test_a_password_is_made_once_and_for_its_owner_alone(tmp_path):
    script = [ROOT / "deploy/image/secret.sh", tmp_path]
    for _ in range(2):
        subprocess.run(script, check=True)
        kept = {path: (path.read_text(), path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert [(len(word), mode) for word, mode in kept.values()] == [(64, 0o600)]


def test_each_line_that_an_image_runs_calls_a_script_of_ours_and_bases_are_pinned():
    text = (ROOT / "Dockerfile").read_text()
    scripts = re.findall(r"^RUN (\S+)", text, re.MULTILINE)
    assert scripts
    for script in scripts:
        assert (ROOT / "deploy/image" / Path(script).name).stat().st_mode & stat.S_IXUSR, script
    bases = re.findall(r"^FROM (\S+) AS (\w+)", text, re.MULTILINE)
    assert {target for _, target in bases} == {"wheel", "edge", "server"}
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base) for base, _ in bases)
    targets = {one["build"]["target"] for one in SERVICES.values() if "build" in one}
    assert targets == {"edge", "server"}
    for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[2:]:
        assert re.search(r"^USER 10001:10001$", stage, re.MULTILINE)
    ci = (ROOT / ".ci/wheel").read_text()
    assert all(f"deploy/image/{name}" in ci for name in ("build_wheel.sh", "install.sh"))


def test_the_broker_of_the_containers_reads_what_up_writes():
    folder = ROOT / "deploy/mosquitto"
    assert (folder / "mosquitto.conf").read_text() == mosquitto.configuration()
    assert (folder / "rights").read_text() == mosquitto.rights()
    text = mosquitto.configuration()
    for line in (
        "allow_anonymous false",
        "use_username_as_clientid true",
        "tls_version tlsv1.2",
        "retain_available false",
    ):
        assert f"\n{line}\n" in text
    assert re.findall(r"^listener (.*)$", text, re.MULTILINE) == ["8883"]


@pytest.mark.parametrize("script", sorted((ROOT / "deploy/image").glob("*.sh")), ids=lambda path: path.name)
def test_a_script_ends_at_its_first_mistake(script):
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/sh"
    assert "set -eu" in lines
    subprocess.run(["sh", "-n", script], check=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["grafana.sh"], "grafana: {folder}/influx_url is missing: has prepare run?"),
        (["mosquitto.sh"], "mosquitto: {folder}/mosquitto.conf is missing: has prepare run?"),
        (["secret.sh", "{folder}/none"], "secret: there is no folder {folder}/none"),
    ],
)
def test_no_service_starts_without_its_secrets(tmp_path, words, sentence):
    script, *rest = [word.format(folder=tmp_path) for word in words]
    done = subprocess.run(
        [ROOT / "deploy/image" / script, *rest],
        cwd=tmp_path,
        env={"METERHOUSE_SECRETS": str(tmp_path), "PATH": "/bin:/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (2, sentence.format(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
    "RestartPreventExitStatus": "2",
    "User": "meterhouse",
}


def test_the_service_may_write_where_the_handbook_puts_backups():
    unit = (ROOT / "deploy/systemd/meterhouse.service").read_text()
    for page in (ROOT / "docs/handbook").glob("administrator*.md"):
        (place,) = set(re.findall(r"`METERHOUSE_BACKUP=([^`]+)`", page.read_text("utf-8")))
        assert f"\nReadWritePaths=-{place}\n" in unit


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy/systemd").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_is_hardened_and_systemd_can_read_it(unit, tmp_path):
    text = unit.read_text()
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert {name: said.get(name) for name in HARDENED} == HARDENED
    assert said["MemoryMax"]
    assert said["TasksMax"]
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (tmp_path / unit.name).write_text(text.replace("/opt/meterhouse/bin/meterhouse", "/bin/true"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / unit.name], capture_output=True, text=True, check=False
    )
    assert unit.name not in checked.stderr, checked.stderr
