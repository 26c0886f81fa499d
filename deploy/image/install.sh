#!/bin/sh
# Installs what a lock names, then the wheel alone, into an environment of its own: install.sh LOCK WHEELS FOLDER
set -eu
python3 -m venv "$3"
"$3/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir --require-hashes -r "$1"
"$3/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-deps "$2"/*.whl
"$3/bin/python" -m compileall -q "$3/lib"
"$3/bin/meterhouse" --version
