"""Faults E12 to E14: two agents of one name, and clocks that are wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from rigs.edge_lines import TcpUnits
from rigs.fault_rig import (
    DOOR,
    FakeTime,
    WrongClock,
    agent_process,
    asked,
    content,
    log_of,
    sdm120,
    stop,
)
from rigs.patience import PATIENCE_S, until, within

from edge_agent.clock import EARLIEST_MS, SETTLE_MS, Trust
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.points import MOST_BACK_MS
from edge_agent.outbox.room import Room
from edge_agent.writer import Writer
from facility import wire

NO_BALLAST = Room(ballast_bytes=0)
POWER_OF_METER = "m1/active_power/total"


def test_E12_a_second_agent_on_one_outbox_says_so_and_ends_within_a_second(tmp_path):
    """Exit code other than 0 in less than 1 s, apart from what Python takes to load as much."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import edge_agent.__main__"], check=True)
    loading_s = time.monotonic() - begun
    outbox = Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    with within(loading_s + 1), agent_process(tmp_path, "mqtt://127.0.0.1:1") as child:
        assert child.wait(PATIENCE_S) == 2
    assert "another agent already uses the outbox" in log_of(tmp_path)
    outbox.close()


@pytest.mark.broker
def test_E12_two_agents_of_one_name_notice_that_they_kick_each_other(tmp_path, broker, serve):
    """Alarm in less than 60 s."""
    server = serve()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with within(60), agent_process(tmp_path / "a", broker.url), agent_process(tmp_path / "b", broker.url):
        alarm = "alarm=unsteady"
        until(lambda: alarm in log_of(tmp_path / "a") and alarm in log_of(tmp_path / "b"))
        server.wait(lambda: any(status.figures.get("alarm_unsteady") for status in server.statuses))


def say_door(server, said):
    """A door event at a time that the test knows."""
    said.append((round(time.time() * 1000), len(said) % 2))
    server.client.publish("zigbee2mqtt/front", b'{"contact":%s}' % (b"false" if said[-1][1] else b"true"), 1)


def powers(server):
    """The times of the power readings, in the order in which they were taken."""
    return [t for point, t, *_ in (row for _, row in sorted(content(server).items())) if point == POWER_OF_METER]


def doors(server):
    return [(t, x, q) for point, t, x, q in (row for _, row in sorted(content(server).items())) if point == DOOR]


@pytest.mark.broker
def test_E13_readings_from_before_the_clock_is_right_are_held_and_dated_within_two_seconds(tmp_path, broker, serve):
    """0 points before the build time; back-dating error of at most 2 s; a restart in between changes nothing."""
    clock = WrongClock(tmp_path, -1_790_000_000)
    server, said = serve(answers="always"), []
    env = {"radio": broker.url, **clock.env}
    with agent_process(tmp_path, broker.url, **env):
        asked(server, lambda status: status.buses["radio"] == "ok")
        for _ in range(5):
            say_door(server, said)
            time.sleep(0.3)
        asked(server, lambda status: status.figures["undated"] == 5 and status.figures["alarm_clock"] == 1)
    with agent_process(tmp_path, broker.url, **env) as child:  # killed and started again, the clock still wrong
        asked(server, lambda status: status.figures["undated"] == 5 and status.buses["radio"] == "ok")
        say_door(server, said)
        time.sleep(0.8)
        assert not server.batches
        clock.set(0)
        server.wait(lambda: server.hw == 6)
        say_door(server, said)
        server.wait(lambda: server.hw == 7)
        assert stop(child) == 0
    came = doors(server)
    assert [x for _, x, _ in came] == [float(x) for _, x in said]
    assert [q for _, _, q in came] == [1] * 6 + [0]
    assert max(abs(t - at) for (t, _, _), (at, _) in zip(came, said, strict=True)) <= 2000
    assert min(t for t, _, _ in came) >= EARLIEST_MS
    assert all(batch.clk.synced for batch in server.batches)


def write(outbox, clock, boot, value):
    t_ms, q = clock.stamp()
    Writer(outbox, lambda: None, clock, boot)._write([("p", t_ms, value, int(q))])


