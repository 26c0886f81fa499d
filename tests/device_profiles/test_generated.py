"""The generated files are what the generators write today."""

from __future__ import annotations

import json
from pathlib import Path

from device_profiles import load_profiles
from device_profiles.generated import schema_text, supported_devices_text
from facility.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
HINT = "write it anew: make docs"


def test_the_schema_is_up_to_date():
    assert (ROOT / "device_profiles/schema.json").read_text(encoding="utf-8") == schema_text(), HINT


def test_the_page_of_supported_devices_is_up_to_date():
    written = (ROOT / "docs/supported-devices.md").read_text(encoding="utf-8")
    assert written == supported_devices_text(load_profiles()), HINT


def test_the_schema_knows_every_key_of_a_profile():
    schema = json.loads(schema_text())
    kinds = [schema["$defs"][kind["$ref"].rpartition("/")[2]]["properties"] for kind in schema["oneOf"]]
    assert {kind["protocol"]["const"] for kind in kinds} == PROTOCOLS.keys()
    assert all({"profile", "sources", "unconfirmed", "examples"} <= {*kind} for kind in kinds)
    lists = [{"registers", "messages", "items", "records", "answers", "objects", "metrics"} & {*kind} for kind in kinds]
    assert lists == [
        {"registers"},
        {"messages"},
        {"items"},
        {"items"},
        {"records"},
        {"answers"},
        {"objects"},
        {"metrics"},
    ]


def test_the_page_lists_each_model_once_with_what_is_not_confirmed():
    text = supported_devices_text(load_profiles())
    for profile in load_profiles().values():
        assert text.count(f"(../device_profiles/{profile.id}.yaml)") == 1
        assert all(doubt in text for doubt in profile.unconfirmed)
