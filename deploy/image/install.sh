#!/bin/sh
# Installs what a lock names, then the wheel alone, into an environment of its own: install.sh LOCK WHEELS FOLDER
# Where WHEELS holds those of others as well (a bundle's), nothing comes from a network.
set -eu
[ "$(find "$2" -name '*.whl' | wc -l)" -eq 1 ] && from= || from="--no-index --find-links $2"
python3 -m venv "$3"
# shellcheck disable=SC2086 - two words or none
"$3/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir $from --require-hashes -r "$1"
"$3/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-index --no-deps "$2"/meterhouse-*.whl
"$3/bin/python" -m compileall -q "$3/lib"
"$3/bin/meterhouse" --version
