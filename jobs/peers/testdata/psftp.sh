# PuTTY's psftp; puttygen KEY -O private -o KEY.ppk makes its form of a key
do_psftp() { psftp -batch -P "$PORT" -l "$ACCOUNT" -i "$PPK" -hostkey "$HOST_KEY" -b /dev/stdin "$HOST" <<<"$1"; }

put()    { do_psftp "put \"$1\" \"$2\""; }
get()    { do_psftp "get \"$1\" \"$2\""; }
list()   { do_psftp "ls \"$1\""; }
rename() { do_psftp "mv \"$1\" \"$2\""; }
resume() { do_psftp "reput \"$1\" \"$2\""; }
tree()   { do_psftp "put -r \"$1\" \"$2/$(basename "$1")\""; }
