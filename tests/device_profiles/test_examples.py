"""Every shipped example decodes to the values that its profile states, by the decoder that the edge uses."""

from __future__ import annotations

import pytest

from device_profiles import load_profiles
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.modbus.registers import decode_registers
from facility.protocols import PROTOCOLS


def decode_blocks(profile, example):
    """The values of the points of which the example holds all words."""
    flat = {first + i: word for first, words in example.registers.items() for i, word in enumerate(words)}
    said = {}
    for point in profile.points:
        wanted = range(point.address, point.address + point.coding.registers)
        if all(address in flat for address in wanted):
            said[point.name] = decode_registers(point, [flat[address] for address in wanted])
    return {name: value for name, value in said.items() if value is not None}


def decode_message(profile, example):
    return decode_json(profile.points, example.topic, example.payload.encode())


DECODERS = {"modbus": decode_blocks, "mqtt_json": decode_message}
EXAMPLES = [(profile, example) for profile in load_profiles().values() for example in profile.examples]


@pytest.mark.parametrize(("profile", "example"), EXAMPLES, ids=lambda item: getattr(item, "id", None))
def test_an_example_becomes_the_stated_values(profile, example):
    assert DECODERS[profile.protocol](profile, example) == pytest.approx(example.expect, rel=1e-6)


def test_every_protocol_has_examples_that_are_decoded():
    assert DECODERS.keys() == PROTOCOLS.keys() == {profile.protocol for profile, _ in EXAMPLES}
