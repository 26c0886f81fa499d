"""The refused input that a reader may see, and what they do about it; any other item does not exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Denied, Rejected
from facility.rights import Act

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from stores.access.reader import Reader
    from stores.records.errands import Errand, Errands
    from stores.records.quarantine.item import ItemState, QuarantineItem, QuarantineSize, Tally
    from stores.records.quarantine.quarantine import Quarantine, Standing


class VisibleQuarantine:
    """The quarantine and what was asked of ingest about it, as one reader sees them."""

    def __init__(self, quarantine: Quarantine, errands: Errands, reader: Reader) -> None:
        self._quarantine, self._errands, self._reader = quarantine, errands, reader

    def items(
        self,
        *,
        reason: str | None = None,
        agent: str | None = None,
        standing: Standing = "waiting",
        before: int | None = None,
        limit: int = 200,
    ) -> list[QuarantineItem]:
        """What waits or was closed, newest first; ``before`` an id gives the next page."""
        found = self._quarantine.items(
            reason=reason, agents=self._agents(agent), standing=standing, before=before, limit=limit
        )
        return self._noted(found)

    def item(self, item_id: int) -> QuarantineItem | None:
        """One item, closed or not."""
        found = self._quarantine.item(item_id)
        agents = self._agents()
        return self._noted([found])[0] if found and (agents is None or found.agent in agents) else None

    def tallies(self, *, agent: str | None = None) -> list[Tally]:
        """What waits by reason, of all agents or of one; the reason with most items first."""
        return self._quarantine.tallies(agents=self._agents(agent))

    def agents(self) -> list[str]:
        """The agents of which something waits."""
        return self._quarantine.agents(agents=self._agents())

    def size(self) -> QuarantineSize:
        """How much waits, and how much may."""
        return self._quarantine.size(agents=self._agents())

    def errands_of(self, item_id: int) -> list[Errand]:
        """What was asked of one item, the oldest first."""
        return self._errands.of_item(item_id) if self.item(item_id) else []

    def newest_errand(self, items: Collection[QuarantineItem]) -> Errand | None:
        """What was asked last of any of these items."""
        return self._errands.newest([item.id for item in items])

    def replay(self, item_id: int, at: datetime) -> None:
        """Ask ingest to take an item in again."""
        self._errands.ask("replay", item_id, self._acting(Act.REPLAY, item_id), at)

    def replay_all(self, reason: str, at: datetime) -> None:
        """Ask ingest to take in again all that waits for one reason."""
        theirs = self._reader.agents_for(Act.REPLAY)
        if theirs is not None and not theirs:
            raise Denied(f"{self._reader.name} may not {Act.REPLAY}")
        self._errands.ask_all(self._reader.name, at, reason=reason, agents=theirs)

    def discard(self, item_id: int, reason: str, at: datetime, *, based_on: ItemState) -> None:
        """Give an item up, with a reason. ``based_on`` is its state as the reader saw it; raises ``Stale``."""
        by = self._acting(Act.DISCARD, item_id)
        self._quarantine.discard(item_id, by, reason, at, based_on=based_on)

    def _noted(self, found: list[QuarantineItem]) -> list[QuarantineItem]:
        """A message holds readings of any point of its agent."""
        sight = self._reader.sight
        sent = {one.agent for one in found} if self._reader.reads.is_needed else set()
        points = [p for p in sight.important if sight.catalogue.meter[sight.catalogue.point[p].meter].agent in sent]
        self._reader.reads.note("refused messages", points)
        return found

    def _agents(self, agent: str | None = None) -> Collection[str] | None:
        """The agents to ask for, None for all: what is asked for, as far as it shows."""
        shown = self._reader.sight.agents
        if agent is None:
            return shown
        return [agent] if shown is None or agent in shown else []

    def _acting(self, act: Act, item_id: int) -> str:
        """Their name, where the item shows and the act is theirs.

        Raises ``Rejected`` as the quarantine does for one that does not wait.
        """
        item = self.item(item_id)
        if item is None:
            raise Rejected("unknown_item", f"there is no item {item_id} waiting in quarantine")
        return self._reader.acting_for(act, item.agent)
