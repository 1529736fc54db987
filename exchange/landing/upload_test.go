package landing

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func arrivalIn(t testing.TB, dir, name string) arrival {
	t.Helper()
	info, err := os.Lstat(filepath.Join(dir, Inbox, name))
	if err != nil {
		t.Fatal(err)
	}
	return arrivalOf(info.Mode())
}

func TestHowAnUploadEndedIsKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   int
		block  int
		broken bool
		want   arrival
	}{
		{"a short file in one write", 500, 32768, false, closed},
		{"a longer one whose last block is short", 100_000, 32768, false, closed},
		{"one that ends with a whole block, as a broken-off one does", 65536, 32768, false, doubtful},
		{"broken off after the first block", 32768, 32768, false, doubtful},
		{"one write of four kilobytes, as PuTTY sends", 4096, 4096, false, doubtful},
		{"a script that writes line by line", 640, 64, false, doubtful},
		{"nothing at all", 0, 1, false, doubtful},
		{"a lost connection", 100_000, 32768, true, partial},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := home(t, dir, Terms{}, nil).Session()
			u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
			if err != nil {
				t.Fatal(err)
			}
			content := make([]byte, c.size)
			for at := 0; at < c.size; at += c.block {
				if _, err := u.WriteAt(content[at:min(c.size, at+c.block)], int64(at)); err != nil {
					t.Fatal(err)
				}
			}
			if c.broken {
				u.Break(errors.New("connection reset"))
			}
			if err := u.Close(); (err != nil) != c.broken {
				t.Fatal(err)
			}
			if got := arrivalIn(t, dir, "a.csv"); got != c.want {
				t.Errorf("arrival %d, want %d", got, c.want)
			}
		})
	}
}

func TestNothingIsSeenBeforeTheClose(t *testing.T) {
	dir := t.TempDir()
	h := home(t, dir, Terms{}, nil)
	s, other := h.Session(), h.Session()
	u, err := s.Upload("/inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.WriteAt([]byte("half"), 0); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Stat("/inbox/a.csv"); err != nil || i.Size() != 4 {
		t.Errorf("its own client sees %v, %v", i, err)
	}
	if _, err := other.Stat("/inbox/a.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another session sees it: %v", err)
	}
	if l, err := s.List("/inbox"); err != nil || len(l) > 0 {
		t.Errorf("it is listed: %v, %v", l, err)
	}
	if _, err := other.Upload("/inbox/a.csv", UploadOptions{Create: true, Truncate: true}); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(dir, "inbox/a.csv"); got != "half" {
		t.Errorf("content %q", got)
	}
}

