package fetch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

const content = "record_id,start,duration_ms\nm1,2026-10-01T10:00:00Z,60000\n"

// Each file goes where those look for it who take it, under its own name and
// with its own time; and is taken once.
func TestFilesGoWhereTheyAreTakenFrom(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"out/fabrikam/a.csv", "out/fabrikam/2026/10/b.csv", "out/litware/numbers/n.csv", "out/litware/quality/q.json", "shared/all.csv", "out/nobody/x.csv", "out/x.csv", "elsewhere/x.csv"} {
		w.put(name, content+name)
	}
	h := w.process()
	if young, err := h.Look(t.Context(), w.remote); err != nil || !young || len(w.here()) != 0 {
		t.Fatalf("at first sight: %v, %v, %s", young, err, brief(w.here()))
	}
	want := map[string]string{
		"microsoft/fabrikam/programme/a.csv":         content + "out/fabrikam/a.csv",
		"microsoft/fabrikam/programme/2026/10/b.csv": content + "out/fabrikam/2026/10/b.csv",
		"microsoft/litware/numbers/programme/n.csv":  content + "out/litware/numbers/n.csv",
		"microsoft/litware/quality/programme/q.json": content + "out/litware/quality/q.json",
		"listings/programme/all.csv":                 content + "shared/all.csv",
	}
	if err := w.look(h, 3); err != nil {
		t.Fatal(err)
	}
	w.wants(want)
	e, err := w.remote.Stat(t.Context(), "out/fabrikam/a.csv")
	info, ierr := os.Stat(filepath.Join(w.dir, "microsoft/fabrikam/programme/a.csv"))
	if err := errors.Join(err, ierr); err != nil || !info.ModTime().Equal(e.Time) {
		t.Errorf("changed at %v, on the host %v, %v", info.ModTime(), e.Time, err)
	}
	if err := os.Remove(filepath.Join(w.dir, "microsoft/fabrikam/programme/a.csv")); err != nil {
		t.Fatal(err)
	}
	delete(want, "microsoft/fabrikam/programme/a.csv") // whoever took it may remove it
	if err := w.look(w.process(), 3); err != nil {
		t.Fatal(err)
	}
	w.wants(want)
	for name, n := range w.taken {
		if n != 1 {
			t.Errorf("%s was taken %d times", name, n)
		}
	}
	if s := w.log.String(); strings.Count(s, "name=\"\\\"nobody") != 2 || strings.Count(s, "WARN") != 4 { // once a process
		t.Errorf("the log says %s", s)
	}
}

func TestAFolderOfOneCarrierHoldsItsFiles(t *testing.T) {
	w := newWorld(t)
	w.put("out/a.csv", content)
	w.put("out/sub/numbers.csv", content)
	w.put("out/numbers/n.csv", content)
	h := w.process()
	h.Carrier, h.Numbers = "litware", ""
	if err := w.look(h, 2); err != nil {
		t.Fatal(err)
	}
	w.wants(map[string]string{
		"microsoft/litware/programme/a.csv": content, "microsoft/litware/programme/sub/numbers.csv": content, "microsoft/litware/numbers/programme/n.csv": content,
	})
}

// A file that was replaced is a further one. Nothing is overwritten: the first
// may not have been taken yet.
func TestAReplacedFileIsAFurtherOne(t *testing.T) {
	w := newWorld(t)
	h := w.process()
	h.Numbers = ""
	w.put("out/fabrikam/a.csv.gz", "first")
	if err := w.look(h, 2); err != nil {
		t.Fatal(err)
	}
	w.put("out/fabrikam/a.csv.gz", "second")
	e, err := w.remote.Stat(t.Context(), "out/fabrikam/a.csv.gz")
	if err := errors.Join(err, w.look(h, 2)); err != nil {
		t.Fatal(err)
	}
	name := tagged("a.csv.gz", e)
	if !strings.HasPrefix(name, "a~") || !strings.HasSuffix(name, ".csv.gz") {
		t.Error(name)
	}
	want := map[string]string{"microsoft/fabrikam/programme/a.csv.gz": "first", "microsoft/fabrikam/programme/" + name: "second"}
	w.wants(want)
	if err := w.look(w.process(), 3); err == nil {
		t.Error("a folder that is not there is no error")
	}
	w.wants(want)
}

