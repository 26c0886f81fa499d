"""The work orders that a reader may see, and what they do to them; any other order does not exist for them.

Who may order sees all orders of the buildings that show. Whoever else takes cases, a contractor say, sees their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.rights import Act
from stores.access.exports import FREE, ExportWish, take_along
from stores.records.case_list import CaseFilter
from stores.records.orders.order_rows import OrderFilter

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime
    from uuid import UUID

    from facility.order import OrderState, OrderWish, Work, WorkOrder
    from stores.access.exports import Taken
    from stores.access.reader import Reader
    from stores.records.audit import Audit
    from stores.records.orders.order_files import OrderFile, OrderFiles
    from stores.records.orders.order_rows import OrderStep
    from stores.records.orders.orders import Orders
    from stores.records.orders.report_places import ReportPlaces
    from stores.records.roster.roster import DayOff, Roster
    from stores.records.roster.worker import Worker, WorkShift


class VisibleOrders:
    """Work orders as one reader sees them, and acts upon them under their own name."""

    def __init__(
        self, orders: Orders, files: OrderFiles, places: ReportPlaces, roster: Roster, audit: Audit, reader: Reader
    ) -> None:
        self._orders, self._files, self._places, self._roster = orders, files, places, roster
        self._audit, self._reader = audit, reader

    def of(
        self, *, states: Collection[OrderState] | None = None, is_mine: bool = False, limit: int | None = None
    ) -> list[WorkOrder]:
        """Orders, open ones first, then those that are due first."""
        me = self._reader.name
        return self._found(OrderFilter(of=me if is_mine else None, states=states), limit)

    def for_case(self, alert: UUID) -> list[WorkOrder]:
        """The orders of a case that the reader sees."""
        return self._found(OrderFilter(alert=alert))

    def one(self, order: int) -> WorkOrder | None:
        """One order."""
        return next(iter(self._found(OrderFilter(number=order))), None)

    def story(self, order: int) -> list[OrderStep]:
        """What happened to it, oldest first."""
        return self._orders.story(self._shown(order).id)

    def files(self, order: int) -> list[OrderFile]:
        """Its photos and files."""
        return self._files.of(self._shown(order).id)

    def file(self, order: int, file: int) -> bytes | None:
        """What is in one of them."""
        return self._files.content(self._shown(order).id, file)

    def may(self, act: Act, building: str) -> bool:
        """Whether an act is theirs in a building."""
        return self._reader.rights.may_here(act, self._reader.sight.catalogue.building.get(building))

    def take_along(self, reason: str, at: datetime) -> tuple[list[WorkOrder], Taken]:
        """All that show, to be taken along; on record first. Raises ``ConfigError`` where their level asks for more."""
        found, estate = self.of(), self._reader.sight.catalogue
        points = [one for one in self._orders.points_of(found) if one in estate.point]
        wish = ExportWish(self._reader.name, reason)
        return found, take_along(self._audit, estate, "work orders", points, wish, at, least=FREE)

    def make(self, wish: OrderWish, at: datetime) -> WorkOrder:
        """Order something in a building."""
        return self._orders.make(wish, self._reader.acting(Act.ORDER, wish.place.building), at)

    def accept(self, order: int, at: datetime, *, based_on: int) -> WorkOrder:
        """Take it."""
        return self._orders.accept(order, self._acting(Act.TAKE, order), at, based_on=based_on)

    def refuse(self, order: int, reason: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Give it back."""
        return self._orders.refuse(order, reason, self._acting(Act.TAKE, order), at, based_on=based_on)

    def arrive(self, order: int, at: datetime, *, based_on: int) -> WorkOrder:
        """Say that they are there."""
        return self._orders.arrive(order, self._doing(order), at, based_on=based_on)

    def finish(self, order: int, work: Work, at: datetime, *, based_on: int) -> WorkOrder:
        """Say that it is done."""
        return self._orders.finish(order, work, self._doing(order), at, based_on=based_on)

    def give(self, order: int, to: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Say who does it."""
        return self._orders.give(order, to, self._acting(Act.ORDER, order), at, based_on=based_on)

    def call_off(self, order: int, reason: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Say that it need not be done."""
        return self._orders.call_off(order, reason, self._acting(Act.ORDER, order), at, based_on=based_on)

    def rate(self, order: int, stars: int, note: str, at: datetime) -> WorkOrder:
        """Say how it was done, of what they asked for themselves."""
        found = self._shown(order)
        if found.asked_by != self._reader.name:
            self._reader.acting(Act.ORDER, found.wish.place.building)
        return self._orders.rate(order, stars, note, self._reader.name, at)

    def add_file(self, order: int, name: str, content: bytes, at: datetime) -> int:
        """Keep a photo or a file."""
        return self._files.add(order, name, content, self._doing(order), at)

    def report_link(self, wish: OrderWish, at: datetime) -> str:
        """The secret of a link that hangs at a place."""
        return self._places.make(wish.place, self._reader.acting(Act.ORDER, wish.place.building), at)

    def workers(self) -> list[Worker]:
        """Who is on the roster for the buildings in which the reader may order; no other building is named."""
        here = self._orders_in()
        if here is None:
            return self._roster.workers()
        found = self._roster.workers() if here else []
        return [replace(one, places=one.places & here) for one in found if not one.places or one.places & here]

    def shifts(self, first: datetime, end: datetime) -> list[WorkShift]:
        """Their shifts."""
        theirs = {one.name for one in self.workers()}
        return [one for one in self._roster.shifts(first, end) if one.name in theirs] if theirs else []

    def days_off(self, first: date) -> list[DayOff]:
        """Days on which they do not work."""
        theirs = {one.name for one in self.workers()}
        return [one for one in self._roster.days_off(first) if one.name in theirs] if theirs else []

    def _found(self, among: OrderFilter, limit: int | None = None) -> list[WorkOrder]:
        """Those that show. Of a case that does not, only what is theirs: somebody gave it to them."""
        sight, me = self._reader.sight, self._reader.name
        cases = CaseFilter(None, sight.points, above=sight.above)
        narrowed = replace(among, buildings=sight.buildings, cases=cases, reader=me)
        return [one for one in self._orders.of(narrowed, limit) if self._shows(one)]

    def _orders_in(self) -> frozenset[str] | None:
        """The buildings in which they may order; None: in all of the estate."""
        sight = self._reader.sight
        if sight.buildings is None and self._reader.rights.may_here(Act.ORDER, None):
            return None
        return frozenset(one.id for one in sight.catalogue.buildings if self.may(Act.ORDER, one.id))

    def _shows(self, order: WorkOrder) -> bool:
        """Whether it is in a building that shows, and theirs where they may not order there."""
        building, sight = order.wish.place.building, self._reader.sight
        if sight.buildings is not None and building not in sight.buildings:
            return False
        is_theirs = self._reader.name in {order.assignee, order.asked_by}
        return is_theirs or self.may(Act.ORDER, building)

    def _shown(self, order: int) -> WorkOrder:
        found = self.one(order)
        if found is None:
            raise Rejected("unknown_order", f"there is no work order {order}")
        return found

    def _acting(self, act: Act, order: int) -> str:
        return self._reader.acting(act, self._shown(order).wish.place.building)

    def _doing(self, order: int) -> str:
        """Their name, where the work is theirs, or they may order."""
        found = self._shown(order)
        is_theirs = found.assignee == self._reader.name
        return self._acting(Act.TAKE if is_theirs else Act.ORDER, order)
