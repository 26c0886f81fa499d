"""Whole-catalogue checks: every shipped profile is complete, consistent and honest about its proof."""

from __future__ import annotations

import pytest

from device_profiles import load_profiles
from edge_agent.drivers.modbus.registers import decode_registers
from facility.profile import ProofStep
from facility.protocols import PROTOCOLS
from facility.protocols.modbus.coding import DECIMAL, FLOAT_FORMATS, SIGNED, Coding
from facility.protocols.modbus.profile import ModbusProfile, RegisterPoint, WordOrder

PROFILES = load_profiles()

MAIN = {
    "electricity": "energy_import",
    "water": "water_volume",
    "gas": "gas_volume",
    "power_supply": "battery",
}
"""What a device of a kind is bought for; a site must get it without asking."""


def names(points):
    return [point.name for point in points]


def registers(profile):
    """The points of a profile that are whole numbers in registers."""
    if not isinstance(profile, ModbusProfile):
        return []
    others = {*FLOAT_FORMATS, *DECIMAL, Coding.TEXT, Coding.BIT}
    return [r for r in profile.registers() if not (r.mask or r.coding in others)]  # a mask picks bits


def held(point, number, size):
    """What a register that holds a number says."""
    bits = number % (1 << size)
    words = [bits >> shift & 0xFFFF for shift in range(16 * point.count - 16, -1, -16)]
    if point.byte_order is WordOrder.LITTLE:
        words = [word >> 8 | (word & 0xFF) << 8 for word in words]
    return decode_registers(point, words if point.word_order is WordOrder.BIG else words[::-1])


def addresses_of(point):
    return {*range(point.address, point.address + point.count)}


def addresses_shown(example):
    return {first + i for first, words in example.registers.items() for i in range(len(words))}


def test_sixty_models_of_twenty_makers_are_listed_and_twenty_of_them_verified():
    real = [profile for profile in PROFILES.values() if not profile.id.startswith("generic/")]
    listed = [profile for profile in real if profile.standing is not ProofStep.CLAIMED]
    assert len(listed) >= 60
    assert len({profile.id.partition("/")[0] for profile in listed}) >= 20
    assert len([profile for profile in listed if profile.standing is ProofStep.VERIFIED]) >= 20


def test_no_two_models_have_one_name():
    named = [profile.name.casefold() for profile in PROFILES.values()]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.id)
class TestEveryProfile:
    def test_names_each_point_once(self, profile):
        assert len(set(names(profile.points))) == len(profile.points) > 0

    def test_reads_what_the_device_is_bought_for_without_being_asked(self, profile):
        wanted = {point.quantity.word for point in profile.points if not point.optional}
        assert wanted
        assert MAIN.get(profile.kind, "") in {*wanted, ""}

    def test_names_document_version_and_section(self, profile):
        assert profile.sources
        for source in profile.sources:
            assert all(text.strip() for text in (source.document, source.version, source.section))

    def test_shows_every_point_that_is_always_read(self, profile):
        shown = {key for example in profile.examples for key in example.expect}
        assert {*names(p for p in profile.points if not p.optional)} <= shown

    def test_expects_plausible_values(self, profile):
        for example in profile.examples:
            for point in profile.points:
                value = example.expect.get(point.name, point.quantity.low)
                assert point.quantity.low <= value <= point.quantity.high

    def test_keeps_registers_inside_the_address_space_and_blocks(self, profile):
        for register in profile.registers() if isinstance(profile, ModbusProfile) else ():
            assert register.address + register.count <= 0x10000
            assert register.count <= profile.max_registers

    def test_takes_no_code_for_a_value(self, profile):
        for point in registers(profile):
            size, sign = point.coding.bits, 1 << (point.coding.bits - 1)
            ends = [sign - 1, sign] if point.coding in SIGNED else [2 * sign - 1]
            assert [held(point, bits, size) for bits in ends] == [None] * len(ends), point.name
            if size > 16:
                assert held(point, sign - 1, size) is None, point.name

    def test_takes_no_true_value_for_a_code(self, profile):
        for point in registers(profile):
            size = point.coding.bits
            true = [0, 1, 0x7FFE, 0x1234] + [-1, -2, -0x7FFE] * (point.coding in SIGNED and point.quantity.low < 0)
            if size == 32 and point.quantity.is_counter and point.coding not in SIGNED:
                true += [0xFFFFFFFE, 0xFFFF0000, 0x7FFF0000, 0x80000001]
            for number in true:
                value = number * point.scale + point.offset
                assert held(point, number, size) == pytest.approx(value), (point.name, number)

    def test_shows_a_code_of_each_register_type(self, profile):
        points = profile.points if isinstance(profile, ModbusProfile) else ()
        shown = {
            register.coding
            for example in profile.examples
            for point in points
            if point.name not in example.expect
            for register in point.registers
            if addresses_of(register) <= addresses_shown(example)
        }
        assert {r.coding for point in points for r in point.registers} - {Coding.BIT} <= shown

    def test_says_whether_its_codes_are_published(self, profile):
        by_default = [point.name for point in registers(profile) if point.not_available is None]
        assert not by_default or any("default of" in text for text in profile.unconfirmed)
        if len(by_default) < len(registers(profile)):
            assert profile.codes_source

    def test_what_is_only_claimed_says_that_one_source_is_all(self, profile):
        if profile.standing is ProofStep.CLAIMED:
            assert any("from one open-source driver" in text or "template" in text for text in profile.unconfirmed)

    def test_reads_no_register_twice_unless_it_is_a_part_of_a_sum(self, profile):
        points = [p for p in profile.points if isinstance(p, RegisterPoint)]
        taken = [(p.table, p.address + i, p.mask) for p in points for i in range(p.count)]
        assert len(set(taken)) == len(taken)

    def test_is_of_a_protocol_that_we_know(self, profile):
        assert profile.protocol in PROTOCOLS


def test_a_convention_of_ours_says_that_it_is_one():
    for profile in PROFILES.values():
        if profile.id.startswith("generic/"):
            assert any("our own convention" in text for text in profile.unconfirmed)


def test_a_secondary_source_is_repeated_as_not_confirmed():
    for profile in PROFILES.values():
        if any(source.secondary for source in profile.sources):
            assert profile.unconfirmed, profile.id
