"""Every route, as every role, at a building that is not theirs: nothing leaks, and each attempt is on record."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from rigs.console_routes import routes
from rigs.patience import PATIENCE_S
from rigs.photos import jpeg
from rigs.postgres_server import Databases, PostgresServer
from rigs.sample import NOW, make_sample
from rigs.serving import served
from rigs.visitor import post

from accounting.spells import Outcome, Spell
from console.guard import csrf_token
from facility.model import ReadingBatch
from facility.order import OrderPlace, OrderState, OrderWish, Skill
from facility.rights import ADMINISTRATORS, PERMISSIONS, Act, Role, acts_of
from facility.work import Severity
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.spells import Spells
from stores.records.accounting.tables import adjustment
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.casebook import Casebook
from stores.records.database import writing
from stores.records.imports.book import Imports, ProposedImport
from stores.records.orders.order_files import OrderFiles
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
def numbers(sample):
    """An import, a register in doubt and a proposed entry of that building, by the page of each."""
    point = "office-power/energy_import/total"
    batch = ReadingBatch([point], [0], [0], [1.0])
    doubt = Spell(1_790_000_000_000, 1_790_000_900_000, None, 61_234.5, 0.0, Outcome.IN_DOUBT)
    Spells(sample.records).replace(point, 0, 2**62, [doubt])
    values = {"building": THEIRS, "utility": "electricity", "meter": "office-power", "at": NOW, "month": "2026-09"}
    values |= {"quantity": "energy_import", "reason": "r", "differences": {}}
    values |= {"state": "proposed", "decided_by": "", "decision": ""}
    with writing(sample.records) as connection:
        connection.execute(sa.insert(adjustment).values(values))
    (entry,) = Proposals(sample.records).open_ones()
    wanted = ProposedImport("Crick.csv", "d", "register", batch)
    return {
        "imports": Imports(sample.records).propose(wanted, "Root", NOW),
        "spells": Spells(sample.records).asked([point])[0].number,
        "entries": entry.number,
    }


@pytest.fixture(scope="module")
def foreign(sample):
    """What a path may name, of a building that is somebody else's."""
    (item,) = Quarantine(sample.records).items(reason="malformed")
    alert = str(sample.alerts["door_left_open"].id)
    wish = OrderWish(OrderPlace(THEIRS), Skill.GENERAL, Severity.ACT, "The Crick door", alert=UUID(alert))
    order = Orders(sample.records).make(wish, "Root", NOW)
    photo = OrderFiles(sample.records).add(order.id, "Crick.jpg", jpeg(), "Root", NOW)
    return {
        "building_id": THEIRS,
        "alert_id": alert,
        "order_id": order.id,
        "file_id": photo,
        "item_id": item.id,
        "number": NUMBER,
        "utility": "electricity",
        "name": "Root",
    }


FORM = {"acts": 0, "changes": 0, "reason": "x", "verdict": "fixed", "state": "waiting", "where": "site:"}
FORM |= {"cause": "data", "asleep_until": "1h"}
FORM |= {"role": "viewer", "grant": 1, "name": "Zed", "stars": 1, "to": "Root", "skill": "general", "severity": 3}
OPEN = re.compile(r"/(?:static|sign-in|sign-out|ca|ca\.crt|ca\.svg|health|account|language|events|take|report)(?:/|$)")
"""Everybody's own, or nobody's; a link of a letter opens one case to whom it was sent (``test_take``)."""

NUMBER = 987_654
"""Stands in paths for the number of what such a path names."""

NAMING = ("building_id", "alert_id", "item_id", "order_id")
GATED = {"/people": Act.GRANT, "/audit": Act.READ_AUDIT, "/server": Act.TEND}


def sees_all(role):
    """The system administrator runs the whole site, and looks at all of it."""
    return role is Role.SYSTEM_ADMINISTRATOR


@pytest.mark.parametrize("role", Role)
def test_every_route_at_what_is_somebody_elses(client_of, running, foreign, numbers, role):
    """404 or 403 where it names a thing, nothing foreign in it where it does not, and every refusal is on record."""
    client = client_of(role)
    refused = 0
    for method, written in routes(running[1], foreign):
        if method not in {"GET", "POST"} or OPEN.match(written):
            continue
        numbered = f"/{NUMBER}" in written
        path = written.replace(str(NUMBER), str(numbers.get(written.split("/")[1], NUMBER)))
        gate = next((act for prefix, act in GATED.items() if path.startswith(prefix)), None)
        answer = client.get(path) if method == "GET" else post(client, path, **FORM)
        names_foreign = numbered or any(f"/{foreign[key]}" in path for key in NAMING)
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


