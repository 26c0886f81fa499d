"""The simulated devices as a process, asked by real clients: Modbus TCP, RTU over a pseudo-terminal, MQTT."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import psutil
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.constants import ExcCodes
from rigs.patience import PATIENCE_S, until, within
from rigs.servers import Mosquitto, free_port

from demo.devices.buses import open_world
from demo.estate import Addresses, write_site
from demo.shift import open_shift
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.modbus.registers import decode_registers
from facility.protocols.modbus.profile import RegisterTable


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as mosquitto:
        yield mosquitto.port


@pytest.fixture(scope="module")
def place(tmp_path_factory, broker):
    folder = tmp_path_factory.mktemp("data")
    shift = open_shift(folder, datetime.now(UTC))
    port = free_port()
    addresses = Addresses.on_this_machine(
        folder, gateway_port=port, line_port=free_port(), broker=f"mqtt://127.0.0.1:{broker}"
    )
    write_site(folder, shift, addresses)
    return folder, port


@pytest.fixture(scope="module")
def heard(broker):
    """The first message on each topic."""
    first = {}
    client = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTProtocolVersion.MQTTv5)
    client.on_connect = lambda client, *_: client.subscribe("#")
    client.on_message = lambda _client, _data, message: first.setdefault(message.topic, message.payload)
    client.connect_async("127.0.0.1", broker)
    client.loop_start()
    yield first
    client.disconnect()
    client.loop_stop()


@pytest.fixture(scope="module")
def devices(place, heard):
    folder, port = place
    environment = os.environ | {"METERHOUSE_DATA": str(folder)}
    path = folder / "log"
    with path.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "demo.devices"], env=environment, stderr=log)
    until(lambda: "event=devices_ready" in path.read_text() or process.poll() is not None)
    assert process.poll() is None, path.read_text()
    yield process, folder, port
    process.send_signal(signal.SIGTERM)
    with within(3):
        assert process.wait(PATIENCE_S) == 0, path.read_text()
    assert not (folder / "rs485").exists()


def ask(client, unit, place):
    read = client.read_input_registers if place.table is RegisterTable.INPUT else client.read_holding_registers
    reply = read(place.address, count=place.coding.registers, device_id=unit)
    assert not reply.isError(), reply
    return decode_registers(place, reply.registers)


def check_all(world, bus, client):
    """Each point on a bus reads between what the world shows before and after the question, or within its noise."""
    for meter in world.catalogue.meters:
        if meter.connection != bus:
            continue
        for point in world.catalogue.points_of(meter.id):
            before = time.time_ns() // 1_000_000
            value = ask(client, int(meter.unit), world.offered(point))
            after = time.time_ns() // 1_000_000
            shown = world.values(point, np.arange(before, after + 1, dtype=np.int64))
            assert value in shown, point.id


def test_every_register_behind_the_gateway_reads_what_the_world_shows(devices):
    _, folder, port = devices
    client = ModbusTcpClient("127.0.0.1", port=port)
    assert client.connect()
    check_all(open_world(folder), "gateway", client)
    client.close()


def test_the_gateway_refuses_what_is_not_there(devices):
    client = ModbusTcpClient("127.0.0.1", port=devices[2])
    assert client.connect()
    assert client.read_holding_registers(0, count=1, device_id=99).exception_code == ExcCodes.GATEWAY_NO_RESPONSE
    assert client.read_holding_registers(9, count=1, device_id=11).isError()
    assert client.write_register(0, 7, device_id=11).isError()
    client.close()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_every_register_on_the_serial_line_reads_what_the_world_shows(devices):
    _, folder, _ = devices
    client = ModbusSerialClient(str(folder / "rs485"), baudrate=9600, parity="N", timeout=PATIENCE_S)
    assert client.connect()
    check_all(open_world(folder), "rs485", client)
    assert client.read_input_registers(60000, count=2, device_id=1).isError()
    client.close()


@pytest.mark.broker
def test_radio_devices_publish_what_the_world_shows(devices, heard):
    world = open_world(devices[1])
    sensors = {f"zigbee2mqtt/{m.unit}" for m in world.catalogue.meters if m.profile.startswith("aqara")}
    until(lambda: {"shellypro3em-b62/status/em:0", *sensors} <= set(heard))
    assert json.loads(heard["zigbee2mqtt/b35-leak"])["water_leak"] is False
    meter = world.catalogue.meter["b62-kitchen"]
    profile = world.profiles[meter.profile]
    assert json.loads(heard["shellypro3em-b62/status/emdata:0"])["total_act"] > 0
    said = decode_json(
        profile.points, "shellypro3em-b62/status/em:0", heard["shellypro3em-b62/status/em:0"], unit=meter.unit
    )
    assert 1_000 < said["active_power/total"] < 30_000


def test_the_devices_are_small(devices):
    memory = psutil.Process(devices[0].pid).memory_full_info()
    assert getattr(memory, "pss", memory.uss) < 80 * 2**20


def test_a_port_in_use_is_one_clear_sentence_and_exit_code_2(devices, tmp_path):
    _, folder, _ = devices
    for name in ("demo.json", "site.yaml"):
        (tmp_path / name).write_text((folder / name).read_text())
    environment = os.environ | {"METERHOUSE_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "demo.devices"], env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert "is the port in use?" in done.stderr.decode()


def test_a_folder_without_a_shift_is_one_clear_sentence_and_exit_code_2(tmp_path):
    environment = os.environ | {"METERHOUSE_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "demo.devices"], env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert "demo.json is missing" in done.stderr.decode()
