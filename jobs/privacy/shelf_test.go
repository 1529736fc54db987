package privacy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func there(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// TestAReportGoesWhereverItIs has one version in its place, one on its way, and
// another one of the period.
func TestAReportGoesWhereverItIs(t *testing.T) {
	dir := t.TempDir()
	s := &Shelf{Reports: dir}
	for _, name := range []string{"fabrikam/2026-10/v1/a.csv", "fabrikam/2026-10/v2/a.csv", ".staging/id1~run~1/a.csv", ".staging/id11~run~1/a.csv"} {
		put(t, filepath.Join(dir, name), "12345")
	}
	p := jobs.Purgeable{ID: "id1", Remains: jobs.Remains{Name: "fabrikam/2026-10/v1"}}
	if n := s.Size(jobs.ClassReports, "fabrikam", &p); n != 5 {
		t.Error(n)
	}
	for range 2 {
		if gone, err := s.Remove(t.Context(), jobs.Remains{Class: jobs.ClassReports, Object: "id1", Name: "fabrikam/2026-10/v1"}); !gone || err != nil {
			t.Error(gone, err)
		}
	}
	if there(filepath.Join(dir, "fabrikam/2026-10/v1")) || there(filepath.Join(dir, ".staging/id1~run~1")) || !there(filepath.Join(dir, ".staging/id11~run~1/a.csv")) || !there(filepath.Join(dir, "fabrikam/2026-10/v2")) {
		t.Error("too much or too little is gone")
	}
	if _, err := s.Remove(t.Context(), jobs.Remains{Class: jobs.ClassReports, Object: "id2", Name: "fabrikam/2026-10/v2"}); err != nil || there(filepath.Join(dir, "fabrikam/2026-10")) || !there(filepath.Join(dir, "fabrikam")) {
		t.Error(err)
	}
}

// TestRecordsGoWithAllThatBelongsToThem also asks for some that are not there.
func TestRecordsGoWithAllThatBelongsToThem(t *testing.T) {
	dir := t.TempDir()
	s := &Shelf{Records: dir}
	path := jobs.RecordsPath(dir, "fabrikam", "id1")
	put(t, path, "12345")
	put(t, path+".damaged", "1")
	put(t, jobs.RecordsPath(dir, "fabrikam", "id2"), "1")
	if n := s.Size(jobs.ClassRecords, "fabrikam", &jobs.Purgeable{ID: "id1"}); n != 5 {
		t.Error(n)
	}
	for _, carrier := range []string{"fabrikam", "fabrikam", "nobody"} {
		if gone, err := s.Remove(t.Context(), jobs.Remains{Class: jobs.ClassRecords, Carrier: carrier, Object: "id1"}); !gone || err != nil {
			t.Error(gone, err)
		}
	}
	list, err := os.ReadDir(filepath.Join(dir, "fabrikam"))
	if len(list) != 1 || err != nil {
		t.Error(list, err)
	}
}

// TestADeliveryGoesUnlessItIsAnother puts a file of the same name there meanwhile.
func TestADeliveryGoesUnlessItIsAnother(t *testing.T) {
	dir := t.TempDir()
	h, err := landing.OpenHome(filepath.Join(dir, "fabrikam"), "fabrikam", landing.Terms{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	s := &Shelf{Homes: dir, Home: func(_ string, do func(*landing.Home) error) error { return do(h) }}
	then := time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)
	for _, name := range []string{"a.csv", "sub/b.csv"} {
		put(t, filepath.Join(dir, "fabrikam", "outbox", name), name)
		if err := os.Chtimes(filepath.Join(dir, "fabrikam", "outbox", name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Delivered("fabrikam")
	if err != nil || len(list) != 2 || list[1].ID != "sub/b.csv" || !list[0].To.Equal(then) || list[0].Bytes != 5 {
		t.Fatalf("%+v, %v", list, err)
	}
	put(t, filepath.Join(dir, "fabrikam", "outbox", "a.csv"), "newer")
	for _, p := range slices.Concat(list, list) {
		r := p.Remains
		r.Class, r.Carrier = jobs.ClassDeliveries, "fabrikam"
		if gone, err := s.Remove(t.Context(), r); !gone || err != nil {
			t.Error(gone, err)
		}
	}
	if !there(filepath.Join(dir, "fabrikam/outbox/a.csv")) || there(filepath.Join(dir, "fabrikam/outbox/sub/b.csv")) {
		t.Error("the wrong one is gone")
	}
	if list, err := s.Delivered("nobody"); len(list) > 0 || err != nil {
		t.Error(list, err)
	}
}

// TestMicrosoftsFilesHaveNoHome discards their content, and what was put into a
// folder of theirs before that.
func TestMicrosoftsFilesHaveNoHome(t *testing.T) {
	spool, stuck := spoolOf("aa"), errors.New("the share is away")
	s := &Shelf{Spool: &spool, Holds: func(context.Context, string) (bool, error) { return false, nil }}
	s.Foreign = func(_ context.Context, r jobs.Remains) error { return stuck }
	r := jobs.Remains{Class: jobs.ClassRaw, Microsoft: true, SHA256: "aa"}
	if gone, err := s.Remove(t.Context(), r); gone || !errors.Is(err, stuck) || spool == "" {
		t.Error(gone, err, spool)
	}
	stuck = nil
	if gone, err := s.Remove(t.Context(), r); !gone || err != nil || spool != "" {
		t.Error(gone, err, spool)
	}
}

// TestWhatIsRememberedOfADeliveryGoes leaves what belongs to the next one.
func TestWhatIsRememberedOfADeliveryGoes(t *testing.T) {
	dir := t.TempDir()
	s := &Shelf{Deliveries: dir}
	for _, name := range []string{"fabrikam/000007/index/fabrikam.calls", "fabrikam/000008/index/fabrikam.calls"} {
		put(t, filepath.Join(dir, name), "12345")
	}
	p := jobs.Purgeable{ID: jobs.PurgeCalls + "000007"}
	if n := s.Size(jobs.ClassDeliveries, "fabrikam", &p); n != 5 {
		t.Error(n)
	}
	for _, carrier := range []string{"fabrikam", "fabrikam", "nobody"} {
		if gone, err := s.Remove(t.Context(), jobs.Remains{Class: jobs.ClassDeliveries, Carrier: carrier, Object: p.ID}); !gone || err != nil {
			t.Error(gone, err)
		}
	}
	if there(filepath.Join(dir, "fabrikam/000007")) || !there(filepath.Join(dir, "fabrikam/000008")) {
		t.Error("the wrong one is gone")
	}
}

// spoolOf has one content.
type spoolOf string

// Discard implements the spool of a Shelf.
func (s *spoolOf) Discard(_ context.Context, sum string, _ func(context.Context, string) (bool, error)) (bool, error) {
	if sum == string(*s) {
		*s = ""
	}
	return true, nil
}
