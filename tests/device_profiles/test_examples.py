"""Every shipped example decodes to the values that its profile states, by the decoder that the edge uses."""

from __future__ import annotations

import pytest

from device_profiles import load_profiles
from edge_agent.decode import decode_json, decode_registers

REGISTERS = [(p, e) for p in load_profiles().values() for e in p.register_examples]
MESSAGES = [(p, e) for p in load_profiles().values() for e in p.json_examples]


def words_of(point, example):
    """The words of a point, if the example holds all of them."""
    flat = {first + i: word for first, words in example.registers.items() for i, word in enumerate(words)}
    wanted = range(point.address, point.address + point.coding.registers)
    return [flat[address] for address in wanted] if all(address in flat for address in wanted) else None


@pytest.mark.parametrize(("profile", "example"), REGISTERS, ids=lambda item: getattr(item, "id", None))
def test_registers_become_the_stated_values(profile, example):
    decoded = {
        f"{point.quantity.word}/{point.channel}": decode_registers(point, words)
        for point in profile.registers
        if (words := words_of(point, example)) is not None
    }
    said = {key: value for key, value in decoded.items() if value is not None}
    assert said == pytest.approx(example.expect, rel=1e-6)


@pytest.mark.parametrize(("profile", "example"), MESSAGES, ids=lambda item: getattr(item, "id", None))
def test_messages_become_the_stated_values(profile, example):
    decoded = decode_json(profile.messages, example.topic, example.payload.encode())
    said = {f"{word}/{channel}": value for (word, channel), value in decoded.items()}
    assert said == pytest.approx(example.expect, rel=1e-9)
