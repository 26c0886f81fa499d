"""Where views come from: who somebody is, what they may see, and the estate as it stands now."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from accounting.local_time import zone_called
from facility.errors import ConfigError
from facility.trees import Trees
from stores.access.important import ReadTrail
from stores.access.people import AccountBook
from stores.access.scope import EVERYTHING, Scope, Sight, rights_by, sight_of
from stores.access.view import Kept, View
from stores.readings.live import LiveValues
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.proposals import Proposals
from stores.records.accounting.spells import Spells
from stores.records.accounts.grants import Grants, RolePart
from stores.records.accounts.tokens import NO_BROWSER, SECOND_FACTOR
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.errands import Errands
from stores.records.imports.book import Imports
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.order_files import OrderFiles
from stores.records.orders.orders import Orders
from stores.records.orders.report_places import ReportPlaces
from stores.records.people import DAY_S, People
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from facility.catalogue import Catalogue
    from facility.order import OrderPlace, OrderWish
    from stores.access.scope import Rights
    from stores.mailbox import Mailbox
    from stores.readings.port import ReadingStore
    from stores.records.accounts.identities import Identity
    from stores.records.accounts.tokens import Browser
    from stores.records.people import Person


SecondFactorOf = Literal["administrators", "nobody"]
"""Whose roles hold only once a code of a phone was shown; ``nobody`` is for trials."""

ALL = frozenset({EVERYTHING})


class Access:
    """The door to what is kept. It lets people in and out, and gives each a view of what is theirs to see."""

    def __init__(
        self,
        store: ReadingStore,
        records: Engine,
        live: LiveValues,
        rights_of: Callable[[str], Rights],
        clock: Callable[[], datetime],
        *,
        idle_s: float = DAY_S,
        second_factor: SecondFactorOf = "administrators",
        mailbox: Mailbox | None = None,
    ) -> None:
        """``rights_of`` tells by a person's name what they may see and do; ``clock`` dates what they read.

        Who is idle for ``idle_s`` is signed out; ``second_factor`` says whose roles need a code of a phone; ``mailbox``
        holds the letters of a demo.
        """
        self._idle_s, self._second_factor = idle_s, second_factor
        people, audit = People(records), Audit(records)
        self._sights, self._take_links = Sights(Registry(records)), TakeLinks(records)
        self._kept = Kept(
            store,
            Casebook(records),
            Quarantine(records),
            Errands(records),
            people,
            StatusBoard(records),
            Spells(records),
            Proposals(records),
            AccountBook(records, people, self._sights.whole),
            audit,
            ReadTrail(audit, clock),
            Imports(records),
            ClosedMonths(records),
            Orders(records),
            OrderFiles(records),
            ReportPlaces(records),
            Roster(records),
            self._sights.whole,
            mailbox,
        )
        self._people, self._live, self._rights_of = people, live, rights_of

    def view(self, person: str, proof: str = "") -> View:
        """What a person sees now who came in so (``Person.proof``)."""
        whole = self._rights_of(person)
        is_proved = self._second_factor == "nobody" or proof == SECOND_FACTOR
        rights = whole if is_proved else whole.without_phone
        view = View(self._kept, person, rights, self._sights.of(rights.scopes), self._live.picture)
        view.waits_for_phone = rights != whole
        return view

    def waits_for_phone(self, person: Person) -> bool:
        """Whether somebody who came in so has a role that holds once they have shown a code of their phone."""
        return self.view(person.name, person.proof).waits_for_phone

    def looked_again(self, view: View) -> View:
        """What a view shows, with the values of now: neither rights nor estate are asked for again.

        For those alone whose ``View.follow`` has put on record that they look at these values as they change.
        """
        return view.with_picture(self._live.picture)

    def person(
        self, session: str, at: datetime, *, is_used: bool = False, browser: Browser = NO_BROWSER
    ) -> Person | None:
        """Whose session this is, or None where it is unknown or over. ``is_used``: the person does something now."""
        return self._people.person(session, at, idle_s=self._idle_s, is_used=is_used, browser=browser)

    def sign_in(self, token: str, at: datetime, session_s: float, browser: Browser = NO_BROWSER) -> str:
        """Exchange a one-time token for a session. Raises ``Denied`` if unknown, used or expired."""
        return self._people.redeem(token, at, session_s, browser)

    def prove(self, name: str, password: str, code: str, at: datetime, session_s: float, browser: Browser) -> str:
        """A session for who knows their password, and shows a code where they have a phone. Raises ``Denied``."""
        return self._kept.accounts.sign_in.prove(name, password, code, at, session_s, browser)

    def sign_in_by(self, one: Identity, at: datetime, session_s: float, browser: Browser) -> str:
        """A session for whom the site's provider vouches. Raises ``Denied`` where nobody here is matched with them."""
        return self._kept.accounts.identities.sign_in(one, at, session_s, browser)

    def take_link_owner(self, alert: UUID, token: str, at: datetime) -> str:
        """Who may take a case by the link in their letter. Raises ``Denied`` if it is unknown, used or expired."""
        return self._take_links.owner(alert, token, at)

    def use_take_link(self, alert: UUID, token: str, at: datetime, address: str) -> str:
        """The same, and the link is used up."""
        return self._take_links.use(alert, token, at, address)

    def report_place(self, secret: str) -> OrderPlace:
        """Where a link of a report hangs. Raises ``Denied`` for one that is unknown or works no more."""
        return self._kept.places.place(secret)

    def report(self, wish: OrderWish, at: datetime) -> str:
        """Take in what somebody without an account reports; the secret by which they rate it.

        Raises ``Rejected`` where too much came from there of late.
        """
        return self._kept.orders.report(wish, at)[1]

    def rate_report(self, secret: str, stars: int, note: str, at: datetime) -> bool:
        """Take in how they found it done; whether there was something to rate."""
        return self._kept.orders.rate_by_link(secret, stars, note, at)

    def note_denied(self, at: datetime, person: str, asked: str, address: str) -> None:
        """Put on record that somebody asked for what is not theirs, or not there."""
        self._kept.audit.append(at, person, "access.denied", asked, f"from {address}")

    def note_refusal(self, at: datetime, noted: str, address: str, why: str) -> None:
        """Put on record that a link was refused (``noted``), or that an address is blocked for a while."""
        self._people.note_refusal(at, noted, address, why)

    def sign_out(self, session: str, at: datetime) -> None:
        """End a session; nothing happens where it has ended already."""
        self._people.sign_out(session, at)

    @property
    def is_reachable(self) -> bool:
        """Whether the store answered when it was asked last."""
        return self._live.picture.reachable

    @property
    def live_version(self) -> int:
        """A number that grows whenever a value of any point changes: then a view of now is worth making."""
        return self._live.picture.version


