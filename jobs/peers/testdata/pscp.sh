# PuTTY's pscp
do_pscp() { pscp -sftp -batch -P "$PORT" -l "$ACCOUNT" -i "$PPK" -hostkey "$HOST_KEY" "$@"; }

put()    { do_pscp "$1" "$HOST:$2"; }
get()    { do_pscp "$HOST:$1" "$2"; }
list()   { do_pscp -ls "$HOST:$1"; }
tree()   { do_pscp -r "$1" "$HOST:$2"; }
