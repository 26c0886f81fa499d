"""What a site's own maintenance system says became of work orders: brought in as acts of whoever hands it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from facility.errors import Rejected
from facility.order import IN_HAND, OPEN, OrderState, Work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stores.records.orders.orders import Orders


class News(Protocol):
    """What is said of one order."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def state(self) -> OrderState | None: ...  # noqa: D102
    @property
    def assignee(self) -> str: ...  # noqa: D102
    @property
    def parts(self) -> str: ...  # noqa: D102
    @property
    def cost(self) -> float | None: ...  # noqa: D102
    @property
    def signed_by(self) -> str: ...  # noqa: D102


def bring_in(orders: Orders, news: Sequence[News], by: str, at: datetime) -> int:
    """Bring orders to where the table says they are; how many have moved. Saying the same again moves none.

    Raises ``Rejected`` for an unknown order, and for one that has ended otherwise; what stood above it is done.
    """
    return sum(_brought(orders, one, by, at) for one in news)


def _brought(orders: Orders, one: News, by: str, at: datetime) -> bool:
    order = orders.one(one.id)
    if order is None:
        raise Rejected("unknown_order", f"there is no work order {one.id}")
    if one.state in {None, order.state, OrderState.WAITING, OrderState.OFFERED}:
        return False
    if order.state not in OPEN:
        raise Rejected("wrong_state", f"work order {one.id} is {order.state} and cannot become {one.state}")
    if one.state is OrderState.CALLED_OFF:
        orders.call_off(one.id, "", by, at, based_on=order.acts)
        return True
    who = one.assignee or order.assignee or by
    if order.state not in IN_HAND or order.assignee != who:
        order = orders.give(one.id, who, by, at, based_on=order.acts)
    if one.state is OrderState.ON_SITE:
        orders.arrive(one.id, by, at, based_on=order.acts)
    if one.state is OrderState.DONE:
        work = Work(one.parts, one.cost, one.signed_by, order.work.ticked)
        orders.finish(one.id, work, by, at, based_on=order.acts)
    return True
