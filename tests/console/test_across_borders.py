"""Every route, as every role, at a building that is not theirs: nothing leaks, and each attempt is on record."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from rigs.console_routes import routes
from rigs.patience import PATIENCE_S
from rigs.postgres_server import Databases, PostgresServer
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.visitor import post

from facility.order import OrderPlace, OrderWish, Skill
from facility.rights import ADMINISTRATORS, PERMISSIONS, Act, Role, acts_of
from facility.work import Severity
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.casebook import Casebook
from stores.records.orders.orders import Orders
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine

FOREIGN = re.compile(r"(?<![a-z])(?:office-|lab-power|Crick|Sports|Server room|Back door)")
AT = NOW + timedelta(seconds=1)
MINE, THEIRS = "lib", "office"
ATTEMPTS = 100


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def sample(request, tmp_path_factory):
    """The sample's estate and cases, in records of either kind."""
    folder = tmp_path_factory.mktemp("estate")
    if request.param == "sqlite":
        made = make_sample(folder, NOW)
        yield made
    else:
        with PostgresServer() as server:
            databases = Databases(server)
            name = databases.make()
            made = make_sample(folder, NOW, server.url(name) + f"&audit_key={folder}/audit.key")
            yield made
            made.records.dispose()
    made.store.close()
    made.records.dispose()


@pytest.fixture(scope="module")
def running(sample):
    with served(sample.store, sample.records, lambda: AT) as (address, app):
        yield address, app


@pytest.fixture(scope="module")
def client_of(running, sample):
    """Somebody of a role, signed in: an administrator for the site, everybody else in one building."""
    clients, grants, people = {}, Grants(sample.records), People(sample.records)
    sample.session("Root")

    def client(role):
        if role not in clients:
            link = people.invite(f"The {role}", NOW)
            part = (RolePart.SITE, "") if role in ADMINISTRATORS else (RolePart.BUILDING, MINE)
            grants.give(f"The {role}", Grant(role, *part), "Root", NOW)
            cookies = {"meterhouse_session": people.redeem(link, NOW, 86_400)}
            more = {"cookies": cookies, "timeout": PATIENCE_S, "trust_env": False}
            clients[role] = httpx.Client(base_url=running[0], headers={"accept": "text/html"}, **more)
        return clients[role]

    yield client
    for one in clients.values():
        one.close()


@pytest.fixture(scope="module")
def foreign(sample):
    """What a path may name, of a building that is somebody else's."""
    (item,) = Quarantine(sample.records).items(reason="malformed")
    alert = str(sample.alerts["door_left_open"].id)
    wish = OrderWish(OrderPlace(THEIRS), Skill.GENERAL, Severity.ACT, "The Crick door")
    order = Orders(sample.records).make(wish, "Root", NOW)
    return {
        "building_id": THEIRS,
        "alert_id": alert,
        "order_id": order.id,
        "file_id": 1,
        "item_id": item.id,
        "number": 987,
        "utility": "electricity",
        "name": "Root",
    }


FORM = {"acts": 0, "changes": 0, "reason": "x", "verdict": "fixed", "state": "waiting", "where": "site:"}
FORM |= {"cause": "data", "asleep_until": "1h"}
FORM |= {"role": "viewer", "grant": 1, "name": "Zed"}
OPEN = ("/static", "/sign-", "/ca", "/health", "/account", "/language", "/events", "/take", "/report")
"""Everybody's own, or nobody's; a link of a letter opens one case to whom it was sent (``test_take``)."""

NAMING = ("building_id", "alert_id", "item_id", "number", "order_id")
GATED = {"/people": Act.GRANT, "/audit": Act.READ_AUDIT, "/server": Act.TEND}
ROLES_OF_A_PART = [role for role in Role if role not in ADMINISTRATORS]


def sees_all(role):
    """The system administrator runs the whole site, and looks at all of it."""
    return role is Role.SYSTEM_ADMINISTRATOR


@pytest.mark.parametrize("role", Role)
def test_every_route_at_what_is_somebody_elses(client_of, running, foreign, role):
    """404 or 403 where it names a thing, nothing foreign in it where it does not, and every refusal is on record."""
    client = client_of(role)
    refused = 0
    for method, path in routes(running[1], foreign):
        if method not in {"GET", "POST"} or path.startswith(OPEN):
            continue
        gate = next((act for prefix, act in GATED.items() if path.startswith(prefix)), None)
        answer = client.get(path) if method == "GET" else post(client, path, **FORM)
        names_foreign = any(f"/{foreign[key]}" in path for key in NAMING)
        if gate and gate not in acts_of(role):
            assert answer.status_code == 403, (role, path)
        elif names_foreign and not sees_all(role):
            assert answer.status_code == 404, (role, path)
        if not sees_all(role) and gate is None:
            assert FOREIGN.findall(answer.text) == [], (role, path)
        refused += answer.status_code in {403, 404}
    denied = [one for one in entries(running) if one.who == f"The {role}" and one.what == "access.denied"]
    assert len(denied) == refused > 0


def entries(running):
    return running[1].state.parts.access._kept.audit.entries(limit=100_000)


@pytest.mark.parametrize("role", ROLES_OF_A_PART)
def test_a_hundred_attempts_across_a_border_leak_nothing(client_of, running, foreign, sample, role):
    client, before = client_of(role), len(entries(running))
    shapes = [
        f"/buildings/{THEIRS}", f"/alerts/{foreign['alert_id']}", f"/api/buildings/{THEIRS}/today",
        f"/api/buildings/{THEIRS}/days/electricity", f"/api/alerts/{foreign['alert_id']}/evidence",
        f"/live?of={THEIRS}", f"/events?of={THEIRS}", f"/alerts?building={THEIRS}", f"/quarantine/{foreign['item_id']}",
        f"/alerts/{foreign['alert_id']}/close",
    ]  # fmt: skip
    for n in range(ATTEMPTS):
        path = shapes[n % len(shapes)]
        answer = (
            post(client, path, acts=0, verdict="fixed", cause="data") if path.endswith("close") else client.get(path)
        )
        assert answer.status_code in {403, 404}, path
        assert FOREIGN.findall(answer.text) == []
    new = entries(running)[: len(entries(running)) - before]
    assert sum(one.what == "access.denied" and one.who == f"The {role}" for one in new) == ATTEMPTS
    assert Casebook(sample.records).alert(sample.alerts["door_left_open"].id) == sample.alerts["door_left_open"]


@pytest.mark.parametrize("role", Role)
def test_each_act_is_the_roles_that_the_table_gives_it_to(client_of, sample, role):
    """Where they may look: a case and an item of the building that is theirs."""
    client, acts = client_of(role), acts_of(role)
    case = sample.alerts["night_waste"]
    (item, *_) = Quarantine(sample.records).items(reason="out_of_range")
    looks = Act.LOOK in acts
    wanted = {
        f"/alerts/{case.id}/release": (Act.TAKE, {409}),
        f"/alerts/{case.id}/reopen": (Act.JUDGE, {409}),
        "/quarantine/replay": (Act.REPLAY, {303}),
    }
    for path, (act, allowed) in wanted.items():
        answer = post(client, path, acts=case.acts, reason="not_there")
        if act in acts and (sees_all(role) or act is not Act.REPLAY):
            assert answer.status_code in allowed, (path, role)
        elif looks or act is Act.REPLAY:
            assert answer.status_code == 403, (path, role)
        else:
            assert answer.status_code == 404, (path, role)
    assert Quarantine(sample.records).item(item.id).state == item.state
    assert Casebook(sample.records).alert(case.id).state == case.state
    assert set(PERMISSIONS) == set(Act)
