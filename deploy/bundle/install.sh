#!/bin/sh
# Installs or updates Meterhouse from this bundle, without a network: install.sh FOLDER PUBLIC-KEY
# The public key comes from elsewhere than the bundle: whoever changed the bundle could have changed a key in it, too.
set -eu
[ $# -eq 2 ] || { echo "usage: install.sh FOLDER PUBLIC-KEY" >&2; exit 2; }
folder=$1 key=$2 python=${PYTHON:-python3}
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
case $key in /*) ;; *) key=$PWD/$key ;; esac
cd -- "$(dirname -- "$0")"
. ./signed.sh
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  refuse "$python is no Python of 3.11 or later with venv (PYTHON names another)"

# An environment with all of the bundle, in $1; what was said is in $said.
make() {
  said=$({ "$python" -m venv "$1" &&
    "$1/bin/python" -m pip install -q --no-index --find-links wheels --require-hashes -r requirements.txt &&
    "$1/bin/python" -m pip install -q --no-index --no-deps wheels/meterhouse-*.whl; } 2>&1)
}
failed() {
  why=$(printf '%s\n' "$said" | grep -v '^\[notice\]' | tail -n 1)
  echo "the installation failed (${why:-no words}): what was in $folder is there" >&2; exit 1
}

new=$folder.new
rm -rf -- "$new"
make "$new" || { rm -rf -- "$new"; failed; }
said=$("$new/bin/meterhouse" --version 2>&1) || { rm -rf -- "$new"; failed; }
echo "$said"
# An environment knows its own path: it is moved by making it anew where it belongs, the old one kept until that stands.
rm -rf -- "$folder.before"
if [ -e "$folder" ]; then mv -- "$folder" "$folder.before"; fi
if ! make "$folder"; then
  rm -rf -- "$folder"
  if [ -e "$folder.before" ]; then mv -- "$folder.before" "$folder"; fi
  failed
fi
rm -rf -- "$new"
if [ -e "$folder.before" ]; then echo "installed in $folder; what was there is $folder.before"; else echo "installed in $folder"; fi
