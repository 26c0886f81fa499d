"""What one person may see and do, and the words in which it comes: all that pages and API know of what is kept.

Here alone hold scopes (buildings, departments) and data levels: a question is narrowed before it reaches a store, and
what is out of sight is answered as if it did not exist.
"""

from facility.rights import Act
from stores.access.access import Access, SecondFactorOf, kept_rights, views
from stores.access.people import KnownPerson
from stores.access.reader import NoEstateError
from stores.access.scope import Permit, Rights, Scope, rights_by
from stores.access.view import View
from stores.mailbox import KeptLetter
from stores.readings.live import LiveValues, Picture
from stores.readings.port import Latest, ReadingStore, RollupSeries, Series, Times, Values
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.proposals import Proposal
from stores.records.accounting.spells import KeptSpell, Spells
from stores.records.accounting.spells import Standing as SpellStanding
from stores.records.accounts.grants import Grant, RolePart
from stores.records.accounts.identities import Identity
from stores.records.accounts.sessions import Session
from stores.records.accounts.sign_in import TooManyError
from stores.records.accounts.tokens import Browser
from stores.records.audit import AuditEntry, AuditFilter
from stores.records.case_figures import CaseFigures
from stores.records.case_list import CasePlace, Unsettled
from stores.records.case_rules import SNOOZES, snooze_end
from stores.records.case_steps import CaseEvent
from stores.records.errands import Errand
from stores.records.imports.book import KeptImport, ProposedImport
from stores.records.orders.clean_files import MOST_BYTES as MOST_FILE_BYTES
from stores.records.orders.clean_files import FileKind
from stores.records.orders.order_files import OrderFile
from stores.records.orders.order_rows import OrderStep
from stores.records.planned_events import LONGEST_REASON, PlanKind, PlannedEvent
from stores.records.quarantine.item import ItemState, QuarantineItem, QuarantineSize, Tally
from stores.records.quarantine.quarantine import Standing
from stores.records.quarantine.story import steps
from stores.records.stale import Stale

__all__ = [
    "LONGEST_REASON",
    "MOST_FILE_BYTES",
    "SNOOZES",
    "Access",
    "Act",
    "AuditEntry",
    "AuditFilter",
    "Browser",
    "CaseEvent",
    "CaseFigures",
    "CasePlace",
    "ClosedMonths",
    "Errand",
    "FileKind",
    "Grant",
    "Identity",
    "ItemState",
    "KeptImport",
    "KeptLetter",
    "KeptSpell",
    "KnownPerson",
    "Latest",
    "LiveValues",
    "NoEstateError",
    "OrderFile",
    "OrderStep",
    "Permit",
    "Picture",
    "PlanKind",
    "PlannedEvent",
    "Proposal",
    "ProposedImport",
    "QuarantineItem",
    "QuarantineSize",
    "ReadingStore",
    "Rights",
    "RolePart",
    "RollupSeries",
    "Scope",
    "SecondFactorOf",
    "Series",
    "Session",
    "SpellStanding",
    "Spells",
    "Stale",
    "Standing",
    "Tally",
    "Times",
    "TooManyError",
    "Unsettled",
    "Values",
    "View",
    "kept_rights",
    "rights_by",
    "snooze_end",
    "steps",
    "views",
]
