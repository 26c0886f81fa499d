"""What a reader can say of Meterhouse itself: alarms, and what is unknown; never well where nothing is seen."""

import pytest

from edge_agent.reasons import Reasons
from facility.status import AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus
from facility.system_alarm import AGENT_ALARMS, SILENCE, Outlook, Raised, SystemAlarm, Unknown, Unseen, outlook

ILL = ProcessStatus("gap_open", {"gap_open": "1, first of agent edge-1: 5 to 9", "of_a_newer_meterhouse": ""})
AGENTS = [
    AgentStatus("edge-1", "online", 3.0, {"alarm_disk_full": 1.0, "alarm_clock": 0.0, "alarm_of_a_newer_one": 1.0}),
    AgentStatus("edge-2", "offline", 3.0, {"alarm_disk_full": 1.0}),
    AgentStatus("edge-3", "online", 3.0),
]
GAP = Raised(SystemAlarm.GAP_OPEN, "", "1, first of agent edge-1: 5 to 9")


def seen(process="ingest", host="north", untold_s=1.0, up_s=500.0, status=ILL, ended=False):
    return ProcessSeen(Instance(process, host, "/data", 7), status, untold_s, up_s, ended)


WATCHES = seen("analytics", status=ProcessStatus())


def outlook_of(*processes, agents=()):
    """What is to be said of an installation whose analytics is well."""
    return outlook(Overview([*processes, WATCHES], agents))


def alarms(*processes, agents=()):
    return outlook_of(*processes, agents=agents).alarms


def test_alarms_are_the_servers_and_its_agents():
    assert outlook_of(seen(), agents=AGENTS) == Outlook(
        [GAP, Raised(SystemAlarm.DISK_FULL, "edge-1"), Raised(SystemAlarm.AGENT_OFFLINE, "edge-2")], []
    )


def test_points_that_an_agent_cannot_read_are_named_bus_by_bus():
    buses = {
        "line": "ok",
        "roof": "silent: m1; unread: m2/voltage/l2",
        "yard": "unread: m3/energy_import/total",
        "radio": "refused: m4: unit '+' is no part of a topic; else ok",
        "z": "down",
    }
    agent = AgentStatus("edge-1", "online", 3.0, {"alarm_points_unread": 1.0}, buses)
    words = "roof: silent: m1; unread: m2/voltage/l2; yard: unread: m3/energy_import/total; "
    words += "radio: refused: m4: unit '+' is no part of a topic; else ok"
    assert alarms(seen(status=ProcessStatus()), agents=[agent]) == [Raised(SystemAlarm.POINTS_UNREAD, "edge-1", words)]


def test_buses_on_which_nobody_answers_are_named():
    buses = {"line": "ok", "roof": "silent: m1; unread: m2/voltage/l2", "yard": "down"}
    agent = AgentStatus("edge-1", "online", 3.0, {"alarm_bus_silent": 1.0}, buses)
    words = "roof: silent: m1; unread: m2/voltage/l2; yard: down"
    assert alarms(seen(status=ProcessStatus()), agents=[agent]) == [Raised(SystemAlarm.BUS_SILENT, "edge-1", words)]


def test_an_agent_that_names_points_without_end_is_cut_short():
    buses = {"line": "unread: " + "m/x/y, " * 1000}
    (raised,) = alarms(
        seen(status=ProcessStatus()), agents=[AgentStatus("edge-1", "online", 3.0, {"alarm_points_unread": 1.0}, buses)]
    )
    assert len(raised.words) == 500


def test_an_ingest_that_has_told_nothing_for_a_minute_is_the_first_alarm_and_its_agents_are_unknown():
    assert outlook_of(seen(untold_s=59), agents=AGENTS).unknown == []
    silent = outlook_of(seen(untold_s=61), agents=AGENTS)
    assert silent.alarms == [Raised(SystemAlarm.INGEST_SILENT, "", "ingest@north:/data"), GAP]
    assert silent.unknown == [Unknown(Unseen.AGENTS)]


def test_one_of_two_hosts_that_is_silent_is_an_alarm_and_the_other_knows_the_agents():
    both = outlook_of(seen(untold_s=61, host="south"), seen(status=ProcessStatus()), agents=AGENTS[1:])
    assert [one.alarm for one in both.alarms][::2] == [SystemAlarm.INGEST_SILENT, SystemAlarm.AGENT_OFFLINE]
    assert both.unknown == []


@pytest.mark.parametrize("process", SILENCE)
def test_every_process_that_stops_without_a_word_is_missed(process):
    well = seen(status=ProcessStatus())
    silent = seen(str(process), "south", 61, status=ProcessStatus())
    assert Raised(SILENCE[process], "", f"{process}@south:/data") in alarms(well, silent)


def test_who_said_goodbye_is_missed_only_where_nobody_of_its_kind_is_left():
    gone, well = seen(untold_s=61, ended=True, host="south"), seen(status=ProcessStatus())
    assert alarms(gone, well) == []
    assert alarms(gone) == [Raised(SystemAlarm.INGEST_SILENT, "", "ingest@south:/data")]
    assert alarms(seen(untold_s=5, ended=True)) == []  # it is being started again


def test_where_no_ingest_and_no_analytics_have_told_nothing_is_known():
    nothing = [Unknown(Unseen.INGEST), Unknown(Unseen.ANALYTICS)]
    assert outlook(Overview()) == Outlook([], nothing)
    assert outlook(Overview([seen("console", status=ProcessStatus())], AGENTS)).unknown == nothing
    assert outlook_of(agents=AGENTS) == Outlook([], [Unknown(Unseen.INGEST)])
    assert outlook(Overview([seen()], AGENTS)).unknown == [Unknown(Unseen.ANALYTICS)]


def test_an_agent_that_is_not_heard_any_more_is_offline_whatever_it_said_last():
    quiet = [
        AgentStatus("edge-1", "online", 61.0, {"alarm_clock": 1.0}),
        AgentStatus("edge-2", "online", -3600.0),  # a clock was set back
        AgentStatus("edge-9"),  # it has never been heard
    ]
    well = seen(status=ProcessStatus())
    assert alarms(well, agents=quiet) == [Raised(SystemAlarm.AGENT_OFFLINE, one.agent) for one in quiet]
    just_started = seen(status=ProcessStatus(), up_s=20)  # nobody has listened to it for a minute yet
    assert alarms(just_started, agents=quiet) == [Raised(SystemAlarm.CLOCK, "edge-1")]


def test_an_agent_raises_what_agents_find_and_no_alarm_of_the_server():
    everything = AgentStatus("edge-1", "online", 1.0, {f"alarm_{one}": 1.0 for one in SystemAlarm})
    assert {one.alarm for one in alarms(seen(status=ProcessStatus()), agents=[everything])} == AGENT_ALARMS
    assert {"disk_full", "corrupt", "clock", "points_unread", "bus_silent", *Reasons().alarms} == AGENT_ALARMS


def test_the_same_said_by_two_processes_is_one_alarm():
    words = ProcessStatus("store_unavailable", {"store_unavailable": "it does not answer"})
    twice = alarms(seen(status=words), seen("analytics", status=words))
    assert twice == [Raised(SystemAlarm.STORE_UNAVAILABLE, "", "it does not answer")]
