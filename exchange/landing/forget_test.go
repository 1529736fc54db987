package landing

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var arrived = time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)

// relics puts into a home what two files left, and what others did.
func relics(t *testing.T, dir string) (good, bad Relic) {
	t.Helper()
	good = Relic{Name: "sub/good.csv", SHA256: sumOf("good"), Bytes: 4, Received: arrived}
	bad = Relic{Name: "bad.csv", SHA256: sumOf("evil"), Bytes: 4, Received: arrived}
	for name, text := range map[string]string{
		"archive/2026-10-01/good.csv": "good", "archive/2026-10-01/good.csv.done": "", "archive/2026-10-01/good.2.csv": "kind",
		"archive/2026-10-02/good.csv": "good", "rejected/bad.csv": "evil", "rejected/bad.csv.sha256": "sum", "rejected/other.csv": "ugly",
		"receipts/sub/good.csv.json": said(t, good), "receipts/bad.csv.json": said(t, bad), "receipts/bad.csv.rejected.csv": "row", "receipts/other.csv.json": "{}",
	} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return good, bad
}

func said(t *testing.T, r Relic) string {
	t.Helper()
	b, err := json.Marshal(Receipt{File: r.Name, SHA256: r.SHA256, Bytes: r.Bytes, Received: r.Received, Seconds: "0"})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWhatIsForgottenIsGoneAndNothingElse fails each step of it once, and goes
// on.
func TestWhatIsForgottenIsGoneAndNothingElse(t *testing.T) {
	want := []string{"archive/2026-10-01/good.2.csv", "archive/2026-10-02/good.csv", "receipts/other.csv.json", "rejected/other.csv"}
	for at := 0; ; at++ {
		dir := newDir(t)
		good, bad := relics(t, dir)
		f := new(faults)
		h := home(t, dir, Terms{}, f)
		f.begin(only(at))
		var err error
		for _, r := range []Relic{good, bad} {
			if err == nil {
				err = h.Forget(t.Context(), r)
			}
		}
		clean := err == nil && !f.happened(at)
		f.begin(nil)
		for _, r := range []Relic{good, bad, good} { // once more changes nothing
			if err := h.Forget(t.Context(), r); err != nil {
				t.Fatal(at, err)
			}
		}
		if got := files(t, dir); !slices.Equal(got, want) {
			t.Fatalf("fault at %d: %v", at, got)
		}
		if h.refused != (usage{4, 1}) {
			t.Errorf("fault at %d: the rejected are counted as %+v", at, h.refused)
		}
		if _, err := os.Stat(filepath.Join(dir, "receipts", "sub")); err == nil && clean {
			t.Error("an empty folder stays, whose name the carrier has chosen")
		}
		if clean {
			return
		}
	}
}

// TestTheReceiptOfALaterFileStays has one of the same name.
func TestTheReceiptOfALaterFileStays(t *testing.T) {
	dir := newDir(t)
	_, bad := relics(t, dir)
	later := bad
	later.Received = arrived.Add(time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "receipts", "bad.csv.json"), []byte(said(t, later)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := home(t, dir, Terms{}, nil).Forget(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	got := files(t, dir)
	if !slices.Contains(got, "receipts/bad.csv.json") || !slices.Contains(got, "receipts/bad.csv.rejected.csv") || slices.Contains(got, "rejected/bad.csv") {
		t.Error(got)
	}
}

// TestAContentIsDiscardedWhenNobodyHasIt also fails each step once.
func TestAContentIsDiscardedWhenNobodyHasIt(t *testing.T) {
	held := true
	holds := func(context.Context, string) (bool, error) { return held, nil }
	s, dir := openSpool(t)
	add := func() Content {
		c, err := s.Add(t.Context(), strings.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	is := func(settled bool, left int) {
		t.Helper()
		got, err := s.Discard(t.Context(), sumOf(whole), holds)
		if n := len(files(t, dir)); got != settled || n != left || err != nil {
			t.Error(got, n, err)
		}
	}
	c := add()
	held = false
	is(false, 1) // somebody decides of it
	if err := s.Release(c.SHA256, true); err != nil {
		t.Fatal(err)
	}
	held = true
	is(true, 1)
	held = false
	is(true, 0)
	is(true, 0)
	f := new(faults)
	s.root, s.sync = faulty{s.root.(*os.Root), f}, f.flush
	for at := 0; ; at++ {
		c := add()
		if err := s.Release(c.SHA256, true); err != nil {
			t.Fatal(err)
		}
		f.begin(only(at))
		settled, err := s.Discard(t.Context(), c.SHA256, holds)
		f.begin(nil)
		if settled != (err == nil) {
			t.Error(at, settled, err)
		}
		is(true, 0)
		if err == nil {
			return
		}
	}
}
