"""The command line as a stranger meets it: what it says when all is well, and when something is not."""

import json
import os
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

import pytest
from rigs.command_line import meterhouse
from rigs.servers import free_port

from demo.estate import shipped_site
from device_profiles import load_profiles
from facility.errors import ConfigError
from facility.quantities import Quantity
from meterhouse.commands.latest import shown_value
from meterhouse.commands.processes import PROCESSES
from meterhouse.commands.site import read_estate
from meterhouse.demo.folder import hold
from meterhouse.demo.run import Demo
from meterhouse.settings import Settings
from process.settings import ProcessSettings
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.ages import age
from wording.texts import load_texts

COMMANDS = (
    "demo",
    "site",
    "meter",
    "account",
    "latest",
    "alerts",
    "quarantine",
    "reconcile",
    "sign-in",
    "profiles",
    "edge",
    "ingest",
    "analytics",
    "console",
)


@pytest.fixture
def site(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(shipped_site(), encoding="utf-8")
    return file


def test_help_lists_every_command_with_one_line():
    page = meterhouse("--help").stdout
    assert all(f"  {command}" in page for command in COMMANDS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("modbus+tcp://127.0.0.1:5020", "modbus+tcp://a..b", "names no host"),
        (
            "    utility: electricity\n    role: head\n",
            "",
            "'utility' is missing: nobody would account the energy_import",
        ),
        ("    utility: electricity\n    role: head\n", "    role: head\n", "needs a utility"),
        ("    use: university", "    use: palace", "unknown use 'palace' (allowed: office, government, "),
        ("unit: 1\n", "unit: 300\n", "unit '300' is no Modbus address"),
    ],
)
def test_what_would_be_refused_or_left_out_later_is_refused_with_its_line(site, old, new, said):
    text = site.read_text(encoding="utf-8")
    assert old in text
    site.write_text(text.replace(old, new, 1), encoding="utf-8")
    for command in ("check", "apply"):
        done = meterhouse("site", command, site, data=site.parent)
        assert done.returncode == 2
        assert re.search(r"site\.yaml:\d+: ", done.stderr)
        assert said in done.stderr


def test_a_device_that_is_yet_to_be_swapped_is_refused_by_check_and_apply(site):
    text = site.read_text(encoding="utf-8")
    swap = (
        "    installations: [{since: 9999-01-01, reason: first, by: li}, {since: 9999-02-01, reason: swap, by: li}]\n"
    )
    site.write_text(text.replace("    role: head\n", f"    role: head\n{swap}", 1), encoding="utf-8")
    for command in ("check", "apply"):
        done = meterhouse("site", command, site, data=site.parent)
        assert done.returncode == 2
        assert "lies in the future (allowed: up to now; write it once it is done)" in done.stderr


def test_a_building_without_a_total_is_remarked_and_government_is_known(site):
    text = site.read_text(encoding="utf-8").replace("use: university", "use: government")
    site.write_text(text.replace("    role: head\n", ""), encoding="utf-8")
    done = meterhouse("site", "check", site)
    assert done.returncode == 0
    assert "no meter of electricity has role: head" in done.stderr
    assert [load_texts(language)("use.government") for language in ("en", "zh-Hans")] == ["Government", "机关办公"]


def test_a_profile_whose_example_does_not_decode_is_refused(site, monkeypatch, tmp_path):
    sdm630 = load_profiles()["eastron/sdm630"]
    first = replace(sdm630.examples[0], expect={name: 1.0 + x for name, x in sdm630.examples[0].expect.items()})
    wrong = load_profiles() | {sdm630.id: replace(sdm630, examples=(first, *sdm630.examples[1:]))}
    monkeypatch.setattr("device_profiles.load_profiles", lambda _: wrong)
    with pytest.raises(ConfigError, match=r"device_profiles/eastron/sdm630.yaml: example 1 \("):
        read_estate(site)


