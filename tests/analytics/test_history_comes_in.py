"""Between the moment at which history is all there and its rollups: no hour is looked through before they are made."""

from types import SimpleNamespace

from rigs.rollup_hall import batch, estate, ms, steady

from analytics.live import Watch
from facility.status import AgentStatus
from stores.readings.memory import MemoryStore
from stores.records.casebook import Casebook
from stores.records.status.watched import Watches


class HeardLate(MemoryStore):
    """A store that lets something happen while it is asked what changed."""

    meanwhile = staticmethod(lambda: None)

    def changes(self, cursor):
        self.meanwhile()
        return super().changes(cursor)


def test_hours_are_looked_through_only_once_history_that_has_just_come_in_is_rolled_up(records):
    done, looked, replays = [], [], {"history_open": 1.0, "history_rows": 9.0}
    rollups = SimpleNamespace(update=lambda ranges, **_: done.append(ranges), is_kept=lambda _: True, take_changed=dict)
    store = HeardLate()
    watch = Watch(
        store,
        rollups,
        Casebook(records),
        estate(),
        Watches(records),
        step_days=30,
        agents=lambda: [AgentStatus("edge-1", "online", 1.0, replays)],
    )
    watch._look_through = lambda hour_ms, now_ms: looked.append(len(done))
    now_ms = ms("2026-04-20T10:05")
    watch.follow(now_ms)
    watch.look_through(now_ms)
    store.write(batch("m0/energy_import/total", *steady("2026-03-20T00:00", "2026-04-20T10:00")))
    replays["history_open"] = 0.0
    store.meanwhile = lambda: watch.look_through(now_ms + 2_000)
    watch.follow(now_ms + 2_000)
    watch.look_through(now_ms + 2_000)
    assert looked == []
    watch.roll_up(now_ms + 2_000)
    watch.look_through(now_ms + 2_000)
    assert looked == [1]