func TestWhatWasTakenIsMoved(t *testing.T) {
	w := newWorld(t)
	h := w.process()
	h.Numbers, h.Done = "", "out/done"
	w.put("out/fabrikam/sub/a.csv", "first")
	w.put("out/fabrikam/keep.part", "")
	if err := w.look(h, 2); err != nil {
		t.Fatal(err)
	}
	w.put("out/fabrikam/sub/a.csv", "second")
	e, err := w.remote.Stat(t.Context(), "out/fabrikam/sub/a.csv")
	if err := errors.Join(err, w.look(h, 3)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"out/done/fabrikam/sub/a.csv": "first", "out/done/fabrikam/sub/" + tagged("a.csv", e): "second"} {
		if got, _ := w.remote.Bytes(name); string(got) != want {
			t.Errorf("%s holds %q; there is %q", name, got, w.remote.Names())
		}
	}
	if len(w.remote.Names()) != 3 || len(w.here()) != 2 || len(w.files) != 2 {
		t.Errorf("there is %q, here %s", w.remote.Names(), brief(w.here()))
	}
}

// A process dies at any step, with what it does done or not, and another one
// goes on: the file is there once, whole, and nothing else is.
func TestNothingIsTakenTwiceOrLost(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, again := range []bool{false, true} {
			for n := 0; ; n++ {
				w := newWorld(t)
				w.dies, w.late, w.onlyIt = n, late, again
				w.put("out/fabrikam/keep.part", "")
				w.put("out/fabrikam/d/a.csv", strings.Repeat(content, 100))
				w.put("shared/keep.part", "")
				h := w.process()
				h.Done = "done"
				failed := w.look(h, 4)
				w.dies = -1
				if !again { // another process
					h = w.process()
					h.Done = "done"
				}
				if err := w.look(h, 4); err != nil {
					t.Fatalf("step %d: %v", n, err)
				}
				w.wants(map[string]string{"microsoft/fabrikam/programme/d/a.csv": strings.Repeat(content, 100)})
				if got, _ := w.remote.Bytes("done/fabrikam/d/a.csv"); len(got) != 100*len(content) || len(w.files) != 1 || len(w.remote.Names()) != 3 {
					t.Errorf("step %d: %q are there, and %d remembered", n, w.remote.Names(), len(w.files))
				}
				if t.Failed() || failed == nil {
					t.Logf("%d steps", n)
					break
				}
			}
		}
	}
}

// The host is gone from some operation on, or loses one answer.
func TestAHostThatFailsIsGoneOnWith(t *testing.T) {
	for _, fault := range []func(int, exchange.Remote) *exchangetest.Faulty{exchangetest.FailAt, exchangetest.FailFrom, exchangetest.LoseAt} {
		for n := 0; ; n++ {
			w := newWorld(t)
			w.put("out/fabrikam/a.csv", strings.Repeat(content, 100))
			w.put("out/litware/b.csv", content)
			h := w.process()
			h.Numbers = ""
			faulty := fault(n, w.remote)
			for range 3 {
				_, _ = h.Look(t.Context(), faulty)
			}
			if err := w.look(h, 3); err != nil {
				t.Fatal(err)
			}
			w.wants(map[string]string{"microsoft/fabrikam/programme/a.csv": strings.Repeat(content, 100), "microsoft/litware/programme/b.csv": content})
			if t.Failed() || !faulty.Failed() {
				t.Logf("%d operations", n)
				break
			}
		}
	}
}

// A download that is broken off is gone on with, and one whose file becomes
// another one meanwhile leaves nothing.
func TestABrokenDownloadIsResumed(t *testing.T) {
	w := newWorld(t)
	whole := strings.Repeat(content, 20_000)
	w.put("out/fabrikam/a.csv", whole)
	h := w.process()
	h.Numbers = ""
	r := &cut{Remote: w.remote, after: 500_000}
	if _, err := h.Look(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Look(t.Context(), r); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if _, err := h.Look(t.Context(), r); err != nil || r.from != 500_000 {
		t.Fatalf("it goes on from %d, %v", r.from, err)
	}
	w.wants(map[string]string{"microsoft/fabrikam/programme/a.csv": whole})
	w.put("out/fabrikam/a.csv", whole+whole)
	r.after = 500_000
	for range 2 {
		_, _ = h.Look(t.Context(), r)
	}
	if len(w.here()) != 2 {
		t.Errorf("there is no part: %s", brief(w.here()))
	}
	w.put("out/fabrikam/a.csv", "another")
	if err := w.look(h, 1); err != nil {
		t.Fatal(err)
	}
	w.wants(map[string]string{"microsoft/fabrikam/programme/a.csv": whole})
}

var errCut = errors.New("cut")

// cut breaks one Get off.
type cut struct {
	exchange.Remote
	after int64
	from  int64 // of the last Get
}

// Get implements exchange.Remote.
func (c *cut) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	var b strings.Builder
	if err := c.Remote.Get(ctx, name, &b, from); err != nil {
		return err
	}
	c.from = from
	s, err := b.String(), error(nil)
	if c.after > 0 {
		s, err = s[:c.after], errCut
		c.after = 0
	}
	if _, werr := dst.Write([]byte(s)); werr != nil {
		return werr
	}
	return err
}

