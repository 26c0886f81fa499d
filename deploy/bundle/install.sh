#!/bin/sh
# Installs or updates Meterhouse from this bundle, without a network: install.sh FOLDER PUBLIC-KEY
# The public key comes from elsewhere than the bundle: whoever changed the bundle could have changed a key in it, too.
set -eu
[ $# -eq 2 ] || { echo "usage: install.sh FOLDER PUBLIC-KEY" >&2; exit 2; }
folder=$1 key=$(realpath -- "$2")
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
cd -- "$(dirname -- "$0")"
. ./signed.sh
new=$folder.new
rm -rf -- "$new"
${PYTHON:-python3} -m venv "$new"
"$new/bin/python" -m pip install -q --no-index --find-links wheels --require-hashes -r requirements.txt
"$new/bin/python" -m pip install -q --no-index --no-deps wheels/meterhouse-*.whl
"$new/bin/meterhouse" --version
# An environment knows its own path: it is moved by making it anew where it belongs, the old one kept until that stands.
rm -rf -- "$folder.before"
if [ -e "$folder" ]; then mv -- "$folder" "$folder.before"; fi
if ! { ${PYTHON:-python3} -m venv "$folder" &&
  "$folder/bin/python" -m pip install -q --no-index --find-links wheels --require-hashes -r requirements.txt &&
  "$folder/bin/python" -m pip install -q --no-index --no-deps wheels/meterhouse-*.whl; }; then
  rm -rf -- "$folder"
  if [ -e "$folder.before" ]; then mv -- "$folder.before" "$folder"; fi
  echo "the installation failed: what was there is there again" >&2; exit 1
fi
rm -rf -- "$new"
echo "installed in $folder; what was there is $folder.before"