func TestAHoleIsNeverTakenForContent(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	// Three of four blocks of a client that writes them beside each other.
	for _, at := range []int64{0, 8, 24} {
		if _, err := u.WriteAt([]byte("12345678"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Close(); !errors.Is(err, ErrBroken) {
		t.Fatalf("the close says %v", err)
	}
	if got := onDisk(dir, "inbox/a.csv"); len(got) != 16 || arrivalIn(t, dir, "a.csv") != partial {
		t.Errorf("%d bytes are left to go on from", len(got))
	}
}

func TestAClientGoesOnWhereItWasCut(t *testing.T) {
	for _, how := range []string{"lost", "closed"} {
		dir := t.TempDir()
		s := home(t, dir, Terms{}, nil).Session()
		u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.WriteAt(make([]byte, 8192), 0); err != nil {
			t.Fatal(err)
		}
		if how == "lost" {
			u.Break(errors.New("gone"))
		}
		_ = u.Close()
		i, err := s.Stat("inbox/a.csv")
		if err != nil || i.Size() != 8192 {
			t.Fatal(i, err)
		}
		again, err := s.Upload("inbox/a.csv", UploadOptions{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.WriteAt([]byte("rest"), 8192); err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil || arrivalIn(t, dir, "a.csv") != closed {
			t.Errorf("%s: %v", how, err)
		}
		if got := onDisk(dir, "inbox/a.csv"); got != strings.Repeat("\x00", 8192)+"rest" {
			t.Errorf("%s: %d bytes", how, len(got))
		}
	}
}

func TestOpeningABrokenUploadDoesNotMakeItWhole(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	u, _ := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	_, _ = u.WriteAt([]byte("half\n"), 0)
	u.Break(errors.New("gone"))
	_ = u.Close()
	again, err := s.Upload("inbox/a.csv", UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if got := arrivalIn(t, dir, "a.csv"); got != partial {
		t.Errorf("arrival %d", got)
	}
	if err := s.Rename("inbox/a.csv", "inbox/b.csv", false); err != nil {
		t.Fatal(err)
	}
	if got := arrivalIn(t, dir, "b.csv"); got != partial {
		t.Errorf("after a rename: arrival %d", got)
	}
	if _, err := s.Open("inbox/b.csv"); !errors.Is(err, ErrBusy) {
		t.Errorf("it can be read: %v", err)
	}
}

// As rclone does: a size beforehand, then parts beside each other.
func TestALargeFileInParts(t *testing.T) {
	dir := t.TempDir()
	h := home(t, dir, Terms{}, nil)
	s := h.Session()
	first, err := s.Upload("inbox/big.csv.partial", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Truncate(4000), first.Close()); err != nil {
		t.Fatal(err)
	}
	if got := arrivalIn(t, dir, "big.csv.partial"); got != sized {
		t.Fatalf("arrival %d before anything is written", got)
	}
	var hands []*Upload
	for range 4 {
		u, err := h.Session().Upload("inbox/big.csv.partial", UploadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		hands = append(hands, u)
	}
	for i, u := range hands {
		if _, err := u.WriteAt([]byte(strings.Repeat(string(rune('a'+i)), 1000)), int64(i)*1000); err != nil {
			t.Fatal(err)
		}
		if err := u.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Rename("inbox/big.csv.partial", "inbox/big.csv", true); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(dir, "inbox/big.csv"); len(got) != 4000 || arrivalIn(t, dir, "big.csv") != vouched {
		t.Errorf("%d bytes, arrival %d", len(got), arrivalIn(t, dir, "big.csv"))
	}
}

func TestPartsThatDidNotAllCome(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	u, _ := s.Upload("inbox/big.csv", UploadOptions{Create: true, Truncate: true})
	_ = u.Truncate(4000)
	_, _ = u.WriteAt(make([]byte, 1000), 2000)
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	if got := arrivalIn(t, dir, "big.csv"); got != sized {
		t.Errorf("arrival %d", got)
	}
	// Which parts are real is not known after a start.
	home(t, dir, Terms{}, nil)
	if got := files(t, filepath.Join(dir, Inbox)); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

func TestABrokenUploadTakesNothingAway(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	mustPut(t, s, "inbox/a.csv", "the complete one")
	u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = u.WriteAt([]byte("a worse one"), 0)
	u.Break(errors.New("gone"))
	if err := u.Close(); err == nil {
		t.Error("the close of a broken upload succeeds")
	}
	if got := onDisk(dir, "inbox/a.csv"); got != "the complete one" {
		t.Errorf("content %q", got)
	}
}

func TestQuotas(t *testing.T) {
	dir := t.TempDir()
	h := home(t, dir, Terms{MaxFile: 100, MaxBytes: 150, MaxFiles: 2}, nil)
	s := h.Session()
	if err := put(s, "inbox/large", strings.Repeat("x", 101), 10); !errors.Is(err, ErrQuota) {
		t.Errorf("a large file: %v", err)
	}
	mustPut(t, s, "inbox/a", strings.Repeat("x", 90))
	if err := put(s, "inbox/b", strings.Repeat("x", 70), 10); !errors.Is(err, ErrQuota) {
		t.Errorf("too many bytes: %v", err)
	}
	mustPut(t, s, "inbox/b", strings.Repeat("x", 50))
	if err := put(s, "inbox/c", "x", 10); !errors.Is(err, ErrQuota) {
		t.Errorf("too many files: %v", err)
	}
	if got := files(t, filepath.Join(dir, staging)); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	if sp := h.Space(); sp.FreeBytes != 10 || sp.FreeFiles != 0 {
		t.Errorf("space %+v", sp)
	}
	if err := s.Remove("inbox/a"); err != nil {
		t.Fatal(err)
	}
	if sp := h.Space(); sp.FreeBytes != 100 || sp.FreeFiles != 1 {
		t.Errorf("space after a removal %+v", sp)
	}
}

func TestTheTimeAClientSetsStays(t *testing.T) {
	s := home(t, t.TempDir(), Terms{}, nil).Session()
	at := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = u.WriteAt([]byte("x"), 0)
	if err := errors.Join(s.Chtimes("inbox/a.csv", at), u.Close()); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Stat("inbox/a.csv"); err != nil || !i.ModTime().Equal(at) {
		t.Errorf("%v, %v", i.ModTime(), err)
	}
}

// An upload that does not say it succeeded has left things as they were.
func TestUploadsWholeOrAbsentWhateverFails(t *testing.T) {
	for _, before := range []string{"", "what was there"} {
		for i := 0; ; i++ {
			dir := t.TempDir()
			f := &faults{}
			h := home(t, dir, Terms{}, f)
			s := h.Session()
			if before != "" {
				mustPut(t, s, "inbox/a.csv", before)
			}
			f.begin(only(i))
			err := put(s, "inbox/a.csv", "the new content", 4)
			over := !f.happened(i)
			f.begin(nil)
			checkSwept(t, h, dir, err, before)
			if err == nil && over {
				t.Logf("%d operations", i)
				break
			}
		}
	}
}

func checkSwept(t *testing.T, h *Home, dir string, err error, before string) {
	t.Helper()
	want := "the new content"
	if err != nil {
		want = before
		var known *Error
		if !errors.As(err, &known) || strings.Contains(known.Text, "secret") {
			t.Errorf("a client is told %v", err)
		}
	}
	if want == "" {
		want = "(none)"
	}
	if got := onDisk(dir, "inbox/a.csv"); got != want {
		t.Errorf("after %v there is %q, want %q", err, got, want)
	}
	if want != "(none)" && arrivalIn(t, dir, "a.csv") != closed {
		t.Errorf("after %v the arrival is %d", err, arrivalIn(t, dir, "a.csv"))
	}
	if h.held != 0 || len(h.uploads) > 0 {
		t.Errorf("after %v, %d bytes in %d uploads are counted", err, h.held, len(h.uploads))
	}
}

func TestExtentsAgreeWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e extents
		var model [64]bool
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			a, b := rapid.IntRange(0, 64).Draw(t, "a"), rapid.IntRange(0, 64).Draw(t, "b")
			if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
				e.cut(int64(a))
				clear(model[a:])
				continue
			}
			a, b = min(a, b), max(a, b)
			e.add(int64(a), int64(b))
			for i := a; i < b; i++ {
				model[i] = true
			}
		}
		head, missing := 0, int64(0)
		for head < len(model) && model[head] {
			head++
		}
		for _, written := range model {
			if !written {
				missing++
			}
		}
		if e.head() != int64(head) || e.gap(64) != missing {
			t.Fatalf("%v: head %d, want %d; gap %d, want %d", e, e.head(), head, e.gap(64), missing)
		}
	})
}

func TestWritesInAnyOrder(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	u, err := s.Upload("inbox/a.csv", UploadOptions{Create: true, Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("0123456789", 1000) + "tail"
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(101) {
		from := i * 100
		if _, err := u.WriteAt([]byte(content[from:min(len(content), from+100)]), int64(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Close(); err != nil || onDisk(dir, "inbox/a.csv") != content || arrivalIn(t, dir, "a.csv") != closed {
		t.Error(err)
	}
}
