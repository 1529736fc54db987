package jobs

import (
	"context"
	"time"
)

// HostFile is a file that was taken from one of Microsoft's hosts, as it was
// there. A file of the same name and another size or time is another one.
type HostFile struct {
	Host    string // by its name in the configuration
	Name    string // below what is taken from the host, with slashes
	Bytes   int64
	Changed time.Time
	Taken   time.Time
}

// HostFiles remembers what was taken from Microsoft's hosts.
type HostFiles interface {
	// HostFiles lists what was taken from a host, in any order.
	HostFiles(ctx context.Context, host string) ([]HostFile, error)
	// KeepHostFile remembers a file. Repeated, it changes nothing.
	KeepHostFile(ctx context.Context, f HostFile) error
}
