"""Controllers that speak BACnet/IP: a device of bacpypes3 with all its layers, and bare answers by its codec."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

from bacpypes3.apdu import (
    APDU,
    APCISequence,
    ReadAccessResult,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    RejectPDU,
)
from bacpypes3.basetypes import (
    ErrorType,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    Scale,
    StatusFlags,
)
from bacpypes3.constructeddata import Any
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.analog import AnalogInputObject, AnalogValueObject
from bacpypes3.local.binary import BinaryInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.object import Object
from bacpypes3.object import AccumulatorObject
from bacpypes3.pdu import PDU, IPv4Address
from bacpypes3.primitivedata import Enumerated, ObjectIdentifier, Real, Unsigned

from facility.protocols.bacnet import BacnetProfile, ObjectPoint
from facility.quantities import Quantity
from rigs.bare_server import BareDatagrams
from rigs.servers import free_port

ITSELF = 1234


class LocalAccumulator(Object, AccumulatorObject):
    """A counter that a device keeps."""


class PlainApplication(NormalApplication):
    """A device that does not know how to tell several properties at once."""

    async def do_ReadPropertyMultipleRequest(self, apdu):
        await self.response(RejectPDU(reason=9, context=apdu))


class BacnetDevice:
    """A device of bacpypes3 on a port, in a thread of its own."""

    def __init__(self, port, objects, *, application=NormalApplication):
        self.port, self.objects, self.application = port, objects, application
        self.loop, self.is_up, self.end = asyncio.new_event_loop(), threading.Event(), None
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),))

    def __enter__(self):
        self.thread.start()
        assert self.is_up.wait(20)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join()
        self.loop.close()

    async def _run(self):
        self.end = asyncio.Event()
        device = DeviceObject(objectIdentifier=("device", ITSELF), objectName="rig", vendorIdentifier=999)
        app = self.application(device, IPv4Address(f"127.0.0.1/32:{self.port}"))
        for one in self.objects:
            app.add_object(one)
        for server in {link.server for link in [app.normal]}:
            await server._local_transport_ready.wait()
        self.is_up.set()
        await self.end.wait()
        app.close()
        await asyncio.sleep(0)


def objects(refusing="", without=""):
    """The objects of the peer; one that is refused is not there, one without a value says that it is no number."""
    kilowatts = float("nan") if without == "active_power/total" else -12.5
    made = {
        "energy_import/total": LocalAccumulator(
            objectIdentifier=("accumulator", 7), objectName="kWh", presentValue=1_234_560, units=18,
            scale=Scale(integerScale=0), prescale=None, maxPresValue=10**9, statusFlags=StatusFlags([]),
            eventState=0, outOfService=False,
        ),
        "active_power/total": AnalogInputObject(
            objectIdentifier=("analog-input", 1), objectName="kW", presentValue=kilowatts, units="kilowatts",
            statusFlags=StatusFlags([]), eventState="normal", outOfService=False,
        ),
        "temperature/flow": AnalogValueObject(
            objectIdentifier=("analog-value", 3), objectName="F", presentValue=167.0, units="degrees-fahrenheit",
            statusFlags=StatusFlags([]), eventState="normal", outOfService=False,
        ),
        "door_open/door": BinaryInputObject(
            objectIdentifier=("binary-input", 2), objectName="door", presentValue="active", polarity="normal",
            statusFlags=StatusFlags([]), eventState="normal", outOfService=False,
        ),
    }  # fmt: skip
    return [one for name, one in made.items() if name != refusing]


class BacnetPeer:
    """A controller with a meter, a thermometer and a contact."""

    unit, scheme, refusable, unsayable = str(ITSELF), "bacnet", "temperature/flow", "active_power/total"
    alike = ("energy_import/total", "temperature/flow")
    profile = BacnetProfile(
        "test/bacnet", "Test controller", "electricity", (),
        (
            ObjectPoint(Quantity.ENERGY_IMPORT, "total", "accumulator,7"),
            ObjectPoint(Quantity.ACTIVE_POWER, "total", "analog-input,1"),
            ObjectPoint(Quantity.TEMPERATURE, "flow", "analog-value,3"),
            ObjectPoint(Quantity.DOOR_OPEN, "door", "binary-input,2"),
        ),
    )  # fmt: skip
    expect = {
        "energy_import/total": 1234.56, "active_power/total": -12_500.0, "temperature/flow": 75.0, "door_open/door": 1.0
    }  # fmt: skip

    def __init__(self, _folder):
        self.port = free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self, refusing="", without="", application=NormalApplication):
        with BacnetDevice(self.port, objects(refusing, without), application=application):
            yield

    def mute(self):
        return BareDatagrams(self.port, lambda _: b"")

    def late(self, held):
        return BareDatagrams(self.port, lambda request: held.wait() and answered(request, HELD))

    def babbling(self, noise):
        return BareDatagrams(self.port, lambda request: noise(answered(request, HELD)))

    def framed(self, right, body):
        del right
        return closed(body)


HELD = {
    "device,1234": {"object-identifier": ObjectIdentifier(("device", ITSELF))},
    "accumulator,7": {"present-value": Unsigned(1_234_560), "units": Enumerated(18), "scale": Scale(integerScale=0)},
    "analog-input,1": {"present-value": Real(-12.5), "units": Enumerated(48)},
    "analog-value,3": {"present-value": Real(167.0), "units": Enumerated(64)},
    "binary-input,2": {"present-value": Enumerated(1)},
}
"""What a bare device holds, by object and property."""


def closed(apdu):
    """A message of a device that is at the address itself."""
    return b"\x81\x0a" + (len(apdu) + 6).to_bytes(2) + b"\x01\x00" + bytes(apdu)


def answered(request, held):
    """The answer to a request that came without a router, of a device that holds this."""
    apdu = APDU.decode(PDU(request[6:]))
    asked = APCISequence.decode(apdu)
    assert isinstance(asked, ReadPropertyMultipleRequest)
    results = [
        ReadAccessResult(
            objectIdentifier=spec.objectIdentifier,
            listOfResults=[
                element(held.get(str(spec.objectIdentifier), {}), one) for one in spec.listOfPropertyReferences
            ],
        )
        for spec in asked.listOfReadAccessSpecs
    ]
    ack = ReadPropertyMultipleACK(listOfReadAccessResults=results)
    ack.apduSeg = ack.apduMor = False
    ack.apduInvokeID = apdu.apduInvokeID
    return closed(ack.encode().encode().pduData)


def element(properties, reference):
    name = str(reference.propertyIdentifier)
    if name in properties:
        found = ReadAccessResultElementChoice(propertyValue=Any(properties[name].encode()))
    else:
        unknown = ErrorType(errorClass="property", errorCode="unknown-property")
        found = ReadAccessResultElementChoice(propertyAccessError=unknown)
    return ReadAccessResultElement(propertyIdentifier=reference.propertyIdentifier, readResult=found)
