#!/bin/sh
# Makes a random password in a folder, once: secret.sh FOLDER
set -eu
umask 077
[ -d "$1" ] || { echo "secret: there is no folder $1" >&2; exit 2; }
if [ ! -s "$1/password" ]; then
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1/password.new"
  mv "$1/password.new" "$1/password"
fi
