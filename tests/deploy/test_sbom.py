"""A release says what it is made of: every locked package, with a licence that lets us ship it."""

import json
import re

import pytest
from rigs.bare_install import ROOT

from tools.sbom import bill, problems


@pytest.fixture(scope="module")
def document():
    return bill("1.2.3")


def test_every_locked_package_is_in_it_with_its_digests(document):
    locked = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements/server.txt").read_text(), re.MULTILINE)
    vendored = json.loads((ROOT / "console/package-lock.json").read_text())["packages"].keys() - {""}
    named = [(one["name"], one["version"]) for one in document["components"]]
    assert named[: len(locked)] == locked
    assert len(named) == len(locked) + len(vendored)
    digests = [one["properties"] for one in document["components"]]
    assert all(digests)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert len({one["purl"] + str(one["properties"]) for one in document["components"]}) == len(named)


def test_everything_may_be_shipped(document):
    assert problems(document) == []


@pytest.mark.parametrize(
    ("licence", "complaint"),
    [
        ("GPL-3.0-only", "GPL-3.0-only is not among those we may ship"),
        ("MIT AND AGPL-3.0-only", "is not among those we may ship"),
        ("", "nobody says its licence"),
        ("GPL-2.0-only OR MIT", None),
        ("(MIT)", None),
    ],
)
def test_what_may_not_be_shipped_is_named(licence, complaint):
    one = {"name": "thing", "version": "1", "licenses": [{"expression": licence}] if licence else []}
    found = problems({"components": [one]})
    assert found == [] if complaint is None else complaint in found[0] and found[0].startswith("thing 1: ")
