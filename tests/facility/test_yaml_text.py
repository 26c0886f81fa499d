"""YAML is read with the line of everything in it, alike by the parser in C and by the one in Python, and fast."""

import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from device_profiles import load_profiles
from facility.documents.part import parse
from facility.documents.site import load_site
from facility.documents.site_schema import NamePart
from facility.documents.yaml_text import TooDeepError, read_yaml
from facility.errors import ConfigError

ROOT = Path(__file__).parents[2]
FILES = [*sorted(ROOT.glob("device_profiles/*/*.yaml")), ROOT / "demo/site.yaml", ROOT / "tests/rigs/site.yaml"]
HEAD = """\
version: 1
site: {id: town, name: Town, timezone: UTC, currency: EUR}
buildings: [{id: hall, name: Hall}]
agents:
- id: edge-1
  buses: [{id: field0, url: "modbus+tcp://10.0.0.1"}, {id: field1, url: "modbus+tcp://10.0.0.2"},
    {id: field2, url: "modbus+tcp://10.0.0.3"}, {id: field3, url: "modbus+tcp://10.0.0.4"},
    {id: field4, url: "modbus+tcp://10.0.0.5"}, {id: field5, url: "modbus+tcp://10.0.0.6"}]
meters:
"""
METER = """\
- id: m{n}
  name: M{n}
  building: hall
  profile: eastron/sdm120
  agent: edge-1
  bus: field{bus}
  unit: '{unit}'
  poll_s: 60.0
  level: internal
  points:
  - quantity: active_power
    channel: total
  - quantity: energy_import
    channel: total
"""


def lines(node, known):
    """What stands on which line, through the whole tree."""
    if not isinstance(node, dict | list):
        return node
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    return [(key, known[id(node)][key], lines(value, known)) for key, value in pairs]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_both_parsers_read_a_file_alike_to_the_line(path, monkeypatch):
    text = path.read_text(encoding="utf-8")
    fast = read_yaml(text, 50, 10**6)
    monkeypatch.setattr("facility.documents.yaml_text.YAML", lambda typ, **_: YAML(typ=typ, pure=True))
    slow = read_yaml(text, 50, 10**6)
    assert lines(fast.root, fast.lines) == lines(slow.root, slow.lines)


def test_the_parser_in_c_is_there():
    assert YAML(typ="safe").Parser is not YAML(typ="safe", pure=True).Parser


def test_keys_of_a_merged_mapping_give_way_and_keep_their_line():
    read = parse("a: &a\n  x: 1\n  y: 2\nb:\n  <<: *a\n  y: 3\n", "site.yaml")
    assert read.tree["b"] == {"x": 1, "y": 3}
    assert (read.line(("b", "x")), read.line(("b", "y"))) == (2, 6)


@pytest.mark.parametrize("text", ["[" * 200_000 + "]" * 200_000, "- " * 500_000, "&a [*a]"])
def test_a_text_without_a_bottom_is_refused_and_kills_nobody(text):
    with pytest.raises((TooDeepError, ConfigError)):
        read_yaml(text, 50, 10**6)


@pytest.mark.parametrize("odd", ["010", "1:30", "on", "n", "1_000", "0o17", "0b11", "1e5", "2024-01-02", "="])
def test_a_text_of_yaml_1_1_is_what_was_written_too(odd):
    """There 010 is eight, 1:30 ninety, on true, and 1e5 is a number with a warning."""
    read = parse(f"%YAML 1.1\n---\nen: {odd}\nzh: {odd}\n", "a.yaml").validate(NamePart)
    assert (read.en, read.zh) == (odd, odd)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "site.yaml:3: this key is written twice"),
        ("a: *b", "site.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2", "site.yaml:2: not YAML: but found another document"),
        ("a: 1\n? [x]\n: 3", "site.yaml:2: not YAML: found unhashable key"),
        ("a: !x 1", "site.yaml:1: not YAML: unknown tag '!x'"),
        ("a: [1, 2", "site.yaml:2: not YAML: "),
        ("a: 1\n<<: 3", "site.yaml:2: not YAML: expected a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_line(text, said):
    with pytest.raises(ConfigError) as raised:
        parse(text + "\n", "site.yaml")
    assert str(raised.value).startswith(said)


def test_an_agent_of_2500_points_reads_its_site_in_a_fraction_of_a_processor_second():
    """It took 1.6 s with the parser in Python, on a machine at rest; this is processor time of this thread."""
    profiles = load_profiles()
    text = HEAD + "".join(METER.format(n=n, bus=n // 247, unit=n % 247 + 1) for n in range(1250))
    begun = time.thread_time()
    assert len(load_site(text, "site.yaml", profiles).points) == 2500
    assert time.thread_time() - begun < 1.2
