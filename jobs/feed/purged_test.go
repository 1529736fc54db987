package feed

import (
	"path/filepath"
	"testing"
	"time"

	"concord/jobs"
)

// TestAPurgedFileIsNotTakenAnew also has one of its masked name that is another.
func TestAPurgedFileIsNotTakenAnew(t *testing.T) {
	const name, other = "m_493012345678.csv", "m_493099995678.csv"
	f := open(t)
	f.put(name, "calls", time.Hour)
	f.scan(name)
	f.l.entries[0].RawPurged, f.l.entries[0].Name = 1, jobs.Mask(name)
	f.seen = nil // as after a start
	f.scan()
	f.put(other, "other calls", time.Hour)
	f.scan(other)
	if left, err := filepath.Glob(filepath.Join(f.Folder, "*")); len(left) != 2 || err != nil {
		t.Error(left, err)
	}
}
