"""What a process keeps is for its own account alone."""

from __future__ import annotations

import os


def keep_files_private() -> None:
    """Files made from now on are graded data and secrets: nobody else may read them."""
    os.umask(0o077)
