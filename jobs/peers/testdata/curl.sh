# curl with libssh2
do_curl() { curl -sS --user "$ACCOUNT:" --key "$KEY" --hostpubsha256 "${HOST_KEY#SHA256:}" "$@"; }

# at returns the URL of a name, with every byte but the slashes in hex.
at() { printf 'sftp://%s:%s/%s' "$HOST" "$PORT" "$(printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' % | sed 's,%2f,/,g')"; }

put()    { do_curl -T "$1" "$(at "$2")"; }
get()    { do_curl -o "$2" "$(at "$1")"; }
list()   { do_curl -l "$(at "$1/")"; }
rename() { do_curl -Q "rename \"/$1\" \"/$2\"" -o /dev/null "$(at inbox/)"; }
resume() { do_curl -C - -T "$1" "$(at "$2")"; }
tree()   {
	cd "$(dirname "$1")"
	find "$(basename "$1")" -type f | while IFS= read -r f; do
		do_curl --ftp-create-dirs -T "$f" "$(at "$2/$f")" </dev/null
	done
}

# put_for gives up after so many seconds.
put_for() { do_curl --limit-rate 1M -m "$1" -T "$2" "$(at "$3")"; }

link()   { do_curl -Q "symlink \"$1\" \"/$2\"" -o /dev/null "$(at inbox/)"; }
