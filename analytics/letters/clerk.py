"""The clerk: for each reader what they may be told, in their language, with links that are theirs.

Their roles are looked up when letters are written and once more when one leaves: who has lost a building meanwhile is
not told of it, and neither is who has left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analytics.letters.courier import Post
from facility.rights import Act
from facility.work import CALLING, AlertState
from stores.access.access import Sights
from stores.access.important import ImportantReads
from stores.records.letters.putting import WAITING, Desk
from wording.letters import MOST_CASES, ToldCase, letter_text
from wording.orders import order_letter_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, time

    from facility.catalogue import Catalogue
    from facility.model import Building
    from facility.order import WorkOrder
    from facility.work import Alert
    from stores.access.important import ReadTrail
    from stores.access.scope import Rights, Sight
    from stores.records.letters.contacts import Contacts
    from stores.records.letters.letter import Letter
    from stores.records.letters.letters import Letters
    from stores.records.letters.take_links import TakeLinks
    from stores.records.people import People
    from stores.records.registry import Registry


class Clerk:
    """Says what goes to whom. ``console`` is where people open the console; empty: letters have no links."""

    def __init__(
        self,
        registry: Registry,
        people: People,
        rights_of: Callable[[str], Rights],
        *,
        links: TakeLinks,
        trail: ReadTrail,
        console: str,
        language: str,
        daily_at: time,
    ) -> None:
        self._sights, self._people, self._rights_of = Sights(registry), people, rights_of
        self._trail = trail
        self._links, self._console, self._language, self._daily_at = links, console, language, daily_at

    def desk(self, contacts: Contacts, couriers: Sequence[str]) -> Desk | None:
        """What is needed to write letters now; None while there is no estate."""
        known = [one for one in contacts.all_of() if one.courier in couriers]
        sights = {name: self.sight(name) for name in {one.name for one in known}}
        whole = self._sights.whole()
        if whole is None:
            return None

        def shows(name: str, alert: Alert) -> bool:
            sight = sights[name]
            return sight is not None and sight.shows(alert)

        def agent_of(meter: str) -> str:
            return whole.meter[meter].agent if meter in whole.meter else ""

        return Desk(known, shows, agent_of, ZoneInfo(whole.site.timezone), self._daily_at)

    def post_of(self, letter: Letter, letters: Letters, now: datetime, *, takes_address: bool) -> Post | None:
        """The letter as it leaves now; None where nothing is left to tell them."""
        rights, sight = self._rights(letter.name), self.sight(letter.name)
        if sight is None:
            return None
        is_waiting = letter.agent == WAITING
        found = self._waiting(letter.name, rights, letters) if is_waiting else letters.orders_of(letter.id)
        orders = [one for one in found if one.wish.place.building in sight.catalogue.building]
        ordered = letters.cases_ordered_of(letter.name)
        shown = [
            one
            for one in letters.alerts_of(letter.id)
            if one.state in CALLING and _is_news(one, letter.name) and one.id not in ordered and sight.shows(one)
        ]
        if not shown and not orders:
            return None
        cases = {one.id: self._shown(letters.alert_of_order(one), sight) for one in orders}
        named = [*shown, *(one for one in cases.values() if one)]
        ImportantReads(self._trail, letter.name, sight).note(f"letter {letter.id}", [one.point for one in named])
        language = self._people.language_of(letter.name) or self._language
        is_theirs = takes_address and bool(letter.address)
        if orders:
            takes = {
                order: self._with_links(case, letter.name, rights, sight.catalogue, now, is_theirs=is_theirs).take
                for order, case in cases.items()
                if case is not None
            }
            text = order_letter_text(
                [(one, cases[one.id], takes.get(one.id, "")) for one in orders],
                language,
                sight.catalogue,
                now,
                haste=letter.haste,
                console=self._console,
                is_repeat=letter.may_have_arrived,
                is_waiting=is_waiting,
            )
            return Post(str(letter.id), letter.address, text.subject, text.body)
        linked = [
            self._with_links(one, letter.name, rights, sight.catalogue, now, is_theirs=is_theirs)
            for one in shown[:MOST_CASES]
        ]
        text = letter_text(
            [*linked, *(ToldCase(one) for one in shown[MOST_CASES:])],
            language,
            sight.catalogue,
            now,
            haste=letter.haste,
            list_page=f"{self._console}/alerts" if self._console else "",
            is_repeat=letter.may_have_arrived,
        )
        return Post(str(letter.id), letter.address, text.subject, text.body)

    def _waiting(self, name: str, rights: Rights, letters: Letters) -> list[WorkOrder]:
        """The orders that wait and that they could take."""
        found = letters.waiting_for(name)
        return [one for one in found if rights.may_here(Act.TAKE, self.building(one.wish.place.building))]

    def building(self, building: str) -> Building | None:
        """A building of the estate."""
        whole = self._sights.whole()
        return whole.building.get(building) if whole else None

    def utility_of(self, point: str) -> str:
        """The utility of a point; empty: none, or there is no such point any more."""
        whole = self._sights.whole()
        utility = whole.utility_of(whole.point[point]) if whole and point in whole.point else None
        return utility.value if utility else ""

    def _with_links(
        self, alert: Alert, name: str, rights: Rights, catalogue: Catalogue, now: datetime, *, is_theirs: bool
    ) -> ToldCase:
        """A link that acts for somebody goes to an address of their own, never to a group."""
        if not self._console:
            return ToldCase(alert)
        page = f"{self._console}/alerts/{alert.id}"
        building, point = catalogue.building.get(alert.building), catalogue.point.get(alert.point)
        may = is_theirs and alert.state is AlertState.OPEN and rights.may_here(Act.TAKE, building, point)
        if not may:
            return ToldCase(alert, page)
        token = self._links.make(name, alert.id, now)
        return ToldCase(alert, page, f"{self._console}/take?alert={alert.id}&token={token}")

    @staticmethod
    def _shown(case: Alert | None, sight: Sight) -> Alert | None:
        """The case of an order, where its reader may see it."""
        return case if case and sight.shows(case) else None

    def sight(self, name: str) -> Sight | None:
        """What somebody may see of the estate now; None while there is none."""
        return self._sights.of(self._rights(name).scopes)

    def _rights(self, name: str) -> Rights:
        """Without what needs a code of their phone: nobody shows one to read a letter."""
        return self._rights_of(name).without_phone


def _is_news(alert: Alert, name: str) -> bool:
    """What somebody has in hand they know, unless it has slept meanwhile."""
    return alert.acknowledged_by != name or alert.snoozed_until is not None
