"""What one person may see and do, and the words in which it comes: all that pages and API know of what is kept.

Here alone hold scopes (buildings, departments) and data levels: a question is narrowed before it reaches a store, and
what is out of sight is answered as if it did not exist.
"""

from stores.access.access import Access
from stores.access.scope import Act, Rights, Scope, rights_of_everybody
from stores.access.view import NoEstateError, View
from stores.readings.live import LiveValues, Picture
from stores.readings.port import Latest, RollupSeries, Series, Times, Values
from stores.records.accounting.proposals import Proposal
from stores.records.accounting.spells import KeptSpell
from stores.records.accounting.spells import Standing as SpellStanding
from stores.records.case_list import CasePlace
from stores.records.casebook import CaseEvent
from stores.records.errands import Errand
from stores.records.quarantine.item import ItemState, QuarantineItem, QuarantineSize, Tally
from stores.records.quarantine.quarantine import Standing
from stores.records.quarantine.story import steps
from stores.records.stale import Stale

__all__ = [
    "Access",
    "Act",
    "CaseEvent",
    "CasePlace",
    "Errand",
    "ItemState",
    "KeptSpell",
    "Latest",
    "LiveValues",
    "NoEstateError",
    "Picture",
    "Proposal",
    "QuarantineItem",
    "QuarantineSize",
    "Rights",
    "RollupSeries",
    "Scope",
    "Series",
    "SpellStanding",
    "Stale",
    "Standing",
    "Tally",
    "Times",
    "Values",
    "View",
    "rights_of_everybody",
    "steps",
]
