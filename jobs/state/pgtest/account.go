package pgtest

import (
	"fmt"
	"os/user"
	"strconv"
)

// postgres returns the ids of the user that the system's package made.
func postgres() (uid, gid uint32, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, fmt.Errorf("root cannot run PostgreSQL, and there is no user postgres: %w", err)
	}
	ids := [2]uint64{}
	for i, s := range []string{u.Uid, u.Gid} {
		if ids[i], err = strconv.ParseUint(s, 10, 32); err != nil {
			return 0, 0, err
		}
	}
	return uint32(ids[0]), uint32(ids[1]), nil
}
