"""Devices and gateways that misbehave as real ones do: what exists is read, and nothing else is taken for it."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from rigs.one_bus import OneBus, profile_of
from rigs.patience import PATIENCE_S, until
from rigs.raw_lines import HangUp, RawTcp, ShyTcp, raw_line
from rigs.trials import FULL

NETWORK = ["modbus+tcp", "modbus+rtu-over-tcp"]
LINES = [*NETWORK, "modbus+rtu"]
APART = (0, 100, 200)
"""Three blocks of one register: on a serial line their answers look alike."""

PATIENT_S = 10.0
"""For buses on which nobody is waited for in vain: a busy machine answers late, which is no silence."""


def well(asked, say):
    say(asked.right())


def later(seconds, say, *frames):
    """Say it after a while, in a thread of its own."""

    def speak():
        time.sleep(seconds)
        for frame in frames:
            try:
                say(frame)
            except OSError:
                return  # it was hung up

    threading.Thread(target=speak, daemon=True).start()


class TestClosedConnections:
    @pytest.mark.parametrize("scheme", NETWORK)
    def test_a_device_that_closes_after_each_answer_is_read_whole(self, scheme):
        def device(asked, say):
            say(asked.right())
            raise HangUp

        with (
            RawTcp(scheme, device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and all(bus.count(1, address) >= 5 for address in APART))
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("scheme", NETWORK)
    def test_a_device_that_closes_without_a_word_on_a_used_connection_is_asked_once_more(self, scheme):
        """It closes when the second request comes: until then nobody could know."""
        heard = {}

        def device(asked, say):
            if heard.setdefault(say.__self__, 0):
                raise HangUp
            heard[say.__self__] += 1
            say(asked.right())

        with (
            RawTcp(scheme, device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and all(bus.count(1, address) >= 5 for address in APART))
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("scheme", NETWORK)
    def test_a_gateway_that_closes_idle_connections_is_well(self, scheme):
        with (
            RawTcp(scheme, well, idle_s=0.1) as peer,
            OneBus(peer.url, profile_of(APART), poll_s=0.3, timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and bus.count(1, 200) >= 5 and peer.connections >= 5)
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("scheme", NETWORK)
    def test_a_connection_that_was_forgotten_without_a_word_is_opened_again_at_once(self, scheme):
        """As a router does that passes it on: nothing comes, no answer and no end."""
        heard_s = {}

        def device(asked, say):
            last_s = heard_s.get(say.__self__, time.monotonic())
            if time.monotonic() - last_s > 0.9:
                heard_s[say.__self__] = float("-inf")
                return
            heard_s[say.__self__] = time.monotonic()
            say(asked.right())

        with (
            RawTcp(scheme, device) as peer,
            OneBus(peer.url, profile_of(APART), poll_s=1.3, timeout_s=1.0).polling() as bus,
        ):
            until(lambda: bus.note_state() and bus.count(1, 200) >= 3)
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("scheme", NETWORK)
    def test_a_device_that_takes_no_connection_for_a_while_after_one_is_not_called_down(self, scheme):
        with ShyTcp(scheme, away_s=0.5) as peer, OneBus(peer.url, profile_of(APART), timeout_s=0.5).polling() as bus:
            until(lambda: bus.note_state() and bus.count(1, 200))
        assert (bus.states, bus.wrong()) == ({"ok"}, [])


def lately(peer, most=20):
    """The registers of the newest requests."""
    return [range(asked.address, asked.address + asked.count) for asked in peer.asked[-most:]]


class TestRefusals:
    HOLE = 3
    ADDRESSES = range(8)

    def refusing(self, code):
        def device(asked, say):
            is_hole = self.HOLE in range(asked.address, asked.address + asked.count)
            say(asked.refused(code) if is_hole else asked.right())

        return device

    @pytest.mark.parametrize("code", [1, 2, 3, 4, 7, 8, 99])
    @pytest.mark.parametrize("scheme", LINES)
    def test_what_exists_beside_a_register_that_is_refused_is_read(self, scheme, code):
        with raw_line(scheme, self.refusing(code)) as peer:
            with OneBus(peer.url, profile_of(self.ADDRESSES)).polling() as bus:
                until(lambda: bus.poller.state() == f"unread: m1/voltage/a{self.HOLE}")
                until(lambda: bus.addresses() == set(self.ADDRESSES) - {self.HOLE})
                # A slow answer on a busy machine counts as a silence, after which everything is asked anew once.
                until(lambda: bus.count(1, 7) >= 10 and not any(self.HOLE in span for span in lately(peer)))
            assert bus.poller.unread() == {f"m1/voltage/a{self.HOLE}": f"exception {code} for holding {self.HOLE}+1"}
        assert bus.wrong() == []

    @pytest.mark.parametrize("most", [1, 2, 5])
    def test_a_device_that_answers_no_more_than_so_many_registers_is_read_whole(self, most):
        def device(asked, say):
            say(asked.refused(3) if asked.count > most else asked.right())

        with (
            RawTcp("modbus+tcp", device) as peer,
            OneBus(peer.url, profile_of(self.ADDRESSES), timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and all(bus.count(1, address) >= 5 for address in self.ADDRESSES))
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("scheme", LINES)
    def test_a_device_that_is_deaf_to_long_blocks_is_read_in_short_ones(self, scheme):
        def device(asked, say):
            if asked.count <= 3:
                say(asked.right())

        with (
            raw_line(scheme, device) as peer,
            OneBus(peer.url, profile_of(self.ADDRESSES), timeout_s=0.1).polling() as bus,
        ):
            until(lambda: bus.addresses() == set(self.ADDRESSES))
            until(lambda: bus.poller.state() == "ok")
        assert bus.wrong() == []

    def test_a_device_that_refuses_everything_is_not_silent_and_is_told_of(self):
        with RawTcp("modbus+tcp", lambda asked, say: say(asked.refused(2))) as peer:
            with OneBus(peer.url, profile_of(APART)).polling() as bus:
                until(lambda: bus.poller.state() == "unread: m1/voltage/a0, m1/voltage/a100, m1/voltage/a200")
                count = len(peer.asked)
                time.sleep(1)
            assert len(peer.asked) == count

    def test_a_device_that_comes_back_is_asked_again_for_what_it_refused(self):
        refuses, is_there = threading.Event(), threading.Event()
        refuses.set()
        is_there.set()

        def device(asked, say):
            if is_there.is_set():
                say(asked.refused(2) if refuses.is_set() and asked.address == 100 else asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of(APART), timeout_s=0.1).polling() as bus:
            until(lambda: bus.poller.state() == "unread: m1/voltage/a100")
            is_there.clear()
            until(lambda: "silent: m1" in bus.poller.state())
            refuses.clear()
            is_there.set()
            until(lambda: bus.poller.state() == "ok")
            assert bus.count(1, 100)

    @pytest.mark.parametrize("code", [4, 8])
    def test_a_device_that_fails_now_and_then_loses_that_reading_alone(self, code):
        def device(asked, say):
            say(asked.refused(code) if asked.n % 9 == 4 else asked.right())

        with (
            RawTcp("modbus+tcp", device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and all(bus.count(1, address) >= 12 for address in APART))
        assert (bus.states, bus.wrong()) == ({"ok"}, [])

    @pytest.mark.parametrize("code", [5, 6])
    def test_a_busy_device_is_asked_again_and_loses_nothing(self, code):
        def device(asked, say):
            say(asked.right() if asked.n % 2 else asked.refused(code))

        with (
            RawTcp("modbus+tcp", device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=PATIENT_S).polling() as bus,
        ):
            until(lambda: bus.note_state() and all(bus.count(1, address) >= 3 for address in APART))
        assert bus.states == {"ok"}

    @pytest.mark.parametrize("code", [5, 6])
    def test_a_device_that_is_busy_for_ever_is_told_of_and_is_read_once_it_is_not(self, code):
        is_busy = threading.Event()
        is_busy.set()

        def device(asked, say):
            say(asked.refused(code) if is_busy.is_set() and asked.address == 100 else asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: bus.poller.state() == "unread: m1/voltage/a100")
            is_busy.clear()
            until(lambda: bus.poller.state() == "ok" and bus.count(1, 100))

    @pytest.mark.parametrize("code", [10, 11])
    @pytest.mark.parametrize("scheme", LINES)
    def test_a_gateway_s_word_that_a_device_is_dead_is_believed_at_once(self, scheme, code):
        def device(asked, say):
            say(asked.refused(code) if asked.unit == 2 else asked.right())

        with (
            raw_line(scheme, device) as peer,
            OneBus(peer.url, profile_of(APART), (1, 2, 3), timeout_s=2 * PATIENCE_S).polling() as bus,
        ):
            until(lambda: bus.poller.state() == "silent: m2")  # a timeout would last longer than we wait
            until(lambda: bus.count(1, 200) >= 5 and bus.count(3, 200) >= 5)


class TestSlowLines:
    def test_many_blocks_on_a_slow_line_take_turns(self):
        addresses = [100 * i for i in range(14)]
        deaf = {200, 1300}

        def device(asked, say):
            time.sleep(0.08)
            if asked.address not in deaf:
                say(asked.right())

        with (
            RawTcp("modbus+rtu-over-tcp", device) as peer,
            OneBus(peer.url, profile_of(addresses), timeout_s=0.15).polling() as bus,
        ):
            until(lambda: all(bus.count(1, address) >= 2 for address in set(addresses) - deaf))
            unread = ", ".join(sorted(f"m1/voltage/a{address}" for address in deaf))
            until(lambda: bus.poller.state() == f"unread: {unread}")
        assert bus.wrong() == []

    def test_a_block_that_is_never_answered_leaves_time_for_the_others(self):
        def device(asked, say):
            if asked.address != 100:
                say(asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: bus.poller.state() == "unread: m1/voltage/a100")
            before, asked = bus.count(1, 200), len(peer.asked)
            until(lambda: bus.count(1, 200) >= before + 20)
            assert sum(one.address == 100 for one in peer.asked[asked:]) <= 2  # at 0.1 s each, and it every 30 s


class TestFrames:
    """One line after another says something else than the answer; each register keeps its own value."""

    OTHERS = {
        "doubled": lambda asked, say: say(asked.right() * 2),
        "doubled a little later": lambda asked, say: (say(asked.right()), later(0.02, say, asked.right())),
        "doubled later": lambda asked, say: (say(asked.right()), later(0.08, say, asked.right())),
        "with noise before it": lambda asked, say: say(b"\0" + asked.right()),
        "with much noise before it": lambda asked, say: say(bytes(range(7)) + asked.right()),
        "with noise after it": lambda asked, say: say(asked.right() + b"\xff\0"),
        "after an echo": lambda asked, say: say(asked.frame + asked.right()),
        "in pieces": lambda asked, say: [(say(asked.right()[i : i + 1]), time.sleep(0.01)) for i in range(7)],
        "after another unit's": lambda asked, say: say(asked.framed(asked.right()[1:-2], unit=9) + asked.right()),
        "after another function's": lambda asked, say: say(asked.right(function=4) + asked.right()),
        "after a longer one": lambda asked, say: say(asked.right(count=2) + asked.right()),
    }

    @pytest.mark.parametrize("other", OTHERS)
    @pytest.mark.parametrize("scheme", ["modbus+rtu-over-tcp", "modbus+rtu"])
    @pytest.mark.parametrize("every", [1, 5])
    def test_an_answer_is_found_among_what_comes(self, scheme, every, other):
        def device(asked, say):
            (well if asked.n % every else self.OTHERS[other])(asked, say)

        with raw_line(scheme, device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: all(bus.count(1, address) >= (8 if every > 1 else 3) for address in APART))
            until(lambda: bus.poller.state() == "ok")  # a slow answer on a busy machine counts as a silence
        assert bus.wrong() == []

    @pytest.mark.parametrize("delay_s", [0.0, 0.01, 0.05, 0.15])
    def test_one_doubled_frame_shifts_nothing(self, delay_s):
        """The answers of this meter look alike, and take a while."""

        def device(asked, say):
            time.sleep(0.05)
            say(asked.right())
            if asked.n == 4:
                later(delay_s, say, asked.right())

        with RawTcp("modbus+rtu-over-tcp", device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: bus.count(1, 200) >= 10)
        assert bus.wrong() == []

    @pytest.mark.parametrize("scheme", LINES)
    @pytest.mark.parametrize("late_s", [0.25, 0.35, 0.5])
    def test_a_late_answer_is_nobody_else_s(self, scheme, late_s):
        def device(asked, say):
            if asked.n in {4, 9}:
                later(late_s, say, asked.right())
            else:
                say(asked.right())

        with raw_line(scheme, device) as peer, OneBus(peer.url, profile_of(APART), timeout_s=0.2).polling() as bus:
            until(lambda: bus.count(1, 200) >= 8)
            until(lambda: bus.poller.state() == "ok")
        assert bus.wrong() == []

    @pytest.mark.parametrize("scheme", LINES)
    @pytest.mark.parametrize(
        "instead",
        [
            lambda asked: asked.right()[:-3],
            lambda asked: asked.framed(asked.right()[7:] if asked.scheme == "modbus+tcp" else asked.right()[1:-2], 9),
            lambda asked: asked.right(function=4),
            lambda asked: asked.right(count=2),
            lambda asked: asked.right()[:-1] + bytes((asked.right()[-1] ^ 1,)) if asked.scheme != "modbus+tcp" else b"",
            lambda asked: asked.frame,
        ],
    )
    def test_what_is_no_answer_is_none(self, scheme, instead):
        def device(asked, say):
            say(instead(asked))

        with raw_line(scheme, device) as peer, OneBus(peer.url, profile_of(APART), timeout_s=0.1).polling() as bus:
            until(lambda: bus.poller.state() == "silent: m1")
        assert bus.taken == []

    def test_an_answer_with_another_number_is_another_request_s(self):
        def device(asked, say):
            number = int.from_bytes(asked.frame[:2], "big")
            say(asked.framed(asked.right(address=5)[7:], number=(number - 1) % 65536) + asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: bus.count(1, 200) >= 8)
        assert bus.wrong() == []


class Gateway:
    """Carries one request after another to its units, and waits ``holds_s`` for a dead one; then it says so or not."""

    def __init__(self, dead, holds_s, code=None):
        self.dead, self.holds_s, self.code, self.wire = dead, holds_s, code, threading.Lock()

    def __call__(self, asked, say):
        with self.wire:
            if asked.unit not in self.dead:
                time.sleep(0.005)
                say(asked.right())
                return
            time.sleep(self.holds_s)
            if self.code:
                say(asked.refused(self.code))


class TestGateways:
    @pytest.mark.parametrize("scheme", NETWORK)
    @pytest.mark.parametrize("code", [None, 11])
    @pytest.mark.parametrize("holds_s", [0.05, 0.7])
    def test_neighbours_of_a_dead_device_are_never_called_silent(self, scheme, code, holds_s):
        with (
            RawTcp(scheme, Gateway({3}, holds_s, code)) as peer,
            OneBus(peer.url, profile_of(APART), range(1, 7), poll_s=0.5).polling() as bus,
        ):
            until(lambda: bus.note_state() and min(bus.count(u, 200) for u in (1, 2, 4, 5, 6)) >= 5)
        assert bus.states <= {"ok", "silent: m3"}
        assert bus.wrong() == []

    @pytest.mark.parametrize("code", [None, 11])
    def test_dead_devices_delay_their_neighbours_little(self, code):
        """As it is once each of them was met: they are asked where they fit between the others."""
        with (
            RawTcp("modbus+tcp", Gateway({2, 5}, 0.6, code)) as peer,
            OneBus(peer.url, profile_of([0]), range(1, 11), poll_s=1.0).polling() as bus,
        ):
            until(lambda: bus.poller.state() == "silent: m2, m5")
            begun_s = time.monotonic() + 3
            until(lambda: len([s for s, u, _, _ in list(bus.taken) if u == 1 and s > begun_s]) >= 7)
        times = {u: [s for s, one, _, _ in bus.taken if one == u and s > begun_s] for u in (1, 3, 4, 6, 7, 8, 9, 10)}
        gaps = sorted(b - a for one in times.values() for a, b in pairwise(one))
        assert gaps[int(0.9 * len(gaps))] <= (1.1 if FULL else 1.9) * 1.0  # twice as long it was before

    def test_a_slow_device_alone_on_its_bus_is_waited_for(self):
        """It takes longer than the bus says; that is learnt from its late answers."""

        def device(asked, say):
            later(0.35, say, asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of([0]), timeout_s=0.2).polling() as bus:
            until(lambda: bus.count(1, 0) >= 5)
            until(lambda: bus.poller.state() == "ok")
