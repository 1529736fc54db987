# Python with paramiko
put()    { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" put "$@"; }
get()    { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" get "$@"; }
list()   { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" list "$@"; }
rename() { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" rename "$@"; }
resume() { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" resume "$@"; }
tree()   { /usr/bin/python3 -u "$SCRIPTS/with_paramiko.py" tree "$@"; }
