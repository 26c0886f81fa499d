#!/usr/bin/env bash
# Builds the real servers that Debian does not have, once, outside the work tree. A word more builds more:
# "influxdb2" InfluxDB 2.7.12, which needs Rust beside Go; "peer" Telegraf, for make bench.
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

if [ "${1:-}" = influxdb2 ] && [ ! -x "$into/influxd2" ]; then
  echo "building influxd 2.7.12: about four minutes, once"
  command -v cargo >/dev/null || { echo "influxd 2.7.12 cannot be built: cargo is not installed" >&2; exit 1; }
  build github.com/influxdata/pkg-config@v0.2.14  # what its go.mod names: it builds the Rust half
  printf '#!/bin/sh\nexec cargo "$@" -p flux --no-default-features --features cffi\n' >"$into/cargo"
  chmod +x "$into/cargo"  # without its feature "strict", for which a warning of a newer Rust is an error
  # Its go.mod replaces a module, so "go install" refuses it: built from within.
  cd "$(go mod download -json github.com/influxdata/influxdb/v2@v2.7.12 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')"
  CARGO="$into/cargo" PKG_CONFIG="$into/pkg-config" RUSTUP_TOOLCHAIN=stable \
    go build -tags sqlite_foreign_keys,sqlite_json -ldflags "-X main.version=2.7.12" -o "$into/influxd2" ./cmd/influxd
fi
