# Read by the other scripts, in the bundle's folder: ends them unless everything here is as the owner of $key signed it.
refuse() { echo "$1: nothing was installed" >&2; exit 1; }
command -v openssl >/dev/null || refuse "openssl is not here, by which the signature is looked at"
[ -f "$key" ] && [ -r "$key" ] || refuse "there is no public key in $key that can be read"
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 ||
  refuse "the bundle in $PWD was not signed with that key, $key"
wrong=$(sha256sum --quiet --strict -c SHA256SUMS 2>/dev/null) ||
  refuse "a file of this bundle is missing or was changed, ${wrong%%: *}"
here() { find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | cut -c 3-; }
more=$({ cut -c 67- SHA256SUMS; here; } | sort | uniq -u | head -n 1)
[ -z "$more" ] && [ "$(here | wc -l)" -eq "$(wc -l <SHA256SUMS)" ] ||
  refuse "this bundle holds a file that nobody has signed, $more"
