#!/bin/sh
# Builds the wheel of the tree that this is called in, with its front end, into a folder: build_wheel.sh FOLDER
set -eu
python3 -m venv /tmp/build-wheel
/tmp/build-wheel/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt
/tmp/build-wheel/bin/python tools/front_end.py
/tmp/build-wheel/bin/python -m hatchling build -t wheel -d "$1"