def test_E13_readings_of_earlier_boots_lie_between_their_neighbours(tmp_path):
    now, truth = FakeTime(), []
    outbox = Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    for boot, off_ms in (("right", 0), ("lost-1", -(10**12) * 2), ("lost-2", -(10**12) * 2), ("again", -(10**12) * 2)):
        now.boot(off_ms)
        clock = now.clock()
        for _ in range(50):
            now.go_on(1000)
            truth.append(now.true_ms)
            write(outbox, clock, boot, float(len(truth)))
    assert (outbox.newest, outbox.reader.undated()) == (50, 150)
    now.off_ms = 0  # the time service has come
    write(outbox, clock, "again", 201.0)
    rows = outbox.rows(1, 999, 999)
    times = [row[3] for row in rows]
    assert [row[4] for row in rows] == [float(k) for k in range(1, 202)]
    assert all(a < b for a, b in pairwise(times))
    assert [row[5] for row in rows] == [0] * 50 + [1] * 150 + [0]
    assert max(abs(t - at) for t, at in zip(times[150:200], truth[150:], strict=True)) <= 2000  # of this boot: exact
    assert max(abs(t - at) for t, at in zip(times, truth, strict=False)) <= 60_000  # of others: as they fit
    outbox.close()


def test_E13_a_clock_is_right_when_its_setting_says_so():
    now, kernel = FakeTime(), []
    now.off_ms = -now.true_ms
    assert [now.clock(trust).offset_ms() for trust in Trust] == [None] * 3
    now.off_ms = 0
    kept = now.clock(Trust.KERNEL, lambda: bool(kernel))
    assert (now.clock().offset_ms() is not None, kept.offset_ms(), kept.state().synced) == (True, None, False)
    kernel.append("synchronised")
    assert kept.stamp() == (now.true_ms, 0)
    assert kept.state() == wire.Clock(synced=True, src="kernel", off_ms=0.0)


@pytest.mark.broker
def test_E14_a_clock_that_steps_spoils_no_time_and_stops_no_timer(tmp_path, broker, serve):
    """0 overwritten readings, 0 stuck timers: −2 h, +1 day and back within a minute."""
    clock = WrongClock(tmp_path, 0)
    server, said = serve(answers="always"), []
    with (
        TcpUnits({1: sdm120(1.0, 2.0)}) as units,
        agent_process(tmp_path, broker.url, radio=broker.url, modbus=units.port, **clock.env) as child,
    ):
        asked(server, lambda status: status.buses == {"line": "ok", "radio": "ok"})
        for step in (0, -7200, 0, 86_400, 0):
            clock.set(step)
            polls = len(powers(server))
            for _ in range(4):
                say_door(server, said)
                time.sleep(0.4)
            server.wait(lambda: len(powers(server)) >= polls + 2)  # noqa: B023 - awaited here; it is asked once a second
        server.wait(lambda: len(doors(server)) == len(said))
        assert stop(child) == 0
    came = doors(server)
    assert max(abs(t - at) for (t, _, _), (at, _) in zip(came, said, strict=True)) <= 2000
    assert all(a < b for a, b in pairwise(powers(server)))
    assert {q for _, _, q in came} == {0, 1}  # while the clock is off, times are called estimated


@pytest.mark.parametrize("steps", [(-7_200_000,), (86_400_000,), (86_400_000, -86_400_000), (-7_200_000, 86_400_000)])
def test_E14_steps_that_last_overwrite_nothing_expire_nothing_and_do_not_creep(tmp_path, steps):
    """0 overwritten readings and 0 premature expiries, whatever is stepped to for longer than a minute."""
    now = FakeTime()
    clock, outbox = now.clock(), Outbox(tmp_path / "outbox.db", 0, room=Room(window_s=3600, ballast_bytes=0))
    stamps = []
    for step in (0, *steps, 0):
        now.off_ms += step
        for _ in range(300):
            now.go_on(1000)
            write(outbox, clock, "boot", float(len(stamps)))
            stamps.append(now.true_ms + now.off_ms)
    outbox.free(outbox.newest)
    outbox.tidy(now.steady_ms / 1000)
    rows = outbox.rows(1, 10**6, 10**6)
    assert len({row[3] for row in rows}) == len(rows) == len(stamps)
    settled = [
        abs(row[3] - at) for i, (row, at) in enumerate(zip(rows, stamps, strict=True)) if i % 300 > SETTLE_MS / 1000
    ]
    assert max(settled) <= MOST_BACK_MS // 10
    outbox.close()


def test_E14_when_the_day_that_was_jumped_to_really_comes_its_times_are_not_given_again(tmp_path):
    now, day = FakeTime(), 86_400_000
    clock, outbox = now.clock(Trust.TRUSTED), Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    for off_ms in (day, 0):
        now.off_ms = off_ms
        for _ in range(100):
            now.go_on(1000)
            write(outbox, clock, "boot", 1.0)
    now.go_on(day - 200_000)
    for _ in range(200):
        now.go_on(1000)
        write(outbox, clock, "boot", 1.0)
    times = [row[3] for row in outbox.rows(1, 999, 999)]
    assert len(set(times)) == len(times) == 400
    assert max(abs(a - b) for a, b in pairwise(times[200:])) < day
    outbox.close()
