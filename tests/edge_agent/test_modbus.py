"""What is Modbus's own, and a poller that lets no dead slave delay its neighbours."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from rigs.edge_lines import PtyUnits, TcpUnits, rtu_frame
from rigs.patience import until
from rigs.servers import free_port

from edge_agent.devices import devices_of
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import BusDownError, BusSeat, NoAnswerError
from edge_agent.poller import Poller
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Site
from facility.protocols import protocol_of
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.quantities import Quantity

POWER = RegisterPoint(Quantity.ACTIVE_POWER, "total", 10, Coding.UINT16, RegisterTable.HOLDING)
VOLTAGE = RegisterPoint(Quantity.VOLTAGE, "total", 200, Coding.FLOAT32, RegisterTable.INPUT)
PROFILES = {"x/y": ModbusProfile("x/y", "x", "electricity", (), (POWER, VOLTAGE))}
REGISTERS = {10: 1234, 200: 0x4366, 201: 0x8000}


def seat(url, units, taken, *, poll_s=0.2, timeout_s=1.0):
    bus = Bus("line", url, timeout_s)
    meters = tuple(Meter(f"m{u}", Name("m"), "b", "x/y", "a", "line", str(u), poll_s=poll_s) for u in units)
    points = tuple(Point(m.id, place.quantity) for m in meters for place in (POWER, VOLTAGE))
    catalogue = Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), (Agent("a", (bus,)),), meters, points)
    devices = devices_of(catalogue, PROFILES, bus)
    return BusSeat(bus, devices, taken.extend, lambda: (time.time_ns() // 1_000_000, 0), time.monotonic)


def open_driver(place):
    return DRIVERS[protocol_of(place.bus)](place)


def asks_of(driver, place, device=0):
    return driver.plan(place.devices[device], place.devices[device].places)


def test_a_device_that_resets_its_connection_is_silent():
    def serve():
        for _ in range(2):
            connection, _ = listening.accept()
            connection.recv(300)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        place = seat(f"modbus+tcp://127.0.0.1:{listening.getsockname()[1]}", [1], [])
        driver = open_driver(place)
        for _ in range(2):
            with pytest.raises(NoAnswerError):
                driver.answer(asks_of(driver, place)[0])
        server.join()


def test_a_dead_slave_does_not_delay_its_neighbours():
    taken = []
    with PtyUnits({1: REGISTERS, 2: REGISTERS, 4: REGISTERS}) as line:
        place = seat(f"modbus+rtu://{line.path}?baud=115200", [1, 2, 3, 4], taken)
        poller = Poller(open_driver(place), place)
        poller.start()
        until(lambda: line.asked.count(3) == 2)  # at once, and 2 s after it was silent
        state = poller.state()
        until(lambda: all(sum(name == f"m{unit}/active_power/total" for name, *_ in taken) >= 5 for unit in (1, 2, 4)))
        poller.stop()
    assert state == "silent: m3"
    first = line.asked.index(3)
    between = line.asked[first + 1 : line.asked.index(3, first + 1)]
    for unit in (1, 2, 4):  # each poll of theirs is two requests
        assert 1 <= between.count(unit) / 2 <= 11  # at 0.2 s each was due 10 times; a busy machine leaves some out


def test_what_was_read_is_kept_when_another_block_is_refused():
    taken = []
    with TcpUnits({1: {10: 5}}) as units:
        place = seat(f"modbus+tcp://127.0.0.1:{units.port}", [1], taken, poll_s=60)
        poller = Poller(open_driver(place), place)
        poller.start()
        until(lambda: taken)
        poller.stop()
    assert [(name, x) for name, _, x, _ in taken] == [("m1/active_power/total", 5.0)]
    assert poller.state() == "unread: m1/voltage/total"


def test_a_bus_that_is_down_comes_back_by_itself():
    taken, port = [], free_port()
    place = seat(f"modbus+tcp://127.0.0.1:{port}", [1], taken)
    driver = open_driver(place)
    with pytest.raises(BusDownError):
        driver.answer(asks_of(driver, place)[0])
    poller = Poller(open_driver(place), place)
    poller.start()
    until(lambda: poller.state() == "down")
    with TcpUnits({1: REGISTERS}, port=port):
        until(lambda: taken)
        assert poller.state() == "ok"
        poller.pause(paused=True)
        rounds = poller.rounds
        until(lambda: poller.rounds > rounds)  # what was under way is over
        count = len(taken)
        time.sleep(0.5)
        assert (len(taken), poller.state()) == (count, "paused")
        poller.stop()


def test_an_answer_with_another_number_of_registers_is_none():
    with PtyUnits({1: REGISTERS}, noise=lambda _: rtu_frame(1, bytes((3, 4, 0, 1, 0, 2)))) as line:
        place = seat(f"modbus+rtu://{line.path}", [1], [])
        driver = open_driver(place)
        with pytest.raises(NoAnswerError, match="registers that came: 2 of 1"):
            driver.answer(asks_of(driver, place)[0])
        driver.close()


def test_an_answer_to_another_function_is_none():
    with PtyUnits({1: REGISTERS}, noise=lambda _: rtu_frame(1, bytes((4, 2, 0, 1)))) as line:
        place = seat(f"modbus+rtu://{line.path}", [1], [])
        driver = open_driver(place)
        with pytest.raises(NoAnswerError, match="function 4 came for holding registers"):
            driver.answer(asks_of(driver, place)[0])
        driver.close()


def test_a_gateway_that_cannot_reach_the_device_means_its_silence():
    """Exceptions 10 and 11; any other is a refusal, which says what was asked."""
    for code in (10, 11, 2):
        with PtyUnits({1: REGISTERS}, noise=lambda _, code=code: rtu_frame(1, bytes((0x83, code)))) as line:
            place = seat(f"modbus+rtu://{line.path}", [1], [])
            driver = open_driver(place)
            ask = asks_of(driver, place)[0]
            if code == 2:
                assert driver.answer(ask).unread == {"m1/active_power/total": "exception 2 for holding 10+1"}
            else:
                with pytest.raises(NoAnswerError, match=f"exception {code}"):
                    driver.answer(ask)
            driver.close()


@pytest.mark.parametrize("unit", [0, 255])
def test_the_device_at_a_tcp_address_itself_is_asked(unit):
    with TcpUnits({unit: REGISTERS}) as units:
        place = seat(f"modbus+tcp://127.0.0.1:{units.port}", [unit], [])
        driver = open_driver(place)
        assert [driver.answer(ask).values for ask in asks_of(driver, place)] == [
            {f"m{unit}/active_power/total": 1234.0}, {f"m{unit}/voltage/total": 230.5}
        ]  # fmt: skip
        driver.close()
