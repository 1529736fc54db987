package service

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file of which nothing can be decided would be nowhere but in the log.
func TestFilesThatWaitAreListedAsLongAsTheyLieThere(t *testing.T) {
	var w waiting
	dir, at := t.TempDir(), time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)
	for _, name := range []string{"b.csv", "calls_493012348877.csv", "moved.csv", "decided.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.told("fabrikam", name, "only one column was found", at)
	}
	w.told("litware", "b.csv", "it is empty", at)
	w.told("fabrikam", "../b.csv", "it is elsewhere", at)
	w.told("fabrikam", "b.csv", "a trailer is missing", at)
	w.decided("fabrikam", "decided.csv")
	if err := os.Remove(filepath.Join(dir, "moved.csv")); err != nil {
		t.Fatal(err)
	}
	list := w.of(dir, "fabrikam")
	if len(list) != 2 || list[0].File != "b.csv" || list[0].Why != "a trailer is missing" || !list[0].Told.Equal(at) || list[1].File != "calls_…8877.csv" {
		t.Errorf("waiting: %+v", list)
	}
	for i := range 3 * mostWaiting {
		w.told("contoso", string(rune('a'+i%26))+time.Duration(i).String(), "x", at)
	}
	if len(w.files) > mostWaiting {
		t.Errorf("%d are kept", len(w.files))
	}
}
