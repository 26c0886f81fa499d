"""The bundled broker in a process of its own: ``python -m meterhouse.servers.embedded_broker CONFIG``."""

from __future__ import annotations

import os
import sys
import threading


def main() -> None:
    """Serve until terminated, or until whoever started this process is gone."""
    from iotcore import IotCoreBroker  # noqa: PLC0415 - the wheel is optional; only this process needs it

    threading.Thread(target=_follow_parent, daemon=True).start()
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


def _follow_parent() -> None:
    """The parent holds our standard input open: its end is our end."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
