"""Whole-catalogue checks: every shipped profile is complete, consistent and honest about its proof."""

from __future__ import annotations

import pytest

from device_profiles import load_profiles
from facility.protocols import PROTOCOLS
from facility.protocols.modbus.profile import ModbusProfile

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


def test_more_than_ten_real_models_ship():
    assert len([profile for profile in PROFILES if not profile.startswith("generic/")]) > 10


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
        for point in profile.points if isinstance(profile, ModbusProfile) else ():
            assert point.address + point.coding.registers <= 0x10000
            assert point.coding.registers <= profile.max_registers

    def test_is_of_a_protocol_that_we_know(self, profile):
        assert profile.protocol in PROTOCOLS


def test_a_convention_of_ours_says_that_it_is_one():
    for profile in PROFILES.values():
        if profile.id.startswith("generic/"):
            assert any("our own convention" in text for text in profile.unconfirmed)


def test_a_secondary_source_is_repeated_as_not_confirmed():
    for profile in PROFILES.values():
        if any("secondary" in source.document for source in profile.sources):
            assert profile.unconfirmed, profile.id
