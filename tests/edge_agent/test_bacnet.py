"""BACnet/IP: messages as the standard prints them, what objects say of themselves, and devices that know little."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.bacnet_peers import HELD, BacnetDevice, BacnetPeer, PlainApplication, answered, closed, objects
from rigs.bare_server import BareDatagrams

from edge_agent.devices import Device
from edge_agent.drivers.bacnet import driver as bacnet_driver
from edge_agent.drivers.bacnet.codec import Refusal, answer_in, read_many, read_one
from edge_agent.drivers.bacnet.datagrams import NoRouteError, apdus, datagram
from edge_agent.drivers.bacnet.driver import BacnetDriver
from edge_agent.drivers.bacnet.values import AilingError, BusyError, object_value
from edge_agent.drivers.base import BusSeat, NoAnswerError
from facility.catalogue import Bus
from facility.errors import ConfigError, DriverError
from facility.model import Meter, Name
from facility.protocols.bacnet import BacnetAddress, ObjectPoint, bacnet_address, bacnet_line
from facility.quantities import Quantity

BUS = Bus("line", "bacnet://host")
HERE, BEHIND = BacnetAddress(1234), BacnetAddress(1234, 2001, b"\x05")
POWER = ObjectPoint(Quantity.ACTIVE_POWER, "total", "analog-input,1")


def rig(peer, unit="1234", timeout_s=5.0):
    bus = Bus("line", peer.url, timeout_s)
    places = {f"m1/{place.name}": place for place in peer.profile.points}
    device = Device(Meter("m1", Name("M"), "b", peer.profile.id, "a", "line", unit), peer.profile, places)
    return BacnetDriver(BusSeat(bus, (device,), print, lambda: (0, 0), time.monotonic)), device


def asked(driver, device, points=None):
    try:
        return [driver.answer(ask) for ask in driver.plan(device, points or device.places)]
    finally:
        driver.close()


def expected(peer):
    return {f"m1/{name}": pytest.approx(value) for name, value in peer.expect.items()}


class TestMessages:
    """ANSI/ASHRAE 135, Annex F: what is asked and answered there, as it is printed."""

    def test_a_property_is_asked_for(self):
        assert read_one(1, "analog-input,5", "present-value") == bytes.fromhex("0005 01 0C 0C 00000005 19 55")

    def test_several_objects_are_asked_for(self):
        wanted = {f"analog-input,{i}": ("present-value",) for i in (33, 50, 35)}
        assert read_many(2, wanted) == bytes.fromhex(
            "0005 02 0E 0C 00000021 1E 09551F 0C 00000032 1E 09551F 0C 00000023 1E 09551F"
        )

    def test_a_property_is_told(self):
        said = answer_in(bytes.fromhex("30 01 0C 0C 00000005 19 55 3E 44 4290999A 3F"), 1)
        assert said == {("analog-input,5", "present-value"): pytest.approx(72.3)}

    def test_several_properties_of_an_object_are_told(self):
        said = answer_in(bytes.fromhex("30 F1 0E 0C 00000010 1E 29 55 4E 44 4290999A 4F 29 67 4E 91 00 4F 1F"), 241)
        assert said == {
            ("analog-input,16", "present-value"): pytest.approx(72.3), ("analog-input,16", "reliability"): 0.0
        }  # fmt: skip

    def test_what_is_lacking_is_told_beside_the_rest(self):
        said = answer_in(
            bytes.fromhex(
                "30 02 0E 0C 00000021 1E 29 55 4E 44 42293333 4F 1F 0C 00000032 1E 29 55 5E 91 01 91 1F 5F 1F"
                "0C 00000023 1E 29 55 4E 44 43D9D99A 4F 1F"
            ),
            2,
        )
        assert said == {
            ("analog-input,33", "present-value"): pytest.approx(42.3),
            ("analog-input,50", "present-value"): Refusal("unknown-object"),
            ("analog-input,35", "present-value"): pytest.approx(435.7),
        }

    @pytest.mark.parametrize(
        ("apdu", "words"),
        [
            ("50 07 0E 91 01 91 1F", "the device has no such object (unknown-object)"),
            ("60 07 09", "the device does not know the service (unrecognized-service)"),
            ("71 07 04", "the answer would be longer than one datagram (segmentation-not-supported)"),
            ("3C 07 00 04 0E 0C", "the answer would be longer than one datagram (segmentation-not-supported)"),
        ],
    )
    def test_an_error_a_reject_an_abort_and_a_segment_are_told_in_words(self, apdu, words):
        assert str(answer_in(bytes.fromhex(apdu), 7)) == words

    @given(st.binary(max_size=80))
    def test_noise_is_no_crash(self, noise):
        for heard in (noise, closed(noise), closed(bytes.fromhex("30010E") + noise)):
            for apdu in apdus(heard, HERE):
                said = answer_in(apdu)
                if isinstance(said, dict):
                    with suppress(DriverError):
                        object_value(POWER, said)

    def test_another_number_is_no_answer(self):
        assert answer_in(bytes.fromhex("60 07 09"), 8) is None


class TestEnvelope:
    def test_a_device_at_the_address_itself(self):
        assert datagram(HERE, b"\xaa\xbb") == bytes.fromhex("810A0008 0104 AABB")
        assert list(apdus(closed(b"\xaa\xbb"), HERE)) == [b"\xaa\xbb"]

    def test_a_device_behind_a_router_is_named_both_ways(self):
        assert datagram(BEHIND, b"\xaa") == bytes.fromhex("810A000C 0124 07D1 01 05 FF AA")
        said = bytes.fromhex("810A000B 0108 07D1 01 05 AA")
        assert list(apdus(said, BEHIND)) == [b"\xaa"]
        assert list(apdus(said, HERE)) == []
        assert list(apdus(closed(b"\xaa"), BEHIND)) == []

    def test_what_a_broadcast_device_passes_on_is_read(self):
        assert list(apdus(bytes.fromhex("8104000D 0A000001BAC0 0100 AA"), HERE)) == [b"\xaa"]

    def test_a_router_says_that_it_knows_no_way(self):
        with pytest.raises(NoRouteError, match="knows no way to network 2001"):
            list(apdus(bytes.fromhex("810A000A 0180 03 01 07D1 00")[:10], BEHIND))

    def test_of_several_datagrams_each_is_found(self):
        assert list(apdus(closed(b"\xaa") + closed(b"\xbb"), HERE)) == [b"\xaa", b"\xbb"]


class TestValues:
    def said(self, value=12.5, flags=(False,) * 4, units=48.0, **more):
        facts = {"present-value": value, "status-flags": flags, "units": units, **more}
        return {("analog-input,1", name): one for name, one in facts.items()}

    def test_a_value_comes_in_our_unit(self):
        assert object_value(POWER, self.said()) == 12_500.0

    @pytest.mark.parametrize(("bit", "word"), [(1, "fault"), (2, "overridden"), (3, "out of service")])
    def test_what_an_object_does_not_stand_for_is_not_believed(self, bit, word):
        with pytest.raises(AilingError, match=word):
            object_value(POWER, self.said(flags=tuple(i == bit for i in range(4))))

    def test_an_alarm_is_no_reason_to_doubt_a_value(self):
        assert object_value(POWER, self.said(flags=(True, False, False, False))) == 12_500.0

    def test_a_unit_of_something_else_is_told(self):
        with pytest.raises(DriverError, match="in unit 62 of BACnet, which is no W"):
            object_value(POWER, self.said(units=62.0))

    def test_a_unit_that_is_not_told_is_not_guessed(self):
        with pytest.raises(DriverError, match="units of analog-input,1: the object has no such property"):
            object_value(POWER, self.said(units=Refusal("unknown-property")))

    def test_an_object_without_flags_is_believed(self):
        assert object_value(POWER, self.said(flags=Refusal("unknown-property"))) == 12_500.0

    def test_a_busy_device_is_asked_again(self):
        with pytest.raises(BusyError):
            object_value(POWER, self.said(value=Refusal("device-busy")))

    @pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
    def test_nothing_is_no_value(self, value):
        assert object_value(POWER, self.said(value=value)) is None


class TestDevices:
    def test_one_that_knows_single_properties_alone_is_asked_for_each(self, tmp_path):
        peer = BacnetPeer(tmp_path)
        driver, device = rig(peer)
        with peer.serving(application=PlainApplication):
            (answer,) = asked(driver, device)
            assert (answer.values, answer.unread) == (expected(peer), {})
        assert len(driver.plan(device, device.places)) == len(device.places)

    def test_an_object_that_is_out_of_service_is_named(self, tmp_path):
        peer = BacnetPeer(tmp_path)
        driver, device = rig(peer)
        ailing = objects()
        ailing[1].outOfService = True
        with BacnetDevice(peer.port, ailing):
            (answer,) = asked(driver, device)
        assert answer.unread == {"m1/active_power/total": "analog-input,1 says that it is out of service"}
        assert (len(answer.values), answer.may_pass) == (3, True)

    def test_another_device_at_the_address_is_read_by_nobody(self, tmp_path):
        peer = BacnetPeer(tmp_path)
        driver, device = rig(peer, "77")
        with peer.serving(), pytest.raises(NoAnswerError, match="another device is at its address"):
            asked(driver, device)
        with peer.serving(application=PlainApplication), pytest.raises(NoAnswerError, match="another device"):
            asked(driver, device)

    def test_one_that_has_no_room_for_all_is_asked_for_fewer(self, tmp_path):
        peer = BacnetPeer(tmp_path)
        driver, device = rig(peer)

        def abort_long(request):
            return answered(request, HELD) if len(request) < 50 else closed(bytes((0x71, request[8], 4)))

        with BareDatagrams(peer.port, abort_long):
            (answer,) = asked(driver, device)
            assert set(answer.unread) == set(device.places)
            assert "longer than one datagram" in answer.unread["m1/door_open/door"]
            (answer,) = asked(driver, device, ["m1/door_open/door"])
            assert answer.values == {"m1/door_open/door": 1.0}

    def test_one_without_a_router_s_way_is_silent_with_the_reason(self, tmp_path):
        peer = BacnetPeer(tmp_path)
        driver, device = rig(peer, "1234@2001:5")
        with (
            BareDatagrams(peer.port, lambda _: bytes.fromhex("810A000A 0180 03 01 07D1")),
            pytest.raises(NoAnswerError, match="knows no way to network 2001"),
        ):
            asked(driver, device)

    def test_nothing_is_ever_sent_but_requests_to_read(self, tmp_path):
        peer, services = BacnetPeer(tmp_path), set()
        driver, device = rig(peer)

        def note(request):
            services.add(request[9])
            return closed(bytes((0x60, request[8], 9)))

        with BareDatagrams(peer.port, note), suppress(NoAnswerError):
            asked(driver, device)
        assert services == {12, 14}


@pytest.mark.parametrize(
    "unit", ["", "x", "-1", "4194303", "1@", "1@0:5", "1@65535:5", "1@5:256", "1@5:0x0", "1@5", "１"]
)
def test_a_unit_is_an_instance_and_perhaps_a_place_behind_a_router(unit):
    with pytest.raises(ConfigError, match="is no BACnet address"):
        bacnet_address(BUS, unit)


def test_a_place_behind_a_router_may_be_as_long_as_its_network_wants():
    assert bacnet_address(BUS, "1234@2001:5") == BEHIND
    assert bacnet_address(BUS, "7@1:0x0A000001BAC0") == BacnetAddress(7, 1, bytes.fromhex("0A000001BAC0"))
    assert bacnet_line(BUS).port == 47808


@pytest.mark.parametrize("url", ["bacnet://h/1", "bacnet://u@h", "bacnet://h?ttl=5", "bacnet://", "bacnet://h#x"])
def test_a_url_says_no_more_than_where(url):
    with pytest.raises(ConfigError):
        bacnet_line(Bus("line", url))


def test_without_its_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(bacnet_driver, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"meterhouse\[bacnet\]"):
        rig(BacnetPeer(tmp_path))


def test_a_request_for_many_fits_in_a_datagram_of_the_smallest_router():
    wanted = {f"analog-input,{i}": ("present-value", "status-flags", "units") for i in range(10)}
    assert len(datagram(BEHIND, read_many(1, wanted))) < 206
