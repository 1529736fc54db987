package jobs

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// apply bounds this process. A process that goes beyond is killed by the
// system.
func (l limits) apply() error {
	for _, r := range []struct {
		name     string
		resource int
		limit    int64
	}{
		{"memory", unix.RLIMIT_DATA, l.Hard},
		{"processor time", unix.RLIMIT_CPU, l.CPU},
		{"core dumps", unix.RLIMIT_CORE, 0},
	} {
		if err := lower(r.resource, uint64(r.limit)); err != nil {
			return fmt.Errorf("limit %s: %w", r.name, err)
		}
	}
	return nil
}

// lower sets a limit unless a lower one is already in force.
func lower(resource int, limit uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	limit = min(limit, now.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit})
}
