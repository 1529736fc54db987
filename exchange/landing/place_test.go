package landing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A name of the service's own is a mark: no client gives it, and none takes it
// away or changes what has it.
func TestReservedNamesAreTheServices(t *testing.T) {
	h := home(t, filepath.Join(t.TempDir(), "fabrikam"), Terms{}, nil)
	s := h.Session()
	if err := h.Place("concord-rows_a.csv", []byte("rows")); err != nil {
		t.Fatal(err)
	}
	if err := h.Place("concord-rows_a.csv", []byte("others")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("it is placed twice: %v", err)
	}
	for _, name := range []string{"rows_a.csv", "x/concord-rows_a.csv", "../concord-rows_a.csv"} {
		if err := h.Place(name, nil); err == nil {
			t.Errorf("%s is placed", name)
		}
	}
	mustPut(t, s, "inbox/own.csv", "mine")
	for _, name := range []string{
		"inbox/concord-rows_a.csv", "/inbox/./concord-rows_a.csv", "inbox/x/../concord-rows_a.csv", "inbox/concord-rows_b.csv", "inbox/Concord-ROWS_b.csv", "inbox/concord-rows_",
		"inbox/concord-rows_dir/a.csv", "inbox/concord-rows_a.csv.sha256", "inbox/concord-rows_a.csv.done", "inbox/concord-rows_a.csv.part",
	} {
		for op, do := range map[string]func() error{
			"upload":   func() error { return put(s, name, "x", 1) },
			"resume":   func() error { _, err := s.Upload(name, UploadOptions{}); return err },
			"mkdir":    func() error { return s.Mkdir(name) },
			"rmdir":    func() error { return s.Rmdir(name) },
			"remove":   func() error { return s.Remove(name) },
			"from":     func() error { return s.Rename(name, "inbox/gotcha", true) },
			"to":       func() error { return s.Rename("inbox/own.csv", name, true) },
			"truncate": func() error { return s.Truncate(name, 0) },
			"chtimes":  func() error { return s.Chtimes(name, time.Unix(1, 0)) },
		} {
			var known *Error
			if err := do(); !errors.As(err, &known) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(known.Text, "stay as they are") {
				t.Errorf("%s %s: %v", op, name, err)
			}
		}
	}
	f, err := s.Open("inbox/concord-rows_a.csv")
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	list, err := s.List("inbox")
	if err != nil || len(list) != 2 || list[0].Name() != "concord-rows_a.csv" || list[0].Size() != 4 {
		t.Errorf("%v, %v", list, err)
	}
}

// What was placed is taken whatever the carrier agreed on for its files, once,
// and whatever fails.
func TestWhatWasPlacedIsTaken(t *testing.T) {
	for _, policy := range []Policy{OnClose, OnRename, OnMarker, OnManifest, OnQuiet} {
		synctest.Test(t, func(t *testing.T) {
			d := tend(t, newDir(t), Terms{Policy: policy, Quiet: time.Hour}, newNotary(), nil)
			if err := d.Place("concord-rows_a.csv", []byte(whole)); err != nil {
				t.Fatal(err)
			}
			later(5 * time.Second)
			if got := d.notary.statuses(); !slices.Equal(got, []string{"concord-rows_a.csv accepted"}) {
				t.Errorf("%s: decided %v", policy, got)
			}
			later(2 * time.Minute)
			if _, err := os.Stat(filepath.Join(d.dir, Inbox, "concord-rows_a.csv")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: it is still there: %v", policy, err)
			}
		})
	}
}

func TestPlacingIsWholeOrNot(t *testing.T) {
	sweep(t, func(t *testing.T, i int) bool {
		f := &faults{}
		dir := filepath.Join(t.TempDir(), "fabrikam")
		h := home(t, dir, Terms{}, f)
		f.begin(only(i))
		err := h.Place("concord-rows_a.csv", []byte(whole))
		happened := f.happened(i)
		f.begin(func(int) bool { return false })
		if again := h.Place("concord-rows_a.csv", []byte(whole)); again != nil && !errors.Is(again, fs.ErrExist) {
			t.Fatalf("operation %d: %v, then %v", i, err, again)
		}
		b, err := os.ReadFile(filepath.Join(dir, Inbox, "concord-rows_a.csv"))
		if err != nil || string(b) != whole {
			t.Errorf("operation %d: %q, %v", i, b, err)
		}
		return happened
	})
}
