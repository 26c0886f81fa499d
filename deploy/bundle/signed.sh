# Read by the other scripts, in the bundle's folder: ends them unless everything here is as the owner of $key signed it.
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 || {
  echo "this bundle was not signed with that key: nothing was installed" >&2; exit 1
}
sha256sum --quiet --strict -c SHA256SUMS >/dev/null 2>&1 || {
  echo "a file of this bundle is missing or was changed: nothing was installed" >&2; exit 1
}
[ "$(find . -type f | wc -l)" -eq $(( $(wc -l <SHA256SUMS) + 2 )) ] || {
  echo "this bundle holds files that nobody has signed: nothing was installed" >&2; exit 1
}
