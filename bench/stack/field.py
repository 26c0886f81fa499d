"""The devices of ``bench.stack``: Modbus TCP gateways, radio sensors over MQTT, and an agent that speaks nonsense."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from bench.stack.estate import POINTS_OF_A_METER, POLL_S, hash_ms, said
from device_profiles import load_profiles
from edge_agent.drivers.modbus.registers import encode_registers
from facility import wire
from facility.broker_address import broker_address
from facility.protocols.modbus.profile import RegisterPoint
from facility.quantities import BY_WORD, Quantity
from meterhouse.servers.broker_files import INGEST, LISTENER, TopicRights, agent_rights
from process.mqtt import checksum, make_client

if TYPE_CHECKING:
    from concurrent.futures import Future

    from bench.stack.estate import Device, Plan
    from facility.profile import ProfilePoint
    from meterhouse.servers.broker import Broker

BROKEN = "edge-broken"
RADIO = "radio"
"""The bus of doors and leak sensors."""

NONSENSE_EVERY_S = 1.0
REQUEST = struct.Struct(">HHHBBHH")
ANSWER = struct.Struct(">HHHBBB")
UNKNOWN_UNIT = 0x8B


class Field:
    """Everything that is measured, in one thread with an event loop; ``raise_at`` opens a door or wets a sensor."""

    def __init__(self, made: Plan, broker: Broker) -> None:
        """Listens on a free port for each Modbus bus from now on; speaks once ``start`` is called."""
        self.plan, self._broker = made, broker
        self._loop = asyncio.new_event_loop()
        self._speaking: list[Future[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="field", daemon=True)
        self._thread.start()
        self._units = {(d.agent, d.bus, int(d.unit)): d for d in made.devices if d.bus != "radio"}
        self._places = {"electricity": _places("eastron/sdm120"), "water": _places("generic/pulse-water")}
        self._sensors = made.of_kind("door") + made.of_kind("leak")
        self._devices = make_client(broker_address(broker.url_for("devices")), "devices")
        self._broken = make_client(broker_address(broker.url_for(BROKEN)), BROKEN)
        self.bus_urls = {bus: self._ask(self._listen(*bus)) for bus in made.on_bus()}
        self.bus_urls |= {(agent, RADIO): broker.url_for(f"{agent}-devices") for agent in made.agents}

    def start(self) -> None:
        """Begin to speak."""
        for client in (self._devices, self._broken):
            client.connect("127.0.0.1", self._broker.port)
            client.loop_start()
        for speaking in (self._speak(), self._speak_nonsense()):
            self._speaking.append(asyncio.run_coroutine_threadsafe(speaking, self._loop))

    def raise_now(self, meter: str) -> int:
        """Open a door or wet a sensor; returns when, ms."""
        now_ms = time.time_ns() // 1_000_000
        self.plan.raised_ms[meter] = now_ms
        return now_ms

    def stop(self) -> None:
        """Fall silent."""
        for client in (self._devices, self._broken):
            client.disconnect()
            client.loop_stop()
        for speaking in self._speaking:
            speaking.cancel()
        self._ask(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _ask(self, asked):  # noqa: ANN001, ANN202 - a coroutine and its result
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    async def _listen(self, agent: str, bus: str) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    writer.write(self._answer(agent, bus, await reader.readexactly(REQUEST.size)))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return f"modbus+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _answer(self, agent: str, bus: str, request: bytes) -> bytes:
        """MODBUS Application Protocol V1.1b3, 6.3 and 6.4: registers are read, nothing else is asked."""
        transaction, _, _, unit, function, address, count = REQUEST.unpack(request)
        device = self._units.get((agent, bus, unit))
        if device is None:
            return ANSWER.pack(transaction, 0, 3, unit, function | 0x80, UNKNOWN_UNIT)
        words = self._registers(device)[address : address + count]
        return ANSWER.pack(transaction, 0, 3 + 2 * count, unit, function, 2 * count) + struct.pack(f">{count}H", *words)

    def _registers(self, device: Device) -> list[int]:
        held, now = [0] * 128, np.array([time.time_ns() // 1_000_000])
        for place in self._places[device.kind]:
            value = float(said(self.plan, device.id, place.quantity, now)[0])
            held[place.address : place.address + place.count] = encode_registers(place, value)
        return held

    async def _speak(self) -> None:
        """Each sensor once a minute, and at once when its state has changed."""
        spoken: dict[str, bool] = {}
        due = {sensor.id: time.time() + hash_ms(sensor.id) / 1000 for sensor in self._sensors}
        while True:
            now = time.time()
            for sensor in self._sensors:
                is_raised = now * 1000 >= self.plan.raised_ms.get(sensor.id, 2**62)
                if now >= due[sensor.id] or spoken.get(sensor.id, False) != is_raised:
                    spoken[sensor.id] = is_raised
                    due[sensor.id] = max(due[sensor.id] + POLL_S, now)
                    word = {"contact": not is_raised} if sensor.kind == "door" else {"water_leak": is_raised}
                    self._devices.publish(f"zigbee2mqtt/{sensor.unit}", json.dumps(word))
            await asyncio.sleep(0.1)

    async def _speak_nonsense(self) -> None:
        """An agent that nobody installed: what cannot be read, and readings of points that are not there."""
        seq = 0
        while True:
            seq += 1
            now_ms = time.time_ns() // 1_000_000
            batch = wire.Batch(
                1, BROKEN, "e", seq, "live", wire.Clock(), ["nobody/voltage/total"], [0], [now_ms], [1.0]
            )
            for payload in (b"\xc1 nonsense", wire.encode(batch)):
                self._broken.publish(f"{wire.PREFIX}/up/{BROKEN}/live", payload, 1, properties=checksum(payload))
            await asyncio.sleep(NONSENSE_EVERY_S)


def _places(profile: str) -> list[RegisterPoint]:
    wanted = {BY_WORD[word] for word in POINTS_OF_A_METER} | {Quantity.WATER_VOLUME}
    found: list[ProfilePoint] = list(load_profiles()[profile].points)
    return [place for place in found if isinstance(place, RegisterPoint) and place.quantity in wanted]


def identities(made: Plan) -> dict[str, TopicRights]:
    """Who may say what at the broker."""
    everything = ("zigbee2mqtt/#",)
    agents = {agent: agent_rights(agent) for agent in [*made.agents, BROKEN]}
    listeners = {f"{agent}-devices": TopicRights(reads=everything) for agent in made.agents}
    return {**agents, **listeners, "devices": TopicRights(writes=everything), "ingest": INGEST, "analytics": LISTENER}
