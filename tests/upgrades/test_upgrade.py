"""A data folder of an earlier release is taken over whole: made by ``make_folder.py`` with that release's own code.

Ingest was killed there, the agent still held readings and a person's wish waited: the new processes go on from it.
"""

import re
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.released_town import FAR_MS, RELEASES, unpacked
from rigs.servers import Mosquitto, need_mosquitto

from accounting.spells import Outcome
from facility.ledger.installation import history_of
from facility.model import Name
from facility.status import ServerProcess
from facility.work import AlertState, Verdict
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.people import People
from stores.records.quarantine.item import ItemState
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

ENERGY = "main/energy_import/total"


@pytest.fixture
def town(tmp_path):
    return unpacked(RELEASES[0], tmp_path)


@pytest.fixture(params=RELEASES)
def each_town(request, tmp_path):
    return unpacked(request.param, tmp_path)


def test_all_that_people_entered_stands_after_the_upgrade(town):
    with town.records() as engine:
        assert Audit(engine).verify()
        catalogue = Registry(engine).load()
        assert [building.id for building in catalogue.buildings] == ["hall"]
        assert catalogue.site.banner == Name("Heating works until May", "供暖改造至五月")
        first, second = history_of(catalogue.meter["main"], catalogue.installations)
        assert (second.serial, second.since) == ("B2", datetime.fromisoformat(town.facts["swap_at"]))
        assert first.serial == ""
        alerts = {alert.state: alert for alert in Casebook(engine).alerts()}
        assert alerts.keys() == {AlertState.CLOSED, AlertState.ACKNOWLEDGED}
        closed = alerts[AlertState.CLOSED]
        assert (closed.verdict, closed.verdict_note) == (Verdict.FALSE_ALARM, "a tap was left open")
        assert alerts[AlertState.ACKNOWLEDGED].acknowledged_by == "Ada"
        assert [event.what for event in Casebook(engine).timeline(closed.id)] == ["opened", "resolved", "closed"]
        assert People(engine).person(town.facts["session"], town.made_at).name == "Ada"
        assert ClosedMonths(engine).closed_month("hall", town.facts["closed_month"])
        states = {item.state for item in Quarantine(engine).items(standing=None)}
        assert states == {ItemState.DISCARDED, ItemState.ASKED}


def test_the_bill_of_the_closed_month_reads_as_it_was_handed_in(town):
    said = town.command("account", "report", "--building", "hall", "--month", town.facts["closed_month"])
    charged, known = said.stdout.split("how it is known")
    charged_then, known_then = town.facts["bill"].split("how it is known")
    assert charged == charged_then, said.stderr
    notes, notes_then = (one.partition("note: ")[2] for one in (known, known_then))
    assert notes == re.sub(r"(\d+) hours are missing;", r"missing hours: \1;", notes_then)  # as it is worded now
    then = known_then.replace("0.1638", "16.38").replace("0.8362", "83.62")  # shares were no percentages then
    then = then.replace("23:00", "22:00").replace(
        "01:00", "00:00"
    )  # its clocks went back on the 25th: it said summer time
    assert set(re.findall(r"[0-9][0-9:.-]+", then)) <= set(re.findall(r"[0-9][0-9:.-]+", known))


def test_every_reading_arrives_and_the_waiting_wish_is_carried_out(each_town):
    need_mosquitto()
    town = each_town
    before = {point: len(rows) for point, rows in town.stored().items()}
    assert before != {point: len(rows) for point, rows in town.facts["readings"].items()}, "nothing is left to arrive"
    with ExitStack() as running:
        broker = running.enter_context(Mosquitto())
        running.enter_context(town.process("ingest", town.env, broker))
        running.enter_context(town.process("edge_agent", town.edge_env, broker))
        town.until(lambda: town.stored() == town.facts["readings"])
        with town.records() as engine:
            quarantine = Quarantine(engine)
            # It cannot be stored now either: it waits again, with its reason.
            town.until(lambda: ItemState.WAITING in {item.state for item in quarantine.items()})
            items = quarantine.items(standing=None)
            town.until(lambda: told_by(engine)["stored"] == sum(map(len, town.facts["readings"].values())))
            assert told_by(engine)["confirmed"] == told_by(engine)["stored"]  # the old file said that all went here
            assert not (town.home / "data" / "ingest.json").exists()
    refused = sum(item.count for item in items if item.state is not ItemState.REPLAYED)
    assert refused == len(town.facts["refused"])


def told_by(engine):
    """The figures that ingest tells of itself."""
    return next((one.status.figures for one in StatusBoard(engine).overview().of(ServerProcess.INGEST)), {"stored": 0})


def test_analytics_goes_on_and_the_figures_are_those_of_the_registers(town):
    with town.records() as engine:
        catalogue = Registry(engine).load()
        closing_read = history_of(catalogue.meter["main"], catalogue.installations)[1].closing
    rows = town.facts["readings"][ENERGY]
    with ExitStack() as running:
        need_mosquitto()
        broker = running.enter_context(Mosquitto())
        for module, env in (("ingest", town.env), ("edge_agent", town.edge_env)):
            running.enter_context(town.process(module, env, broker))
        town.until(lambda: town.stored() == town.facts["readings"])
        running.enter_context(town.process("analytics", town.env, broker))
        # The old device from its first reading to its closing read, the new one from 0 to its newest. What the release
        # booked for half a day of zeros stays in the closed month, and is proposed to be taken out of it.
        used = closing_read - rows[0][1] + rows[-1][1]
        town.until(lambda: abs(hourly_use(town) + proposed_use(town) - used) < 1e-6)
        town.until(lambda: is_judged(town))
    with town.records() as engine:
        (proposal,) = Proposals(engine).open_ones()
        assert (proposal.meter, proposal.month) == ("main", town.facts["closed_month"])
        assert proposal.sum_of("qty") < -1_000, "the lifetime of the register"
        assert ClosedMonths(engine).adjustments("hall", town.made_at, datetime.now(UTC)) == []
        outcomes = [(one.point, one.spell.outcome) for one in Spells(engine).all_of()]
        assert outcomes == [(ENERGY, Outcome.FALSE)]
        flows = [alert for alert in Casebook(engine).alerts() if alert.detector == "continuous_flow"]
    assert len(flows) == 2  # the hours that were looked at before raise nothing again


def proposed_use(town):
    """Of the electricity meter, in closed months."""
    with town.records() as engine:
        return sum(one.sum_of("qty") for one in Proposals(engine).open_ones() if one.meter == "main")


def is_judged(town):
    """Whether every counter was judged anew."""
    with town.records() as engine:
        found = Recomputations(engine).newest()
    return any(one.proposes for one in found) and all(one.finished_at for one in found)


def hourly_use(town):
    with closing(open_readings(town.env["METERHOUSE_STORE"])) as store:
        found = store.read_rollup("usage_1h", {"meter": "main", "quantity": "energy_import"}, 0, FAR_MS, ("qty",))
    return sum(float(np.nansum(series.fields["qty"])) for series in found)
