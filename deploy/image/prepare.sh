#!/bin/sh
# Makes what the other services need, once; later it renews certificates and changes nothing else.
set -eu
umask 077
meterhouse prepare --begin --influx "${METERHOUSE_INFLUX:-http://influxdb:8086}" --grafana "${METERHOUSE_GRAFANA_SECRETS:-/var/lib/meterhouse-grafana}"
meterhouse dashboards build --out "${METERHOUSE_DASHBOARDS:-/var/lib/meterhouse-dashboards}" ||
  echo "no dashboards yet: once the estate has its meters, 'docker compose up prepare' makes them" >&2
