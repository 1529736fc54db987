package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs/state"

	"golang.org/x/sys/unix"
)

// TestADiskThatIsFull records until the disk is full, makes room, and goes on.
func TestADiskThatIsFull(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); errors.Is(err, unix.EPERM) {
		t.Skip("needs the right to mount a small disk, as root has")
	} else if err != nil {
		t.Fatal(err)
	}
	path, filler := filepath.Join(disk, "state.db"), filepath.Join(disk, "filler")
	s := open(t, path)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), unix.Unmount(disk, 0)); err != nil {
			t.Error(err)
		}
	})
	said := map[string][]string{}
	for round := range 3 {
		fill(t, filler)
		full := 0
		for n := 0; full < 5; n++ {
			e, err := recordFile(t.Context(), s, fmt.Sprint(round, "/", n))
			switch {
			case err == nil:
				said["recorded"] = append(said["recorded"], e.ID)
			case !strings.Contains(err.Error(), "disk is full: free some space") || !strings.Contains(err.Error(), path):
				t.Fatal(err)
			default:
				full++
			}
		}
		if list, err := s.Files(t.Context(), "fabrikam"); len(list) != len(said["recorded"]) || err != nil {
			t.Errorf("%d files are there of %d, %v", len(list), len(said["recorded"]), err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if e, err := recordFile(t.Context(), s, fmt.Sprint("after ", round)); err != nil {
			t.Fatal(err)
		} else {
			said["recorded"] = append(said["recorded"], e.ID)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	unharmed(t, path)
	filesAreThere(t, open(t, path), said)
	t.Logf("%d files", len(said["recorded"]))
}

// fill takes what is left of a disk but for some pages.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(bytes.Repeat([]byte{1}, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err := errors.Join(err, f.Truncate(size-(200<<10)), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestNewDatabaseOnAFullDisk has no room for the tables.
func TestNewDatabaseOnAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=40k"); errors.Is(err, unix.EPERM) {
		t.Skip("needs the right to mount a small disk, as root has")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, 0) })
	s, err := state.Open(t.Context(), filepath.Join(disk, "state.db"))
	if err == nil {
		t.Fatal(s.Close())
	}
	if !strings.Contains(err.Error(), "disk") || !strings.Contains(err.Error(), "space") {
		t.Error(err)
	}
	t.Log(err)
}
