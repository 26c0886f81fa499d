"""What one person may see and do, made anew for each request: the only way from pages and API to what is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from facility.rights import Act
from facility.system_alarm import Outlook
from stores.access.cases import VisibleCases
from stores.access.doubted import VisibleProposals, VisibleSpells
from stores.access.important import FollowedReads, ImportantReads
from stores.access.imports import VisibleImports
from stores.access.orders import VisibleOrders
from stores.access.papers import VisiblePapers
from stores.access.people import OwnAccount, VisiblePeople
from stores.access.reader import NoEstateError, Reader
from stores.access.readings import VisibleReadings
from stores.access.refused import VisibleQuarantine
from stores.access.trail import VisibleTrail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from facility.catalogue import Catalogue
    from stores.access.important import ReadTrail
    from stores.access.people import AccountBook
    from stores.access.scope import Rights, Sight
    from stores.mailbox import KeptLetter, Mailbox
    from stores.readings.live import Picture
    from stores.readings.port import ReadingStore
    from stores.records.accounting.closed_months import ClosedMonths
    from stores.records.accounting.proposals import Proposals
    from stores.records.accounting.spells import Spells
    from stores.records.audit import Audit
    from stores.records.casebook import Casebook
    from stores.records.errands import Errands
    from stores.records.imports.book import Imports
    from stores.records.orders.order_files import OrderFiles
    from stores.records.orders.orders import Orders
    from stores.records.orders.report_places import ReportPlaces
    from stores.records.people import People
    from stores.records.quarantine.quarantine import Quarantine
    from stores.records.roster.roster import Roster
    from stores.records.status.board import StatusBoard


@dataclass(frozen=True, slots=True)
class Kept:
    """All that views are views of. Whoever holds one sees everything, so only ``Access`` does."""

    store: ReadingStore
    casebook: Casebook
    quarantine: Quarantine
    errands: Errands
    people: People
    status: StatusBoard
    spells: Spells
    proposals: Proposals
    accounts: AccountBook
    audit: Audit
    reads: ReadTrail
    imports: Imports
    closed: ClosedMonths
    orders: Orders
    files: OrderFiles
    places: ReportPlaces
    roster: Roster
    estate: Callable[[], Catalogue | None]
    mailbox: Mailbox | None = None


class View:
    """The estate, its readings, cases and refused input in the eyes of one person."""

    def __init__(
        self,
        kept: Kept,
        person: str,
        rights: Rights,
        sight: Sight | None,
        picture: Picture,
        reads: type[ImportantReads] = ImportantReads,
    ) -> None:
        """``sight`` is None while no estate has been applied; ``reads`` notes what is read of important data."""
        self._kept, self.person, self._reads = kept, person, reads
        self._rights, self._sight = rights, sight
        self.waits_for_phone = False
        """Whether they have a role that holds once they have shown a code of their phone."""
        self._picture = picture

    @property
    def catalogue(self) -> Catalogue:
        """The estate, as far as it shows. Raises ``NoEstateError`` before the first apply, as do all below."""
        return self._reader.sight.catalogue

    @property
    def sight_id(self) -> int:
        """The same for all views, as long as one of them is kept, that show the same of the same estate."""
        return id(self._reader.sight)

    def with_picture(self, picture: Picture) -> View:
        """What this view shows, as of another picture, to those who are on record as following it."""
        return View(self._kept, self.person, self._rights, self._sight, picture, FollowedReads)

    def follow(self, building: str | None) -> None:
        """Put on record that the live values of a building, or of all, are shown to this person as they change."""
        self._reader.reads.note_following(building)

    @cached_property
    def picture(self) -> Picture:
        """The newest value of every point that shows, as of when the view was made."""
        values, per_hour, reads = self._picture.values, self._picture.per_hour, self._reader.reads
        if not reads.is_needed and (self._reader.sight.is_whole or values.keys() <= self.catalogue.point.keys()):
            return self._picture
        shown = self.catalogue.point
        if not values.keys() <= shown.keys():
            values = MappingProxyType({point: values[point] for point in shown if point in values})
            per_hour = MappingProxyType({point: per_hour[point] for point in shown if point in per_hour})
        return replace(self._picture, values=reads.noted_as_read(values), per_hour=reads.noted_as_read(per_hour))

    @property
    def readings(self) -> VisibleReadings:
        """Readings and rollups."""
        return VisibleReadings(self._kept.store, self._reader)

    @property
    def cases(self) -> VisibleCases:
        """Cases and acts upon them."""
        return VisibleCases(self._kept.casebook, self._reader)

    @property
    def quarantine(self) -> VisibleQuarantine:
        """Refused input and acts upon it."""
        return VisibleQuarantine(self._kept.quarantine, self._kept.errands, self._reader)

    @property
    def imports(self) -> VisibleImports:
        """What people handed in, and acts upon it."""
        return VisibleImports(self._kept.imports, self._reader)

    @property
    def orders(self) -> VisibleOrders:
        """Work orders and acts upon them."""
        kept = self._kept
        return VisibleOrders(kept.orders, kept.files, kept.places, kept.roster, kept.audit, self._reader)

    @property
    def papers(self) -> VisiblePapers:
        """Bills and indicators."""
        kept = self._kept
        return VisiblePapers(kept.store, kept.estate, kept.closed, kept.spells, self._reader)

    @property
    def spells(self) -> VisibleSpells:
        """Spells of registers and decisions about them."""
        return VisibleSpells(self._kept.spells, self._reader)

    @property
    def proposals(self) -> VisibleProposals:
        """Adjusting entries that wait for a person."""
        return VisibleProposals(self._kept.proposals, self._reader)

    @property
    def accounts(self) -> VisiblePeople:
        """Everybody's accounts, also before there is an estate."""
        return VisiblePeople(self._kept.accounts, self.person, self._rights)

    @property
    def own(self) -> OwnAccount:
        """This person's account."""
        return OwnAccount(self._kept.accounts, self.person)

    @property
    def trail(self) -> VisibleTrail:
        """The audit trail."""
        return VisibleTrail(self._kept.audit, self.person, self._rights)

    @property
    def has_mailbox(self) -> bool:
        """Whether letters stay on this machine, as in a demo, and this person, who runs it, may read all of them."""
        return self._kept.mailbox is not None and self.may(Act.TEND)

    def mailbox(self) -> Iterator[tuple[datetime, KeptLetter]]:
        """Everybody's letters and when they came, the newest first; none where ``has_mailbox`` does not hold."""
        return self._kept.mailbox.letters() if self._kept.mailbox and self.has_mailbox else iter(())

    def may(self, act: Act) -> bool:
        """Whether an act is this person's, in some part of the estate at least."""
        return self._rights.may(act)

    def system_outlook(self) -> Outlook:
        """What is wrong with Meterhouse itself, or unknown: the server's own alarms, and those of agents that show.

        The words beside an alarm may name anything, so they are only for who may see all.
        """
        seen = self._kept.status.outlook()
        if self._reader.sight.is_whole:
            return seen
        shown = [replace(one, words="") for one in seen.alarms if not one.agent or one.agent in self.catalogue.agent]
        return Outlook(shown, [replace(one, words="") for one in seen.unknown])

    def choose_language(self, language: str) -> None:
        """Remember the language that this person reads; also before there is an estate."""
        self._kept.people.set_language(self.person, language)

    @cached_property
    def _reader(self) -> Reader:
        if self._sight is None:
            raise NoEstateError
        reads = self._reads(self._kept.reads, self.person, self._sight)
        return Reader(self.person, self._sight, self._rights, reads)
