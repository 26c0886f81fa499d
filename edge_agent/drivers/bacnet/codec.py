"""Requests and their answers as bytes, by bacpypes3. Nothing is ever sent but ReadProperty and ReadPropertyMultiple."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bacpypes3.apdu import (
    APDU,
    AbortPDU,
    APCISequence,
    ComplexAckPDU,
    ErrorPDU,
    ReadAccessSpecification,
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    RejectPDU,
)
from bacpypes3.basetypes import PropertyReference
from bacpypes3.errors import AbortException, RejectException
from bacpypes3.pdu import PDU
from bacpypes3.primitivedata import TagClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bacpypes3.primitivedata import Tag

MOST_BYTES_1476 = 5
"""Clause 20.1.2.5: an answer may have 1476 bytes, all that fits into one datagram; segments are not taken."""

BUSY = {"device-busy", "preempted-by-higher-priority-task", "out-of-resources", "application-exceeded-reply-time"}
WORDS = {
    "segmentation-not-supported": "the answer would be longer than one datagram",
    "apdu-too-long": "the request is longer than the device takes",
    "unrecognized-service": "the device does not know the service",
    "unknown-object": "the device has no such object",
    "unknown-property": "the object has no such property",
    "read-access-denied": "the device lets nobody read it",
    "device-busy": "the device is busy",
    "out-of-resources": "the device is busy",
    "operational-problem": "the device has a problem of its own",
}
"""What the reasons of errors, rejects and aborts mean (clauses 18 and 20.1.2); others stand for themselves."""

UNREADABLE = (
    AbortException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RejectException,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What the codec is seen to raise of bytes that mean nothing."""

Value = float | tuple[bool, ...] | None
"""A number, bits, or nothing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is refused: the reason's name in the standard."""

    reason: str

    @property
    def is_busy(self) -> bool:
        """Whether it may be said in a moment."""
        return self.reason in BUSY

    def __str__(self) -> str:
        return f"{WORDS[self.reason]} ({self.reason})" if self.reason in WORDS else self.reason


Facts = dict[tuple[str, str], "Value | Refusal"]
"""By object and property."""


def read_many(number: int, wanted: Mapping[str, Iterable[str]]) -> bytes:
    """A request for properties of objects, under a number (0 to 255) that the answer repeats."""
    specs = [
        ReadAccessSpecification(
            objectIdentifier=one, listOfPropertyReferences=[PropertyReference(p) for p in properties]
        )
        for one, properties in wanted.items()
    ]
    return _encoded(ReadPropertyMultipleRequest(listOfReadAccessSpecs=specs), number)


def read_one(number: int, of: str, name: str) -> bytes:
    """The same for one property, as every device must know it."""
    return _encoded(ReadPropertyRequest(objectIdentifier=of, propertyIdentifier=name), number)


def _encoded(request: ReadPropertyMultipleRequest | ReadPropertyRequest, number: int) -> bytes:
    request.apduSeg = request.apduMor = request.apduSA = False
    request.apduMaxSegs, request.apduMaxResp, request.apduInvokeID = 0, MOST_BYTES_1476, number
    return bytes(request.encode().encode().pduData)


def answer_in(apdu: bytes, number: int | None = None) -> Facts | Refusal | None:
    """What a message says, if it answers the request with that number (None: any); else None."""
    try:
        pdu = APDU.decode(PDU(apdu))
        if number is not None and getattr(pdu, "apduInvokeID", None) != number:
            return None
        return _answer(pdu)
    except UNREADABLE:
        return None


def _answer(pdu: APDU) -> Facts | Refusal | None:
    if isinstance(pdu, RejectPDU | AbortPDU):
        return Refusal(str(pdu.apduAbortRejectReason))
    if isinstance(pdu, ErrorPDU):
        return Refusal(str(APCISequence.decode(pdu).errorCode))
    if not isinstance(pdu, ComplexAckPDU):
        return None
    if pdu.apduSeg:
        return Refusal("segmentation-not-supported")
    return _facts(APCISequence.decode(pdu))


def _facts(said: APCISequence) -> Facts | None:
    if isinstance(said, ReadPropertyACK):
        return {(str(said.objectIdentifier), str(said.propertyIdentifier)): _value(said.propertyValue.tagList)}
    if not isinstance(said, ReadPropertyMultipleACK):
        return None
    facts: Facts = {}
    for result in said.listOfReadAccessResults:
        for element in result.listOfResults:
            error, found = element.readResult.propertyAccessError, element.readResult.propertyValue
            value = Refusal(str(error.errorCode)) if error is not None else _value(found.tagList)
            facts[str(result.objectIdentifier), str(element.propertyIdentifier)] = value
    return facts


def _value(tags: Iterable[Tag]) -> Value:
    """The first value in a list of tags (clause 20.2); a scale is tagged 0 (a factor) or 1 (a power of ten)."""
    tag = next((tag for tag in tags if tag.tag_class not in {TagClass.opening, TagClass.closing}), None)
    if tag is None:
        return None
    data = bytes(tag.tag_data)
    if tag.tag_class == TagClass.context:
        return _real(data) if tag.tag_number == 0 else 10.0 ** int.from_bytes(data, signed=True)
    if int(tag.tag_number) == BOOLEAN:
        return float(tag.tag_lvt)
    read = READ.get(int(tag.tag_number))
    return read(data) if read else None


def _whole(data: bytes) -> float:
    return float(int.from_bytes(data))


def _signed(data: bytes) -> float:
    return float(int.from_bytes(data, signed=True))


def _real(data: bytes) -> float:
    return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0])  # noqa: PLR2004


def _bits(data: bytes) -> tuple[bool, ...]:
    """The first byte says how many of the last are none: they are false."""
    return tuple(bool(byte >> (7 - i) & 1) for byte in data[1:] for i in range(8))


BOOLEAN = 1
READ: dict[int, Callable[[bytes], Value]] = {2: _whole, 3: _signed, 4: _real, 5: _real, 8: _bits, 9: _whole}
"""By the number of an application tag (clause 20.2.1.4)."""
