package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// ledger takes every file but those whose content says otherwise.
type ledger struct {
	t       *testing.T
	entries []jobs.Entry
	offers  []landing.Offer
}

func (l *ledger) TakeFeed(_ context.Context, o landing.Offer) (jobs.Entry, error) {
	b, err := os.ReadFile(o.Content)
	if err != nil {
		l.t.Error(err)
	}
	l.offers = append(l.offers, o)
	switch {
	case strings.HasPrefix(string(b), "half") && !o.Final:
		return jobs.Entry{}, fmt.Errorf("%w: it goes on", jobs.ErrWait)
	case strings.HasPrefix(string(b), "trouble"):
		return jobs.Entry{}, errors.New("the database is away")
	case string(b) == "doubt":
		return jobs.Entry{}, fmt.Errorf("record it: %w", landing.ErrDoubt)
	}
	e := jobs.Entry{ID: fmt.Sprint(len(l.entries)), Carrier: o.Carrier, Microsoft: true, Name: o.Name, SHA256: o.SHA256, Bytes: o.Size, Received: o.Received}
	l.entries = append(l.entries, e)
	return e, nil
}

func (l *ledger) Files(context.Context, string) ([]jobs.Entry, error) { return l.entries, nil }

// folder is a feed at a time of its own.
type folder struct {
	*Feed
	t   *testing.T
	l   *ledger
	now time.Time
}

func open(t *testing.T) *folder {
	t.Helper()
	spool, err := landing.OpenSpool(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	f := &folder{t: t, l: &ledger{t: t}, now: time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)}
	f.Feed = &Feed{Folder: t.TempDir(), Skip: []string{jobs.NumbersFolder, jobs.QualityFolder}, Carrier: "fabrikam", Spool: spool, Taker: f.l, Known: f.l, Now: func() time.Time { return f.now }}
	return f
}

// put writes a file that was changed some time ago.
func (f *folder) put(name, content string, ago time.Duration) {
	f.t.Helper()
	path := filepath.Join(f.Folder, name)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600), os.Chtimes(path, f.now, f.now.Add(-ago)))
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) scan(want ...string) {
	f.t.Helper()
	list, err := f.Scan(f.t.Context())
	if err != nil {
		f.t.Error(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name)
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("took %q, want %q", got, want)
	}
}

func TestEachFileIsTakenOnceAndTheOldestFirst(t *testing.T) {
	f := open(t)
	f.put("b.csv", "2", time.Hour)
	f.put("2026/a.csv", "1", 2*time.Hour)
	f.put(".hidden.csv", "x", time.Hour)
	f.put("c.csv.part", "x", time.Hour)
	f.put("numbers/listing.csv", "x", time.Hour)
	f.put("quality/record.json", "x", time.Hour)
	f.put("2026/numbers/b.csv", "0", 3*time.Hour)
	f.put("fresh.csv", "3", time.Second)
	f.scan("2026/numbers/b.csv", "2026/a.csv", "b.csv")
	if wait, young := f.Young(); !young || wait != 5*time.Second {
		t.Errorf("a file that was just changed: %v, %v", wait, young)
	}
	f.scan()
	f.now = f.now.Add(time.Minute)
	f.scan("fresh.csv")
	if _, young := f.Young(); young {
		t.Error("nothing has just changed")
	}
	f.seen = nil // a restart
	f.scan()
}

func TestAFileThatIsReplacedIsALaterOne(t *testing.T) {
	f := open(t)
	f.put("a.csv", "1", time.Hour)
	f.scan("a.csv")
	f.put("a.csv", "2", time.Minute)
	f.scan("a.csv")
	f.seen = nil
	f.scan()
	if f.l.entries[0].SHA256 == f.l.entries[1].SHA256 {
		t.Error("the same content")
	}
	for _, e := range f.l.entries {
		if _, err := os.Stat(f.Spool.Path(e.SHA256)); err != nil {
			t.Error(err)
		}
	}
}

func TestOneFileKeepsNoOtherFromBeingTaken(t *testing.T) {
	f := open(t)
	f.put("half.csv", "half", time.Minute)
	f.put("trouble.csv", "trouble", time.Minute)
	f.put("good.csv", "1", time.Minute)
	list, err := f.Scan(t.Context())
	if len(list) != 1 || err == nil || !strings.Contains(err.Error(), "trouble.csv of fabrikam: the database is away") || strings.Contains(err.Error(), "half") {
		t.Errorf("took %d, %v", len(list), err)
	}
	for _, o := range f.l.offers {
		if _, err := os.Stat(f.Spool.Path(o.SHA256)); (err == nil) != (o.Name == "good.csv") {
			t.Errorf("%s in the spool: %v", o.Name, err)
		}
	}
	f.put("trouble.csv", "better", time.Minute)
	f.scan("trouble.csv")
	f.now = f.now.Add(2 * time.Hour) // it will not be whole any more
	f.scan("half.csv")
}

func TestAFolderThatIsNotThereIsEmpty(t *testing.T) {
	f := open(t)
	f.Folder = filepath.Join(f.Folder, "none")
	f.scan()
}

func TestNothingOutsideOfTheFolderIsTaken(t *testing.T) {
	f := open(t)
	out := filepath.Join(t.TempDir(), "secret.csv")
	if err := errors.Join(os.WriteFile(out, []byte("x"), 0o600), os.Symlink(out, filepath.Join(f.Folder, "link.csv"))); err != nil {
		t.Fatal(err)
	}
	f.scan()
}

// The clock of a share may be ahead: its files must not wait for ours.
func TestAFileFromTheFutureIsTakenWhenItHasBeenQuiet(t *testing.T) {
	f := open(t)
	f.put("a.csv", "1", -24*time.Hour)
	f.scan()
	f.now = f.now.Add(4 * time.Second)
	f.put("a.csv", "12", -48*time.Hour) // it is still written
	f.scan()
	f.now = f.now.Add(4 * time.Second)
	f.scan()
	if _, young := f.Young(); !young {
		t.Error("it is looked at no sooner than others")
	}
	f.now = f.now.Add(time.Second)
	f.scan("a.csv")
	f.seen = nil
	f.scan()
	f.put("half.csv", "half", -24*time.Hour)
	f.scan()
	f.now = f.now.Add(2 * time.Hour)
	f.scan("half.csv")
}

// broken is a folder in which one below it cannot be read.
type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	if name == "deep" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("input/output error")}
	}
	return b.FS.Open(name)
}

func TestAFolderThatCannotBeReadHidesNoOther(t *testing.T) {
	f := open(t)
	f.put("deep/a.csv", "1", time.Hour)
	f.put("zz/b.csv", "2", time.Hour)
	list, _, err := f.fresh(broken{os.DirFS(f.Folder)})
	if len(list) != 1 || list[0].name != "zz/b.csv" || err == nil || !strings.Contains(err.Error(), "deep: input/output error") {
		t.Errorf("found %+v, %v", list, err)
	}
}

// A scan that hangs on a slow share must not keep others from being cancelled.
func TestWhoWaitsForAScanCanGiveUp(t *testing.T) {
	f := open(t)
	if err := f.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Scan(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.end(false)
	f.scan()
}

func TestADoubtfulFileIsKept(t *testing.T) {
	f := open(t)
	f.put("a.csv", "doubt", time.Hour)
	if _, err := f.Scan(t.Context()); !errors.Is(err, landing.ErrDoubt) {
		t.Error(err)
	}
	if _, err := os.Stat(f.Spool.Path(f.l.offers[0].SHA256)); err != nil {
		t.Error(err)
	}
}
