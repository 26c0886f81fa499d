#!/bin/sh
# Tells Grafana what "prepare" has made: where the InfluxDB is, and an account there that may only read.
set -eu
secrets=${METERHOUSE_SECRETS:-/run/meterhouse}
for name in influx_url influx_database influx_token; do
  [ -s "$secrets/$name" ] || { echo "grafana: $secrets/$name is missing: has prepare run?" >&2; exit 2; }
done
METERHOUSE_INFLUX_URL=$(cat "$secrets/influx_url")
METERHOUSE_INFLUX_DATABASE=$(cat "$secrets/influx_database")
METERHOUSE_INFLUX_TOKEN=$(cat "$secrets/influx_token")
export METERHOUSE_INFLUX_URL METERHOUSE_INFLUX_DATABASE METERHOUSE_INFLUX_TOKEN
exec /run.sh "$@"
