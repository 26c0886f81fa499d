"""Many agents that come back at once, as light as can be: ``light_agents.py PORT FIRST COUNT NOW_MS``.

Each has 200 rows and repeats what was not acknowledged, as agents do. Ends with 0 when all is stored.
"""

from __future__ import annotations

import sys
import time

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from facility import wire

ROWS, BATCH = 200, 100
AGAIN_S = 5.0


class LightAgent:
    """One name, one connection, two batches."""

    def __init__(self, name: str, port: int, now_ms: int) -> None:
        self.name, self.now_ms, self.store_hw = name, now_ms, 0
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        self.client.on_connect = self.come_back
        self.client.on_message = self.hear
        self.client.connect_async("127.0.0.1", port)

    def come_back(self, *_: object) -> None:
        self.client.subscribe(wire.ack_topic(self.name), 1)
        self.tell()

    def tell(self) -> None:
        self.say("hello", wire.Hello(1, self.name, "e", 1, ROWS, [(1, ROWS)]))
        for first in range(1, ROWS, BATCH):
            t = [self.now_ms - 1000 * (ROWS - first - i) for i in range(BATCH)]
            points, zeros, ones = [f"m-{self.name}/active_power/total"], [0] * BATCH, [1.0] * BATCH
            self.say("backlog", wire.Batch(1, self.name, "e", first, "backlog", wire.Clock(), points, zeros, t, ones))

    def hear(self, _client: object, _data: object, message: object) -> None:
        self.store_hw = max(self.store_hw, wire.decode(wire.Ack, message.payload).store_hw)

    def say(self, what: str, message: wire.Message) -> None:
        payload = wire.encode(message)
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = (wire.CRC_PROPERTY, wire.crc(payload))
        self.client.publish(wire.up_topic(self.name, what), payload, 1, properties=properties)


def main() -> int:
    port, first, count, now_ms = map(int, sys.argv[1:])
    agents = [LightAgent(f"light-{i}", port, now_ms) for i in range(first, first + count)]
    for agent in agents:
        agent.client.loop_start()
    again = time.monotonic()
    while any(agent.store_hw < ROWS for agent in agents):
        now = time.monotonic()
        if now - again > AGAIN_S:
            again = now
            for agent in agents:
                if agent.store_hw < ROWS:
                    agent.tell()
        time.sleep(0.1)
    for agent in agents:
        agent.client.disconnect()
        agent.client.loop_stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
