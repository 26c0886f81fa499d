#!/usr/bin/env bash
# Builds the real servers that Debian does not have, once, outside the work tree; with "peer" also Telegraf, for make bench.
set -euo pipefail
into="${XDG_CACHE_HOME:-$HOME/.cache}/meterhouse"
mkdir -p "$into"

build() {  # package@version, then options of go install
  if ! command -v go >/dev/null; then
    echo "$1 cannot be built: go is not installed (Debian: golang-go)" >&2
    exit 1
  fi
  GOBIN="$into" go install "${@:2}" "$1"
}

if ! command -v influxd >/dev/null && [ ! -x "$into/influxd" ]; then
  echo "building influxd 1.8.10: about three minutes, once"
  build github.com/influxdata/influxdb/cmd/influxd@v1.8.10
fi
if [ "${1:-}" = peer ] && ! command -v telegraf >/dev/null && [ ! -x "$into/telegraf" ]; then
  echo "building telegraf 1.37.2"
  build github.com/influxdata/telegraf/cmd/telegraf@v1.37.2 \
    -tags custom,inputs.mqtt_consumer,outputs.influxdb,parsers.influx,parsers.json
fi
