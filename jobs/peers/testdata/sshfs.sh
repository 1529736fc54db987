# sshfs: the home as a folder of one's own machine. An unmount right behind a
# copy can overtake the close of the file, which then counts as broken off: with
# -s sshfs does one thing after the other, and what is asked last is answered
# last.
mounted() {
	mkdir -p "$MOUNT"
	sshfs -s -p "$PORT" -o IdentityFile="$KEY" -o IdentitiesOnly=yes -o UserKnownHostsFile="$KNOWN_HOSTS" "$ACCOUNT@$HOST:/" "$MOUNT"
	local failed=0
	"$@" || failed=$?
	stat -f "$MOUNT" >/dev/null || failed=$?
	fusermount3 -u "$MOUNT"
	return "$failed"
}

append() { tail -c "+$(($(stat -c %s "$2") + 1))" "$1" >>"$2"; }

put()    { mounted cp "$1" "$MOUNT/$2"; }
get()    { mounted cp "$MOUNT/$1" "$2"; }
list()   { mounted ls "$MOUNT/$1"; }
rename() { mounted mv "$MOUNT/$1" "$MOUNT/$2"; }
resume() { mounted append "$1" "$MOUNT/$2"; }
tree()   { mounted cp -r "$1" "$MOUNT/$2"; }

link()   { mounted ln -s "$1" "$MOUNT/$2"; }
