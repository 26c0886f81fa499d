"""The envelope of a message: BVLC (ANSI/ASHRAE 135, Annex J.2) and NPDU (clause 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.protocols.bacnet import BacnetAddress

BACNET_IP = 0x81
FORWARDED, UNICAST = 0x04, 0x0A
BODY_AT = {UNICAST: 4, FORWARDED: 10}
"""Where the NPDU begins; what a broadcast management device passes on says first from where it came."""

VERSION = 1
TO_NETWORK, FROM_NETWORK, IS_NETWORK_MESSAGE, WANTS_REPLY = 0x20, 0x08, 0x80, 0x04
REJECT_TO_NETWORK = 0x03
HOPS = 255

NO_WAY = {
    1: "knows no way to network",
    2: "is too busy for network",
    3: "does not know what it was asked for network",
    4: "finds the message too long for network",
}
"""Clause 6.4.4, reasons of Reject-Message-To-Network."""


class NoRouteError(DriverError):
    """A router says that it does not reach the device's network."""


def datagram(address: BacnetAddress, apdu: bytes) -> bytes:
    """A request to a device, as one datagram."""
    npdu = bytes((VERSION, WANTS_REPLY))
    if address.network:
        head = bytes((VERSION, WANTS_REPLY | TO_NETWORK)) + address.network.to_bytes(2)
        npdu = head + bytes((len(address.mac),)) + address.mac + bytes((HOPS,))
    size = 4 + len(npdu) + len(apdu)
    return bytes((BACNET_IP, UNICAST)) + size.to_bytes(2) + npdu + apdu


def apdus(heard: bytes, address: BacnetAddress) -> Iterator[bytes]:
    """What a device says in datagrams that came; what others say is passed over.

    Raises ``NoRouteError`` where a router says that it does not reach the device.
    """
    at = 0
    while (at := heard.find(BACNET_IP, at)) >= 0:
        size = int.from_bytes(heard[at + 2 : at + 4])
        body_at = BODY_AT.get(heard[at + 1]) if at + 1 < len(heard) else None
        if body_at is None or not body_at < size <= len(heard) - at:
            at += 1
            continue
        if (apdu := _apdu(heard[at + body_at : at + size], address)) is not None:
            yield apdu
        at += 1  # a length that fits may be chance: what is inside is looked through too


def _apdu(npdu: bytes, address: BacnetAddress) -> bytes | None:
    if len(npdu) < 2 or npdu[0] != VERSION:  # noqa: PLR2004 - version and control
        return None
    control, at = npdu[1], 2
    whence: tuple[int, bytes] = (0, b"")
    for flag in (TO_NETWORK, FROM_NETWORK):
        if control & flag:
            size = npdu[at + 2] if at + 2 < len(npdu) else 0
            whence = (int.from_bytes(npdu[at : at + 2]), npdu[at + 3 : at + 3 + size])
            at += 3 + size
    whence = whence if control & FROM_NETWORK else (0, b"")
    at += 1 if control & TO_NETWORK else 0
    body = npdu[at:]
    if control & IS_NETWORK_MESSAGE:
        _check_rejected(body, address)
        return None
    return body if whence == (address.network, address.mac) else None


def _check_rejected(message: bytes, address: BacnetAddress) -> None:
    is_rejected = message[:1] == bytes((REJECT_TO_NETWORK,)) and address.network
    if is_rejected and message[2:4] == address.network.to_bytes(2):
        why = NO_WAY.get(message[1], f"refuses (reason {message[1]}) network")
        raise NoRouteError(f"the router {why} {address.network}")
