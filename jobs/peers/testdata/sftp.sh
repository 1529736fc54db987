# OpenSSH's sftp
do_sftp() { sftp -b - -P "$PORT" -i "$KEY" -o IdentitiesOnly=yes -o UserKnownHostsFile="$KNOWN_HOSTS" "$ACCOUNT@$HOST" <<<"$1"; }

put()    { do_sftp "put \"$1\" \"$2\""; }
get()    { do_sftp "get \"$1\" \"$2\""; }
list()   { do_sftp "ls -1 \"$1\""; }
rename() { do_sftp "rename \"$1\" \"$2\""; }
resume() { do_sftp "reput \"$1\" \"$2\""; }
tree()   { do_sftp "put -R \"$1\" \"$2\""; }

link()   { do_sftp "ln -s \"$1\" \"$2\""; }
