#!/bin/sh
# Runs the broker in the folder that "prepare" has filled, and lets it read accounts, rights and certificate again
# when one of them has changed.
set -eu
for name in mosquitto.conf accounts rights server.pem server.key; do
  [ -s "$name" ] || { echo "mosquitto: $PWD/$name is missing: has prepare run?" >&2; exit 2; }
done
mosquitto -c mosquitto.conf &
broker=$!
trap 'kill "$broker"; wait "$broker"' TERM INT
stamp() { ls -l --full-time accounts rights server.pem 2>/dev/null || ls -l accounts rights server.pem; }
seen=$(stamp)
while kill -0 "$broker" 2>/dev/null; do
  sleep 2 &
  wait $! || true
  now=$(stamp)
  [ "$now" = "$seen" ] || kill -HUP "$broker"
  seen=$now
done
wait "$broker"