def test_a_good_estate_is_counted(site):
    done = meterhouse("site", "check", site)
    assert done.returncode == 0
    assert "good. Buildings: 6;" in done.stdout


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("profile: schneider/iem3155", "profile: schneider/iem315", ["unknown profile", "schneider/iem3155"]),
        ("quantity: energy_import", "quantity: energie", ["unknown quantity 'energie'", "energy_import"]),
        ("id: b35-electricity", "id: b33-electricity", ["duplicate id 'b33-electricity'"]),
        ("unit: 1\n", "unit: 9000\n", ["unit '9000'", "1 to 247"]),
        ("{quantity: energy_import}", "{quantity: energy_import, unit: MWh}", ["unit 'MWh' is wrong", "kWh"]),
    ],
)
def test_a_wrong_estate_stops_check_apply_and_edge_before_anything_connects(site, tmp_path, before, after, words):
    text = site.read_text(encoding="utf-8")
    assert before in text
    site.write_text(text.replace(before, after, 1), encoding="utf-8")
    edge = {
        "METERHOUSE_SITE": str(site),
        "METERHOUSE_AGENT": "edge-1",
        "METERHOUSE_BROKER": "mqtt://edge-1:x@127.0.0.1:9",
    }
    for command in (("site", "check", site), ("site", "apply", site), ("edge",)):
        done = meterhouse(*command, data=tmp_path / "data", **edge)
        assert done.returncode == 2
        assert "site.yaml:" in done.stderr
        assert all(word in done.stderr for word in words), done.stderr


def test_a_wrong_estate_stops_the_demo_before_anything_connects(tmp_path, monkeypatch):
    wrong = shipped_site().replace("profile: schneider/iem3155", "profile: schneider/iem315", 1)
    monkeypatch.setattr("meterhouse.demo.run.shipped_site", lambda: wrong)
    starting = Demo(tmp_path, f"127.0.0.1:{free_port()}")
    with pytest.raises(ConfigError, match=r"demo/site.yaml:\d+: unknown profile .* schneider/iem3155"):
        starting.prepare(None)
    starting.stop()
    starting.records.dispose()
    assert not (tmp_path / "broker").exists()


def test_applying_twice_changes_nothing_and_the_export_checks(site, tmp_path):
    first = meterhouse("site", "apply", site, data=tmp_path)
    assert "changes applied" in first.stdout
    assert "nothing to change" in meterhouse("site", "apply", site, data=tmp_path).stdout
    exported = tmp_path / "exported.yaml"
    exported.write_text(meterhouse("site", "export", "--agent", "edge-1", data=tmp_path).stdout, encoding="utf-8")
    assert meterhouse("site", "check", exported).returncode == 0


def test_an_apply_shows_all_three_sides_and_undoes_no_edit_unasked(site, tmp_path):
    meterhouse("site", "apply", site, data=tmp_path)
    records = open_records(Settings(data=tmp_path).records_url)
    first, *rest = (estate := Registry(records).load()).buildings
    edited = replace(estate, buildings=(replace(first, floor_area_m2=1200.0), *rest))
    Registry(records).edit(edited, based_on=1, by="kim", at=datetime.now(UTC))
    sentence = (
        "changed building b33: floor_area_m2 1200.0 → 16000.0   "
        "[undoes an edit: changed building b33: floor_area_m2 16000.0 → 1200.0]"
    )
    for words in (("--dry-run",), ()):
        refused = meterhouse("site", "apply", site, *words, data=tmp_path)
        assert sentence in refused.stdout
    assert refused.returncode == 2
    assert "--accept" in refused.stderr
    assert Registry(records).load() == edited
    assert meterhouse("site", "apply", site, "--accept", data=tmp_path).returncode == 0
    assert Registry(records).load() == estate
    records.dispose()


def test_what_is_kept_is_for_its_owner_alone(site, tmp_path):
    """Whatever the terminal's umask: records hold graded data and the passwords of buses."""
    before = os.umask(0o022)
    try:
        assert meterhouse("site", "apply", site, data=tmp_path / "data").returncode == 0
    finally:
        os.umask(before)
    kept = [tmp_path / "data", *(tmp_path / "data").iterdir()]
    assert len(kept) > 1
    assert not any(path.stat().st_mode & 0o077 for path in kept)


def test_an_empty_estate_says_what_to_do(tmp_path):
    done = meterhouse("latest", data=tmp_path)
    assert done.returncode == 2
    assert "site apply" in done.stderr


