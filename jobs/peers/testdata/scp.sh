# OpenSSH's scp, which speaks SFTP with -s (from version 9 on also without)
do_scp() { scp -s -P "$PORT" -i "$KEY" -o IdentitiesOnly=yes -o UserKnownHostsFile="$KNOWN_HOSTS" "$@"; }

put()    { do_scp "$1" "$ACCOUNT@$HOST:$2"; }
get()    { do_scp "$ACCOUNT@$HOST:$1" "$2"; }
tree()   { do_scp -r "$1" "$ACCOUNT@$HOST:$2"; }
