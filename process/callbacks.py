"""The border to paho: an exception in a callback would end its network thread, so it ends here instead."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

P = ParamSpec("P")


class CallbackGuard:
    """Wraps callbacks; failures are logged and counted in ``failures``."""

    def __init__(self) -> None:
        self.failures = 0

    def __call__(self, callback: Callable[P, None], after: Callable[[], None] | None = None) -> Callable[P, None]:
        """The callback, but nothing it raises reaches paho. ``after`` a failure something else may be done."""

        @wraps(callback)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception:  # paho's thread would be dead while it still reports to be connected
                self.failures += 1
                log.exception("callback_failed", callback=callback.__name__)
                if after is not None:
                    after()

        return guarded
