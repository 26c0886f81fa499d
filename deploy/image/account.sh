#!/bin/sh
# Gives folders to the account that containers run as: account.sh FOLDER…  A new volume takes over whose its folder is.
set -eu
for folder; do
  mkdir -p "$folder"
  chown 10001:10001 "$folder"
  chmod 0700 "$folder"
done