// Whatever a host calls its files, nothing is written beside the folders for
// them, and what can be taken is.
func TestNamesLeadNowhereElse(t *testing.T) {
	w := newWorld(t)
	r := hostile{w.remote}
	h := w.process()
	h.Numbers = ""
	var last error
	for range 3 {
		_, last = h.Look(t.Context(), r)
	}
	w.wants(map[string]string{"microsoft/fabrikam/programme/good.csv": "x", "microsoft/fabrikam/programme/-rf": "x", "microsoft/fabrikam/programme/two words ü.csv": "x"})
	if last == nil {
		t.Fatal("nobody is told")
	}
	for _, want := range []string{"slash", "control characters", "more than 200 bytes", "more than 8 folders deep"} {
		if !strings.Contains(last.Error(), want) {
			t.Errorf("nothing is said of a name with %s: %v", want, last)
		}
	}
}

// hostile is a host that lists what it likes.
type hostile struct{ *exchangetest.Mem }

// List implements exchange.Remote.
func (h hostile) List(_ context.Context, dir string) ([]exchange.Entry, error) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	file := func(name string) exchange.Entry { return exchange.Entry{Name: name, Size: 1, Time: at} }
	folder := func(name string) exchange.Entry { return exchange.Entry{Name: name, Time: at, Type: fs.ModeDir} }
	switch {
	case dir == "out":
		return []exchange.Entry{folder("fabrikam"), folder(".."), folder("."), folder(""), folder("../../etc"), file("top.csv")}, nil
	case dir != "out/fabrikam":
		return []exchange.Entry{folder("deeper"), file("..")}, nil
	}
	list := []exchange.Entry{folder("deeper"), folder("../litware"), folder("a\\b"), {Name: "link.csv", Size: 1, Time: at, Type: fs.ModeSymlink}, {Name: "pipe", Time: at, Type: fs.ModeNamedPipe}}
	for _, name := range []string{
		"good.csv", "-rf", "two words ü.csv", "..", ".", "", ".hidden.csv", "half.part", "half.csv.filepart", "~x", "../../../../evil.csv", "/etc/passwd", "a/b.csv", `..\..\evil.csv`, "C:evil.csv",
		"nul\x00.csv", "line\nbreak.csv", "\xff\xfe.csv", "evil\u202evsc.exe", strings.Repeat("n", 201), strings.Repeat("n", 70_000),
	} {
		list = append(list, file(name))
	}
	return list, nil
}

// Stat implements exchange.Remote.
func (h hostile) Stat(context.Context, string) (exchange.Entry, error) {
	return exchange.Entry{Size: 1, Time: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// Get implements exchange.Remote.
func (h hostile) Get(_ context.Context, _ string, dst io.Writer, _ int64) error {
	_, err := dst.Write([]byte("x"))
	return err
}

// A link that lies here is not followed out of the folder.
func TestALinkHereLeadsNowhere(t *testing.T) {
	w := newWorld(t)
	out := t.TempDir()
	base := filepath.Join(w.dir, "microsoft", "fabrikam", "programme")
	if err := errors.Join(os.MkdirAll(base, 0o750), os.Symlink(out, filepath.Join(base, "sub"))); err != nil {
		t.Fatal(err)
	}
	w.put("out/fabrikam/sub/a.csv", content)
	h := w.process()
	h.Numbers = ""
	if err := w.look(h, 3); err == nil {
		t.Error("it is taken")
	}
	if list, err := os.ReadDir(out); err != nil || len(list) > 0 {
		t.Errorf("it was written to %v, %v", list, err)
	}
}

// longer is a host that gives more of a file than it says there is, once.
type longer struct {
	exchange.Remote
	more string
}

// Get implements exchange.Remote.
func (l *longer) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	if err := l.Remote.Get(ctx, name, dst, from); err != nil {
		return err
	}
	_, err := io.WriteString(dst, l.more)
	l.more = ""
	return err
}

// A file of which more came than there is is fetched anew, and nothing of what
// is too much is kept.
func TestADownloadThatIsTooLongIsBegunAnew(t *testing.T) {
	w := newWorld(t)
	w.put("out/fabrikam/a.csv", content)
	h := w.process()
	h.Numbers = ""
	r := &longer{w.remote, strings.Repeat("x", 1000)}
	if _, err := h.Look(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Look(t.Context(), r); !errors.Is(err, errTooLong) {
		t.Fatal(err)
	}
	for name, b := range w.here() {
		if len(b) > len(content) {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	if err := w.look(h, 1); err != nil {
		t.Fatal(err)
	}
	w.wants(map[string]string{"microsoft/fabrikam/programme/a.csv": content})
}
