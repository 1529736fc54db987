# OpenSSH's sftp that learns the host keys to come from the server it knows.
# It does so while a session lasts; one that is over at once learns nothing.
session() {
	sftp -b - -P "$PORT" -i "$KEY" -o IdentitiesOnly=yes -o UserKnownHostsFile="$KNOWN_HOSTS" \
		-o UpdateHostKeys=yes -o StrictHostKeyChecking=yes "$ACCOUNT@$HOST" <"$1"
}