def shapes_of(foreign, numbers):
    """Ways to somebody else's building: to look (GET), by a form (POST), and as a program (JSON)."""
    case, order, photo = foreign["alert_id"], foreign["order_id"], foreign["file_id"]
    looks = [
        f"/buildings/{THEIRS}", f"/buildings/{THEIRS}/account", f"/alerts/{case}", f"/alerts?building={THEIRS}",
        f"/live?of={THEIRS}", f"/events?of={THEIRS}", f"/quarantine/{foreign['item_id']}",
        f"/api/buildings/{THEIRS}/today", f"/api/buildings/{THEIRS}/days/electricity", f"/api/alerts/{case}/evidence",
        f"/api/cases/{case}", f"/api/cases/{case}/steps", f"/api/cases?building={THEIRS}", f"/orders/{order}",
        f"/orders/{order}/files/{photo}", f"/api/orders/{order}", f"/orders/new?alert={case}",
        *(f"/{page}/{number}" for page, number in numbers.items()),
    ]  # fmt: skip
    forms = [f"/alerts/{case}/close", f"/alerts/{case}/acknowledge", f"/alerts/{case}/weekly"]
    forms += [f"/orders/{order}/{act}" for act in ("accept", "give", "finish", "rate", "call_off")]
    forms += [f"/quarantine/{foreign['item_id']}/discard", f"/imports/{numbers['imports']}/confirm"]
    forms += [f"/spells/{numbers['spells']}/accept", f"/entries/{numbers['entries']}/accept"]
    said = {"acts": 0, "reason": "x", "to": "x", "verdict": "fixed", "cause": "data"}
    bodies = [f"/api/cases/{case}/close", f"/api/cases/{case}/take"]
    bodies += [f"/api/orders/{order}/{act}" for act in ("accept", "give", "finish")]
    return [
        *(("GET", path, {}) for path in looks),
        *(("FORM", path, FORM) for path in forms),
        ("FORM", "/orders", FORM | {"where": THEIRS, "title": "x"}),
        *(("JSON", path, said) for path in bodies),
        ("JSON", "/api/orders", {"title": "x", "where": THEIRS}),
    ]


def tried(client, way, path, said):
    if way == "GET":
        return client.get(path)
    if way == "FORM":
        return post(client, path, **said)
    return client.post(path, json=said, headers={"x-csrf-token": csrf_token(client.cookies["meterhouse_session"])})


@pytest.mark.parametrize("role", [role for role in Role if not sees_all(role)])
def test_a_hundred_attempts_across_a_border_leak_nothing(client_of, running, foreign, numbers, sample, role):
    client, before = client_of(role), len(entries(running))
    shapes = shapes_of(foreign, numbers)
    for n in range(ATTEMPTS):
        way, path, said = shapes[n % len(shapes)]
        answer = tried(client, way, path, said)
        assert answer.status_code in {403, 404}, (way, path, answer.text)
        assert FOREIGN.findall(answer.text) == []
    new = entries(running)[: len(entries(running)) - before]
    assert sum(one.what == "access.denied" and one.who == f"The {role}" for one in new) == ATTEMPTS
    assert Casebook(sample.records).alert(sample.alerts["door_left_open"].id) == sample.alerts["door_left_open"]
    assert [(one.id, one.state) for one in Orders(sample.records).of()] == [(foreign["order_id"], OrderState.WAITING)]
    assert [one.number for one in Proposals(sample.records).open_ones()] == [numbers["entries"]]


def test_who_runs_the_server_changes_nothing_that_is_another_administrators(client_of, running, sample):
    """They see the whole site: what is not theirs is to grant, to read the trail and to sign it."""
    client, before = client_of(Role.SYSTEM_ADMINISTRATOR), len(entries(running))
    ways = [("GET", path, {}) for path in ("/people", "/people/Root", "/audit", "/audit.csv", "/audit/whole")]
    acts = ("give", "take", "close", "sign-out", "forget-phone", "link")
    ways += [("FORM", path, FORM) for path in ("/people", "/audit/checkpoint", *(f"/people/Root/{a}" for a in acts))]
    grants = Grants(sample.records).all_of()
    for n in range(ATTEMPTS):
        assert tried(client, *ways[n % len(ways)]).status_code == 403
    new = entries(running)[: len(entries(running)) - before]
    assert [one.what for one in new] == ["access.denied"] * ATTEMPTS
    assert Grants(sample.records).all_of() == grants


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
