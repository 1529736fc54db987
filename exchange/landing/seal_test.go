//go:build linux

package landing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The power is cut after a file has its name and before its content has
// reached the disk: the file is there, and shorter than it was.
func TestAFileTornByAPowerCutIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Setxattr(dir, "user.concord.try", nil, 0); errors.Is(err, unix.ENOTSUP) {
		// The file system has no such attributes: content is flushed first there.
		dir = filepath.Join(".", "testdata", "tmp")
		t.Logf("looking for a file system with attributes in %s", dir)
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	s := home(t, dir, Terms{}, nil).Session()
	content := strings.Repeat("0123456789\n", 1000) + "end\n"
	mustPut(t, s, "inbox/torn.csv", content)
	mustPut(t, s, "inbox/whole.csv", content)
	mustPut(t, s, "inbox/renamed.csv.tmp", content)
	if err := s.Rename("inbox/renamed.csv.tmp", "inbox/renamed.csv", false); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, Inbox, "torn.csv"), 4096); err != nil {
		t.Fatal(err)
	}
	again := home(t, dir, Terms{}, nil).Session()
	for name, want := range map[string]arrival{"torn.csv": partial, "whole.csv": closed, "renamed.csv": vouched} {
		if got := arrivalIn(t, dir, name); got != want {
			t.Errorf("%s: arrival %d, want %d", name, got, want)
		}
	}
	// Its client, which was not told that it had arrived, sends it again.
	mustPut(t, again, "inbox/torn.csv", content)
	if got := arrivalIn(t, dir, "torn.csv"); got != closed || onDisk(dir, "inbox/torn.csv") != content {
		t.Errorf("sent again: arrival %d", got)
	}
}
