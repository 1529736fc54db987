# lftp, which starts OpenSSH's ssh
do_lftp() {
	lftp -c "set sftp:connect-program 'ssh -a -x -i \"$KEY\" -o IdentitiesOnly=yes -o UserKnownHostsFile=\"$KNOWN_HOSTS\"'
		set cmd:fail-exit yes; set net:max-retries 1
		open -u $ACCOUNT, -p $PORT sftp://$HOST
		$1"
}

put()    { do_lftp "put \"$1\" -o \"$2\""; }
get()    { do_lftp "get \"$1\" -o \"$2\""; }
list()   { do_lftp "cls -1 \"$1\""; }
rename() { do_lftp "mv \"$1\" \"$2\""; }
resume() { do_lftp "put -c \"$1\" -o \"$2\""; }
tree()   { do_lftp "mirror -R \"$1\" \"$2/$(basename "$1")\""; }
