package landing

import (
	"errors"
	"fmt"
	"time"
)

// Policy says what a carrier does to show that a file is complete.
type Policy string

const (
	OnClose    Policy = "close"       // it closes the file
	OnRename   Policy = "rename"      // it renames the file from a temporary name
	OnMarker   Policy = "done_marker" // it puts NAME.done beside the file
	OnManifest Policy = "manifest"    // it puts NAME.sha256 beside the file
	OnQuiet    Policy = "quiet"       // it leaves the file alone for a while
)

// Terms are what holds for one carrier's home. The zero value has the
// defaults in brackets.
type Terms struct {
	Policy   Policy        // [close]
	Quiet    time.Duration // how long a file is unchanged under OnQuiet [60 s]
	Hold     time.Duration // from a close to the claim, for clients that take back what broke off [2 s]
	Grace    time.Duration // how long a claimed file stays after its session has ended [60 s]
	Deadline time.Duration // how long a file may be unfinished [1 h]
	Rescan   time.Duration // how often the inbox is looked through when nothing happens [10 s]

	MaxFile  int64 // bytes of one file [16 GiB]
	MaxBytes int64 // bytes in the inbox and among the rejected [64 GiB]
	MaxFiles int64 // files there [10,000]
}

// withDefaults fills in what is zero.
func (t Terms) withDefaults() Terms {
	if t.Policy == "" {
		t.Policy = OnClose
	}
	for _, d := range []struct {
		v  *time.Duration
		or time.Duration
	}{
		{&t.Quiet, time.Minute}, {&t.Hold, 2 * time.Second}, {&t.Grace, time.Minute},
		{&t.Deadline, time.Hour}, {&t.Rescan, 10 * time.Second},
	} {
		if *d.v == 0 {
			*d.v = d.or
		}
	}
	for _, n := range []struct {
		v  *int64
		or int64
	}{{&t.MaxFile, 16 << 30}, {&t.MaxBytes, 64 << 30}, {&t.MaxFiles, 10_000}} {
		if *n.v == 0 {
			*n.v = n.or
		}
	}
	return t
}

// Validate returns every fault of the terms.
func (t Terms) Validate() error {
	var errs []error
	switch t.Policy {
	case "", OnClose, OnRename, OnMarker, OnManifest, OnQuiet:
	default:
		errs = append(errs, fmt.Errorf("policy: %q is none; there are close, rename, done_marker, manifest and quiet", t.Policy))
	}
	for name, d := range map[string]time.Duration{"quiet": t.Quiet, "hold": t.Hold, "grace": t.Grace, "deadline": t.Deadline, "rescan": t.Rescan} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s: %s is negative", name, d))
		}
	}
	for name, n := range map[string]int64{"max_file": t.MaxFile, "max_bytes": t.MaxBytes, "max_files": t.MaxFiles} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("%s: %d is negative", name, n))
		}
	}
	return errors.Join(errs...)
}
