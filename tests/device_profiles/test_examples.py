"""Every shipped example decodes to the values that its profile states, by the decoder that the edge uses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from device_profiles import load_profiles
from edge_agent.drivers.examples import check_examples, decode_example
from facility.documents.profile import load_profile
from facility.errors import ConfigError
from facility.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
PROFILES = load_profiles().values()
EXAMPLES = [(profile, example) for profile in PROFILES for example in profile.examples]


@pytest.mark.parametrize(("profile", "example"), EXAMPLES, ids=lambda item: getattr(item, "id", None))
def test_an_example_becomes_the_stated_values(profile, example):
    assert decode_example(profile, example) == pytest.approx(example.expect, rel=1e-6)


def test_every_protocol_has_examples_that_are_decoded():
    assert {profile.protocol for profile, _ in EXAMPLES} == PROTOCOLS.keys()
    check_examples(PROFILES)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_an_example_that_becomes_anything_else_is_refused_with_its_file_and_number(profile):
    example = profile.examples[0]
    name, value = next(iter(example.expect.items()))
    less = {one: x for one, x in example.expect.items() if one != name}
    for expect in ({**example.expect, name: value + 0.001 * abs(value) + 0.01}, less):
        with pytest.raises(ConfigError) as refused:
            check_examples([replace(profile, examples=(replace(example, expect=expect),))])
        assert str(refused.value).startswith(
            f"device_profiles/{profile.id}.yaml: example 1 ({example.note}) decodes to"
        )
        assert f"{name} is {value:g}"[: len(name) + 5] in str(refused.value)


def test_an_example_says_why_a_value_in_it_is_none():
    """Whoever writes a profile sees what to state: words, or text."""
    profile = load_profiles()["shelly/pro-3em"]
    example = replace(profile.examples[0], payload='{"total_act_power":"840 W"}', expect={"active_power/total": 840.0})
    why = 'total_act_power is "840 W": text, where a number is expected'
    with pytest.raises(ConfigError) as refused:
        check_examples([replace(profile, examples=(example,))])
    assert f"active_power/total is not said ({why}), expected 840.0" in str(refused.value)


def test_the_profile_that_a_newcomer_is_shown_is_a_good_one():
    page = (ROOT / "docs/adding-a-meter.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    check_examples([load_profile(shown, "xintai/water-485.yaml")])
    assert len(page.splitlines()) < 65  # one screen
