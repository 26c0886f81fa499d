"""What does not work where a process is silent or in trouble, and how Meterhouse stands as a whole."""

import pytest

from facility.duties import Duty, Standing, standing, undone
from facility.status import AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus
from facility.system_alarm import SystemAlarm, outlook

HEARD = [AgentStatus("edge-1", "online", 1.0)]


def seen(process, *alarms, untold_s=1.0, ended=False):
    status = ProcessStatus(alarms[0] if alarms else "running", dict.fromkeys(alarms, "why"))
    return ProcessSeen(Instance(process, "north", "/data", 7), status, untold_s, 500.0, ended)


def stands(*processes, agents=HEARD):
    overview = Overview(processes, agents)
    return standing(overview, outlook(overview))


@pytest.mark.parametrize(
    ("process", "duties"),
    [
        ("ingest", [Duty.INTAKE, Duty.STORING]),
        ("analytics", [Duty.ALERTS, Duty.FIGURES]),
        ("console", [Duty.PAGES]),
        ("of_a_newer_meterhouse", []),
    ],
)
def test_who_tells_no_more_does_nothing_and_is_called_so(process, duties):
    for gone, word in ((seen(process, untold_s=61.0), "silent"), (seen(process, ended=True), "ended")):
        assert (undone(gone), gone.state) == (duties, word)
    assert (undone(seen(process)), seen(process).state) == ([], "running")


def test_an_alarm_stops_what_it_stops_and_no_duty_of_another():
    assert undone(seen("ingest", SystemAlarm.STORE_UNAVAILABLE)) == [Duty.STORING]
    assert undone(seen("analytics", SystemAlarm.STORE_UNAVAILABLE)) == [Duty.FIGURES]
    assert undone(seen("analytics", SystemAlarm.BROKER_REFUSES)) == []
    assert undone(seen("ingest", SystemAlarm.GAP_OPEN)) == []


def test_well_degraded_and_down():
    well = seen("ingest"), seen("analytics")
    assert stands(*well) is Standing.WELL
    assert stands(seen("ingest"), seen("analytics", untold_s=840.0)) is Standing.DEGRADED
    assert stands(seen("ingest")) is Standing.DEGRADED, "nobody knows whether readings are looked at"
    assert stands(*well, agents=[AgentStatus("edge-1", "offline", 1.0)]) is Standing.DEGRADED
    assert stands(seen("ingest", SystemAlarm.STORE_UNAVAILABLE), seen("analytics")) is Standing.DEGRADED
    for alarm in (SystemAlarm.BROKER_REFUSES, SystemAlarm.BROKER_UNREACHABLE, SystemAlarm.JOURNAL_UNAVAILABLE):
        assert stands(seen("ingest", alarm), seen("analytics")) is Standing.DOWN
    assert stands(seen("ingest", untold_s=61.0), seen("analytics")) is Standing.DOWN
    assert stands(seen("analytics")) is Standing.DOWN
    assert stands(seen("ingest", untold_s=61.0), *well) is Standing.DEGRADED, "another one takes readings in"
