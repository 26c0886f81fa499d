"""Readings and estate as somebody sees them who may see everything, without any records behind them."""

from dataclasses import fields

from stores.access.scope import Rights, Sight
from stores.access.view import Kept, View
from stores.readings.live import Picture


def whole_view(store, catalogue):
    """The view; what needs records fails."""
    nothing = dict.fromkeys(field.name for field in fields(Kept))
    kept = Kept(**nothing | {"store": store, "estate": lambda: catalogue})
    return View(kept, "li", Rights(), Sight(catalogue), Picture())
