"""``python -m meterhouse`` is the ``meterhouse`` command."""

from meterhouse.cli import main

main()
