package atrest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRewrapToNewKeysAndBackToNone(t *testing.T) {
	dir, old := t.TempDir(), pair(t)
	want := map[string][]byte{"a/clear": content(100), "a/old": content(chunkSize + 1), "b/deep/new": content(3), "b/empty": {}, "else": content(9)}
	now := pair(t, old)
	for name, b := range want {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, map[string]*Keys{"a/old": old, "b/deep/new": now}[name], filepath.Join(dir, name), b)
	}
	if err := os.Chmod(filepath.Join(dir, "a/old"), 0o400); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "a/old"))
	if err := errors.Join(err, old.Mark(dir), os.WriteFile(filepath.Join(dir, "a/old"+rewrapEnding), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	same := func(k *Keys, where string) {
		t.Helper()
		for name, b := range want {
			if got, err := read(k, filepath.Join(dir, name)); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s: %s: %v", where, name, err)
			}
		}
	}
	n, err := now.Rewrap(t.Context(), dir, []string{"a", "b", "not there"}, false)
	if err != nil || n.Written != 3 || n.Left != 1 {
		t.Errorf("rewrapped: %+v, %v", n, err)
	}
	same(now, "rewrapped")
	if err := pairOf(t, now).Check(dir); err != nil { // without the old identity
		t.Error(err)
	}
	same(pairOf(t, now), "without the old identity")
	after, err := os.Stat(filepath.Join(dir, "a/old"))
	if err != nil || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("mode and time: %v, %v", after, err)
	}
	if n, err := now.Rewrap(t.Context(), dir, []string{"a", "b"}, false); err != nil || n.Written != 0 || n.Left != 4 {
		t.Errorf("again: %+v, %v", n, err)
	}
	if n, err := now.Rewrap(t.Context(), dir, []string{"a", "b"}, true); err != nil || n.Written != 4 {
		t.Errorf("in clear: %+v, %v", n, err)
	}
	same(nil, "in clear")
	if err := (*Keys)(nil).Check(dir); err != nil {
		t.Error(err)
	}
}

// pairOf returns the keys without identities of others.
func pairOf(t *testing.T, k *Keys) *Keys {
	t.Helper()
	alone, err := New(Given{k.given.Recipients, k.given.Identities[:1]})
	if err != nil {
		t.Fatal(err)
	}
	return alone
}
