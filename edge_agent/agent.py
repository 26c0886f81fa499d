"""The agent as a whole: its buses, its outbox and its link to the server, started and stopped in order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from edge_agent.devices import devices_of, refused_on
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import AskingDriver, BusSeat, TellsUnread
from edge_agent.drivers.unread import first_of
from edge_agent.history import History
from edge_agent.mute import MuteBuses
from edge_agent.outbox.outbox import Outbox
from edge_agent.poller import Poller
from edge_agent.publisher import Publisher
from edge_agent.server_watch import NOTE, ServerWatch
from edge_agent.status import figures
from edge_agent.suspicion import Suspicion
from edge_agent.window import SendWindow
from edge_agent.writer import Writer
from facility import wire
from facility.protocols import protocol_of
from facility.quantities import GREATEST_RATES, Kind
from facility.register import most_per_hour
from facility.system_alarm import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_agent.clock import ReadingClock
    from edge_agent.drivers.base import ListeningDriver
    from edge_agent.outbox.outbox import Sample
    from edge_agent.settings import EdgeSettings
    from facility.catalogue import Bus, Catalogue
    from facility.profile import DeviceProfile


log = structlog.get_logger()


class EdgeAgent:
    """Everything that runs in one edge process. Constructing connects nowhere; it opens the outbox."""

    def __init__(
        self,
        settings: EdgeSettings,
        extract: Catalogue,
        profiles: Mapping[str, DeviceProfile],
        *,
        clock: ReadingClock,
        boot: str,
        monotonic: Callable[[], float],
        version: str,
    ) -> None:
        self._id, self.clock, self._monotonic = settings.agent, clock, monotonic
        states = [p.id for p in extract.points if p.quantity.kind in {Kind.STATE, Kind.EVENT}]
        self.outbox = Outbox(settings.data / "outbox.db", clock.now_ms(), kept=states, room=settings.room)
        self.window = SendWindow(
            self.outbox,
            self._id,
            batches=settings.window_batches,
            rows=settings.batch_rows,
            silence_s=settings.silence_s,
            backlog_rate=settings.backlog_rate,
            backlog_delay_s=settings.backlog_delay_s,
            clock=clock.state,
        )
        self.server = ServerWatch(monotonic, 60 * settings.server_gone_minutes, settings.data / NOTE, boot)
        self.publisher = Publisher(
            settings.broker,
            self._id,
            self.outbox,
            self.window,
            monotonic=monotonic,
            status=self.status,
            command=self.command,
            points=len(extract.points),
            version=version,
            server=self.server,
        )
        self.writer = Writer(self.outbox, self.publisher.wake, clock, boot, commit_s=settings.commit_s)
        greatest = {
            p.id: most_per_hour(extract.meter[p.meter], p.quantity)
            for p in extract.points
            if p.quantity in GREATEST_RATES
        }
        self._suspicion = Suspicion(greatest, self.outbox.reader.newest_good())
        self._ranges = {point.id: point.range for point in extract.points}
        self.paused = False
        self._rounds: dict[str, tuple[int, float]] = {}
        self._refused: dict[str, dict[str, str]] = {}
        self._mute = MuteBuses(monotonic)
        self._points_of = Counter(point.meter for point in extract.points)
        self.buses: dict[str, Poller | ListeningDriver] = {}
        for bus in extract.agent[self._id].buses:
            self.buses[bus.id] = self._open(bus, extract, profiles)
        self.history: History | None = None
        if settings.replay is not None:
            self.history = History(
                settings.replay,
                self.outbox,
                self.publisher.wake,
                most_unstored_rows=settings.most_unstored_rows // 2,
            )
            self.buses["replay"] = self.history.driver

    def start(self) -> None:
        """Begin: first what keeps, then what sends, then what reads."""
        self.writer.start()
        self.publisher.start()
        for bus in self.buses.values():
            bus.start()

    def stop(self) -> None:
        """End in the opposite order; what was read is on disk when this returns."""
        for bus in reversed(self.buses.values()):
            bus.stop()
        self.writer.stop()
        self.publisher.stop()
        self.outbox.close()

    def tick(self) -> None:
        """What is done now and then by whoever waits."""
        self.server.look()
        if self.history is not None and self.history.has_just_arrived(self._monotonic()):
            self.publisher.tell_soon()  # others wait for it

    def is_alive(self) -> bool:
        """Whether every thread that must run does."""
        return all(part.is_alive for part in self._parts().values())

    def still_s(self) -> float:
        """For how long the slowest of its threads has not come round, as far as was looked: ask often."""
        now = self._monotonic()
        for name, part in self._parts().items():
            if name not in self._rounds or self._rounds[name][0] != part.rounds:
                self._rounds[name] = part.rounds, now
        return max(now - moved for _, moved in self._rounds.values())

    def _parts(self) -> dict[str, Writer | Publisher | Poller]:
        pollers = {f"bus {name}": bus for name, bus in self.buses.items() if isinstance(bus, Poller)}
        return {"writer": self.writer, "publisher": self.publisher, **pollers}

    def command(self, do: str) -> None:
        """``pause`` stops reading while the outbox goes on draining; ``resume`` undoes it."""
        self.paused = do == "pause"
        for bus in self.buses.values():
            bus.pause(paused=self.paused)

    def status(self) -> wire.Status:
        """Health figures as of now."""
        return wire.Status(
            v=wire.VERSION,
            dev=self._id,
            state="online",
            at_ms=self.clock.now_ms(),
            figures=figures(
                self.outbox,
                self.window,
                self.publisher,
                self.writer,
                self.clock,
                self.history,
                paused=self.paused,
                unread=self._unread_points(),
                mute_buses=self._mute.count(self.buses),
            ),
            buses={name: self._state(name, bus.state()) for name, bus in self.buses.items()},
        )

    def _state(self, bus: str, state: str) -> str:
        """How a bus fares, with the devices that are not read at all for their address."""
        refused = self._refused.get(bus, {})
        return f"{REFUSED}: {first_of(refused)}; else {state}" if refused else state

    def _unread_points(self) -> int:
        """How many points cannot be read, those of refused devices among them."""
        refused = sum(self._points_of[meter] for meters in self._refused.values() for meter in meters)
        return refused + sum(len(bus.unread()) for bus in self.buses.values() if isinstance(bus, TellsUnread))

    def _put(self, samples: Sequence[Sample]) -> None:
        self.writer.put(self._suspicion.judge(samples))

    def _is_plausible(self, point: str, t_ms: int, x: float) -> bool:
        """Whether the server will take a value for true: the gate there asks for its range, we for what it follows."""
        low, high = self._ranges[point]
        return low <= x <= high and not self._suspicion.contradicts(point, t_ms, x)

    def _open(self, bus: Bus, extract: Catalogue, profiles: Mapping[str, DeviceProfile]) -> Poller | ListeningDriver:
        make = DRIVERS[protocol_of(bus)]
        refused = self._refused[bus.id] = refused_on(extract, bus)
        for meter, why in refused.items():
            log.error("device_refused", meter=meter, error=why)
        devices = devices_of(extract, profiles, bus, without=refused)
        seat = BusSeat(bus, devices, self._put, self.clock.stamp, self._monotonic, self._is_plausible)
        driver = make(seat)
        return Poller(driver, seat) if isinstance(driver, AskingDriver) else driver