def test_nothing_yet_is_said_in_words(site, tmp_path):
    meterhouse("site", "apply", site, data=tmp_path)
    assert "never" in meterhouse("latest", data=tmp_path).stdout
    assert meterhouse("alerts", data=tmp_path).stdout == "no alerts.\n"
    assert meterhouse("quarantine", "list", data=tmp_path).stdout == "the quarantine is empty.\n"
    assert "there is no item 7" in meterhouse("quarantine", "show", "7", data=tmp_path).stderr


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = meterhouse("demo", "--headless", "--data", tmp_path / "d", "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = meterhouse("demo", "--headless", "--data", tmp_path / "file" / "below")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("words", [(), ("--fresh",)])
def test_a_folder_of_other_files_is_left_alone(tmp_path, words):
    (tmp_path / "precious.txt").write_text("mine")
    done = meterhouse("demo", "--headless", "--data", tmp_path, *words)
    assert done.returncode == 2
    assert "holds other files and no demo" in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["precious.txt"]


def test_a_demo_of_another_day_is_refused(tmp_path):
    (tmp_path / "demo.json").write_text(json.dumps({"shift_days": 1456, "as_of": "2026-11-23", "seed": 1}))
    done = meterhouse("demo", "--headless", "--data", tmp_path, "--as-of", "2020-01-01")
    assert done.returncode == 2
    assert "2026-11-23" in done.stderr


@pytest.mark.parametrize(
    ("age_ms", "text"), [(-5, "0 s"), (950, "1 s"), (90_000, "90 s"), (7_200_000, "2 h"), (3e8, "3 d")]
)
def test_an_age_is_told_in_its_largest_unit(age_ms, text):
    assert age(load_texts("en"), age_ms) == text


@pytest.mark.parametrize(
    ("quantity", "x", "text"),
    [
        (Quantity.ENERGY_IMPORT, 1_781_230.129, "1,781,230.13"),
        (Quantity.ENERGY_IMPORT, 7.0, "7.00"),
        (Quantity.ACTIVE_POWER, 1_234_567.8, "1,234,568"),
        (Quantity.TEMPERATURE, -19.4, "-19.4"),
        (Quantity.VOLTAGE, 237.0671, "237.067"),
        (Quantity.TEMPERATURE, 0.0, "0"),
        (Quantity.DOOR_OPEN, 1.0, "open"),
        (Quantity.LEAK, 0.0, "dry"),
    ],
)
def test_a_value_keeps_what_a_counter_shows_and_a_state_is_a_word(quantity, x, text):
    assert shown_value(quantity, x) == text


def test_every_setting_of_a_process_that_must_be_given_is_in_its_help():
    for command, (module, _, named) in PROCESSES.items():
        settings = import_module(f"{module}.settings")
        (fields,) = (one for one in vars(settings).values() if _is_process_settings(one))
        needed = {name for name, field in fields.model_fields.items() if field.is_required()}
        assert needed <= set(named) <= set(fields.model_fields), command
    assert "METERHOUSE_AGENT" in meterhouse("edge", "--help").stdout


def _is_process_settings(one):
    return isinstance(one, type) and issubclass(one, ProcessSettings) and one is not ProcessSettings


def test_two_demos_do_not_share_a_folder(tmp_path):
    held = hold(tmp_path)
    for words in ((), ("--fresh",)):
        done = meterhouse("demo", "--headless", "--data", tmp_path, *words)
        assert done.returncode == 2
        assert "a demo already runs in" in done.stderr
    held.release()


def test_a_fresh_demo_deletes_what_an_earlier_one_left(tmp_path):
    hold(tmp_path).release()
    (tmp_path / "demo.json").write_text("{}")
    (tmp_path / "logs").mkdir()
    hold(tmp_path, fresh=True).release()
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.lock"]


def test_a_report_that_cannot_be_written_is_told_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("")
    report = tmp_path / "file" / "report.json"
    done = meterhouse("demo", "--headless", "--data", tmp_path / "data", "--report", report)
    assert done.returncode == 2
    assert f"the report {report} cannot be written" in done.stderr
    assert not (tmp_path / "data").exists()
