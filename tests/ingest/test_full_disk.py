"""A server's disk that fills, on a real small disk: an alarm before it is full, and nothing lost when it is."""

import shutil

import pytest
from rigs.fault_rig import small_disk
from rigs.ingest_rig import Client, Ingest, batch
from rigs.patience import until

from facility import wire
from ingest import intake

MIB = 2**20


def free_mib(disk):
    return shutil.disk_usage(disk).free // MIB


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "300m") as made:
        yield made


def test_a_disk_that_is_nearly_full_is_an_alarm_and_a_full_one_keeps_readings_with_their_agent(
    disk, broker, monkeypatch
):
    monkeypatch.setattr(intake, "DISK_EVERY_S", 0.1)
    ingest, edge = Ingest(disk, broker).start(), Client(broker, "edge-1", wire.ack_topic("edge-1"))
    alarms = lambda: ingest.status.as_status(0).alarms  # noqa: E731 - asked again and again
    try:
        edge.send(batch(1, 5, ep="full"))
        until(lambda: edge.heard and edge.acks()[-1].store_hw == 5)
        assert "server_disk" not in alarms()
        (disk / "filler").write_bytes(bytes((free_mib(disk) - 250) * MIB))
        until(lambda: "server_disk" in alarms())
        assert "MiB are free in" in alarms()["server_disk"]
        fill(disk / "more")
        edge.send(batch(6, 500, ep="full"))  # more than is left of the last page of the journal
        until(lambda: "journal_unavailable" in alarms())
        assert edge.acks()[-1].journal_hw == 5, "what is not on disk is not acknowledged"
        (disk / "more").unlink()
        (disk / "filler").unlink()
        until(lambda: edge.acks()[-1].store_hw == 505)
        until(lambda: not {"server_disk", "journal_unavailable"} & alarms().keys())
        assert sum(ingest.stored().values()) == 505
    finally:
        edge.close()
        ingest.close()


def fill(path):
    """Until nothing fits any more."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        write_for_ever(file)


def write_for_ever(file):
    while True:
        file.write(bytes(MIB))
