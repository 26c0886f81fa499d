"""A courier whose letters stay on this machine, in a folder that the console shows: nothing leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from analytics.letters.courier import UndeliveredError
from stores.mailbox import KeptLetter, Mailbox

if TYPE_CHECKING:
    from analytics.letters.courier import Post

SCHEME = "folder"


class FolderCourier:
    """At ``folder:///a/path``, blanks and signs written as in any address (``%20``)."""

    takes_address = True

    def __init__(self, folder: Path) -> None:
        self._mailbox = Mailbox(folder)

    def deliver(self, post: Post) -> None:
        """Keep it. A letter that comes again takes its own place."""
        try:
            self._mailbox.put(KeptLetter(post.id, post.address, post.subject, post.body))
        except OSError as error:
            raise UndeliveredError(f"the folder cannot be written: {error.strerror}", may_have_arrived=False) from None


def folder_courier_at(url: str) -> FolderCourier | None:
    """The courier of a folder's address; None for one that names no whole path."""
    place = urlsplit(url)
    folder = Path(unquote(place.path))
    return FolderCourier(folder) if not place.netloc and folder.is_absolute() and folder.name else None
