"""An outbox that is put back to an older copy, or copied to a second device, gives no number that the server has."""

import shutil
import time
from contextlib import contextmanager

import pytest
from rigs.ingest_rig import NOW_MS, POWER
from rigs.patience import until

from edge_agent.outbox.outbox import Outbox
from edge_agent.publisher import Publisher
from edge_agent.window import SendWindow
from facility import wire


def samples(first, last):
    return [(POWER, NOW_MS - 3_600_000 + 1000 * i, float(i), 0) for i in range(first, last + 1)]


@contextmanager
def opened(folder):
    box = Outbox(folder / "outbox.db", NOW_MS)
    try:
        yield box
    finally:
        box.close()


@contextmanager
def online(box, broker):
    window = SendWindow(box, "edge-1", silence_s=0.5)
    publisher = Publisher(
        broker.url_for("edge-1"),
        "edge-1",
        box,
        window,
        monotonic=time.monotonic,
        status=lambda: wire.Status(v=1, dev="edge-1", state="online"),
        command=lambda _: None,
    )
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()


def bring(box, broker):
    """Stay online until the server has stored everything."""
    with online(box, broker):
        until(lambda: box.newest == box.store_hw and box.unconfirmed_from is None)


def values(ingest):
    return sorted(ingest.readings.read([POWER], 0, 2**62)[POWER].x.tolist())


@pytest.mark.parametrize("starts_offline", [1, 2], ids=["read on at once", "started once more before it was online"])
def test_what_an_older_copy_reads_on_offline_is_stored_under_a_new_epoch(tmp_path, ingest, broker, starts_offline):
    device, copy = tmp_path / "device", tmp_path / "copy"
    device.mkdir()
    with opened(device) as box:
        box.commit(samples(1, 100))
        bring(box, broker)
    shutil.copytree(device, copy)  # a snapshot, or the SD card's image
    with opened(device) as box:
        box.commit(samples(101, 138))
        bring(box, broker)
        epoch = box.epoch
    shutil.rmtree(device)
    copy.rename(device)
    for start in range(starts_offline):
        with opened(device) as box:
            box.commit(samples(139 + 38 * start, 176 + 38 * start))
    with opened(device) as box:
        bring(box, broker)
        assert box.epoch != epoch
    assert values(ingest) == [float(i) for i in range(1, 139 + 38 * starts_offline)]


def test_of_two_devices_with_copies_of_one_outbox_the_second_begins_an_epoch_of_its_own(tmp_path, ingest, broker):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with opened(first) as box:
        box.commit(samples(1, 10))
        bring(box, broker)
    shutil.copytree(first, second)
    with opened(first) as one, opened(second) as other:
        one.commit(samples(11, 20))
        bring(one, broker)
        other.commit(samples(31, 50))
        bring(other, broker)
        one.commit(samples(51, 60))
        bring(one, broker)
        assert one.epoch != other.epoch
    assert values(ingest) == [float(i) for i in [*range(1, 21), *range(31, 61)]]


def test_nothing_is_sent_before_the_server_has_said_how_far_it_knows_the_outbox(tmp_path, broker, connect):
    with opened(tmp_path) as box:
        box.commit(samples(1, 5))
    listener = connect("ingest", "meterhouse/1/up/edge-1/live", "meterhouse/1/up/edge-1/backlog")
    with opened(tmp_path) as box, online(box, broker) as publisher:
        until(lambda: publisher.link.is_up)
        time.sleep(0.5)
        assert not listener.heard
        assert box.unconfirmed_from == 5
