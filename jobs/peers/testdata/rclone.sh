# rclone; the remote is of type sftp with shell_type = none and disable_hashcheck = true
do_rclone() { rclone --config "$RCLONE_CONF" --retries 1 --low-level-retries 1 "$@"; }

put()    { do_rclone copyto "$1" "concord:$2"; }
get()    { do_rclone copyto "concord:$1" "$2"; }
list()   { do_rclone lsf "concord:$1"; }
rename() { do_rclone moveto "concord:$1" "concord:$2"; }
tree()   { do_rclone copy "$1" "concord:$2/$(basename "$1")"; }