def kept_rights(records: Engine, clock: Callable[[], datetime]) -> Callable[[str], Rights]:
    """What the records say that people may see and do, by their names, as of now."""
    grants, sights = Grants(records), Sights(Registry(records))

    def rights_of(name: str) -> Rights:
        now = clock()
        found = grants.of(name, now)
        by_tree = any(one.part is RolePart.DEPARTMENT for one in found)
        return rights_by(found, _trees(sights.whole(), now) if by_tree else None)

    return rights_of


def _trees(estate: Catalogue | None, now: datetime) -> Trees | None:
    """The trees of today, on the site's clock."""
    return Trees(estate, now.astimezone(zone_called(estate.site.timezone)).date()) if estate else None


def views(store: ReadingStore, records: Engine, clock: Callable[[], datetime]) -> Callable[[str], View]:
    """What anybody may see now, by their name, for who writes to them while they are not there.

    Of somebody who has left, or has no role, nothing shows.
    """
    live = LiveValues(store)
    return Access(store, records, live, kept_rights(records, clock), clock, second_factor="nobody").view


class Sights:
    """The estate as last applied, for all scopes of a reader: made again only when the registry's version changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._version = 0
        self._made: dict[frozenset[Scope], Sight] = {}

    def whole(self) -> Catalogue | None:
        """All of it; None while nothing has been applied."""
        sight = self.of(ALL)
        return sight.catalogue if sight else None

    def of(self, scopes: frozenset[Scope]) -> Sight | None:
        """What the scopes show together; None while nothing has been applied."""
        version = self._registry.version()
        with self._lock:
            if version != self._version or not self._made:
                try:
                    self._made = {ALL: Sight(self._registry.load())}
                except ConfigError:
                    return None
                self._version = version
            if scopes not in self._made:
                self._made[scopes] = sight_of(self._made[ALL].catalogue, scopes)
            return self._made[scopes]
