#!/bin/sh
# Builds the images of the server and of an agent from this bundle, without a network: images.sh PUBLIC-KEY
# The images that they begin from, and those of others in docker-compose.yml, are brought by docker save and docker load.
set -eu
[ $# -eq 1 ] || { echo "usage: images.sh PUBLIC-KEY" >&2; exit 2; }
key=$1
case $key in /*) ;; *) key=$PWD/$key ;; esac
cd -- "$(dirname -- "$0")"
. ./signed.sh
command -v docker >/dev/null || refuse "docker is not here, which builds images"
given=$(mktemp -d)
trap 'rm -rf -- "$given"' EXIT
cp -r wheels "$given/wheel"  # in the place of the stage that would build ours
version=$(cat version)
for target in server edge; do
  docker build --network none --build-context "wheel=$given" --target "$target" -t "meterhouse-$target:$version" image
done
echo "built meterhouse-server:$version and meterhouse-edge:$version; image/docker-compose.yml starts them"
