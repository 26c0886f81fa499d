"""The dispatcher is killed at any statement, again and again: each alarm is one order, of one person, told once."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from rigs.dispatch_desk import DispatchDesk
from rigs.trials import FULL, seeded

from facility.order import OrderState
from stores.records.letters.tables import letter
from stores.records.orders.orders import Orders
from stores.records.orders.tables import letter_offer, order_offer

KILLS = 200 if FULL else 12
EACH = 4
"""So many kills for each alarm that is raised."""

LAST = 60
"""To order, offer and tell of one alarm takes fewer statements than this."""

RIGS = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_kills_at_any_statement_assign_each_alarm_once_and_lose_no_message(records, tmp_path):
    desk, chance = DispatchDesk(records, NOW), seeded()
    for name in ("ann", "bea", "cid"):
        desk.person(name, most_a_day=99)
    command = [sys.executable, "-m", "rigs.mortal_dispatcher", f"sqlite:///{tmp_path}/records.db", NOW.isoformat()]
    places = {"PYTHONPATH": f"{RIGS.parent}:{RIGS}"}
    raised, ends = [], []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **places}
    ) as lives:
        for n in range(KILLS):
            if n % EACH == 0:
                raised.append(desk.find(detector=f"d{n}").id)
            ends.append(_life(lives, chance.randint(1, LAST)))
        assert _life(lives, 0) == "0"
        lives.stdin.close()
    assert ends.count("killed") >= KILLS // 2
    orders = Orders(records).of()
    assert sorted(one.wish.alert for one in orders) == sorted(raised)
    assert {one.state for one in orders} == {OrderState.OFFERED}
    with records.connect() as connection:
        offers = connection.execute(sa.select(order_offer.c.id, order_offer.c.standing, order_offer.c.name)).all()
        bound = connection.execute(sa.select(letter_offer.c.offer).join(letter)).scalars().all()
    assert sorted(one.standing for one in offers) == sorted(one.id for one in orders)
    assert {one.standing: one.name for one in offers} == {one.id: one.assignee for one in orders}
    assert sorted(bound) == sorted(one.id for one in offers), "each offer is in one letter"


def _life(lives, killed_at):
    lives.stdin.write(f"{killed_at}\n")
    lives.stdin.flush()
    return lives.stdout.readline().strip()
