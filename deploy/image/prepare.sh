#!/bin/sh
# Makes what the other services need, once; later it renews certificates and changes nothing else.
set -eu
umask 077
set -- --begin --influx "${METERHOUSE_INFLUX:-http://influxdb:8086}"
set -- "$@" --grafana "${METERHOUSE_GRAFANA_SECRETS:-/var/lib/meterhouse-grafana}"
password=${METERHOUSE_POSTGRES_SECRETS:-/var/lib/meterhouse-postgres}/password
if [ -s "$password" ]; then  # the profile "postgres" has made one: the records are there from then on
  set -- "$@" --postgres "${METERHOUSE_POSTGRES:-postgres:5432}" --postgres-password "$password"
fi
meterhouse prepare "$@"
meterhouse dashboards build --out "${METERHOUSE_DASHBOARDS:-/var/lib/meterhouse-dashboards}" ||
  echo "no dashboards yet: once the estate has its meters, 'docker compose up prepare' makes them" >&2
