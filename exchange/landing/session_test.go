package landing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheHomeIsAllThereIs(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "fabrikam")
	h := home(t, dir, Terms{}, nil)
	s := h.Session()
	mustPut(t, s, "inbox/own.csv", "mine")
	for _, f := range []string{filepath.Join(base, "northwind"), filepath.Join(dir, Inbox, "real")} {
		if err := os.MkdirAll(f, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "northwind", "secret.csv"), []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	// Links that somebody with access to the disk has made.
	for name, to := range map[string]string{"out": "../../northwind", "in": "real", "file": "../../northwind/secret.csv", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, Inbox, name)); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{
		"../northwind/secret.csv", "/../northwind/secret.csv", "inbox/../../northwind/secret.csv", "//../../northwind/secret.csv",
		"inbox/out/secret.csv", "inbox/in/x", "inbox/file", "inbox/up/.staging/x", ".staging", ".staging/x", "/.staging/../.staging",
		"inbox/out", "inbox/up", "northwind/secret.csv", base + "/northwind/secret.csv", "inbox/\x00", "inbox/a\x00/../../../northwind",
		"inbox/" + strings.Repeat("n", 256), strings.Repeat("inbox/", 40), "inbox/own.csv/../../../northwind/secret.csv", "~", "~/x",
	}
	for _, name := range names {
		ops := map[string]func() error{
			"stat":     func() error { _, err := s.Stat(name); return err },
			"list":     func() error { _, err := s.List(name); return err },
			"open":     func() error { _, err := s.Open(name); return err },
			"upload":   func() error { return put(s, name, "x", 1) },
			"resume":   func() error { _, err := s.Upload(name, UploadOptions{}); return err },
			"mkdir":    func() error { return s.Mkdir(name) },
			"rmdir":    func() error { return s.Rmdir(name) },
			"remove":   func() error { return s.Remove(name) },
			"from":     func() error { return s.Rename(name, "inbox/gotcha", true) },
			"to":       func() error { return s.Rename("inbox/own.csv", name, true) },
			"truncate": func() error { return s.Truncate(name, 0) },
		}
		for op, do := range ops {
			err := do()
			var known *Error
			if !errors.As(err, &known) {
				t.Errorf("%s %q: %v", op, name, err)
				continue
			}
			if strings.Contains(known.Text, base) || strings.Contains(known.Text, "northwind") || strings.Contains(known.Text, "staging") {
				t.Errorf("%s %q tells: %s", op, name, known.Text)
			}
		}
	}
	if got := onDisk(base, "northwind/secret.csv"); got != "theirs" {
		t.Errorf("the other's file now holds %q", got)
	}
	if l, err := s.List("/inbox"); err != nil || len(l) != 2 { // own.csv, real
		t.Errorf("listed: %v, %v", l, err)
	}
}

func TestOnlyTheInboxCanBeChanged(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	for _, top := range []string{Outbox, Receipts, Archive, Rejected} {
		if err := os.WriteFile(filepath.Join(dir, top, "f"), []byte("f"), 0o640); err != nil {
			t.Fatal(err)
		}
		name := top + "/f"
		for op, err := range map[string]error{
			"overwrite": put(s, name, "x", 1), "upload": put(s, top+"/new", "x", 1), "mkdir": s.Mkdir(top + "/d"),
			"rename": s.Rename(name, "inbox/f", false), "into": s.Rename("inbox", name, false), "rmdir": s.Rmdir(top), "truncate": s.Truncate(name, 0),
		} {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s in %s: %v", op, top, err)
			}
		}
		f, err := s.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		if err := s.Remove(name); (err == nil) != (top == Outbox) {
			t.Errorf("remove from %s: %v", top, err)
		}
	}
}

func TestRenames(t *testing.T) {
	dir := t.TempDir()
	h := home(t, dir, Terms{}, nil)
	s := h.Session()
	mustPut(t, s, "inbox/a", "a")
	mustPut(t, s, "inbox/b", "b")
	if err := s.Rename("inbox/a", "inbox/b", false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a rename onto a file: %v", err)
	}
	if err := s.Rename("inbox/a", "inbox/b", true); err != nil || onDisk(dir, "inbox/b") != "a" || onDisk(dir, "inbox/a") != "(none)" {
		t.Errorf("a replacing rename: %v", err)
	}
	if err := errors.Join(s.Mkdir("inbox/d"), s.Rename("inbox/b", "inbox/d/b", false), s.Rename("inbox/d", "inbox/e", false)); err != nil {
		t.Fatal(err)
	}
	if got := files(t, filepath.Join(dir, Inbox)); !slices.Equal(got, []string{"e/b"}) {
		t.Errorf("files %v", got)
	}
	if h.arriving != (usage{1, 1}) {
		t.Errorf("counted: %+v", h.arriving)
	}
	u, err := s.Upload("inbox/e/c", UploadOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Rename("inbox/e", "inbox/f", false); !errors.Is(err, ErrBusy) {
		t.Errorf("a rename under an upload: %v", err)
	}
	if err := s.Rmdir("inbox/e"); !errors.Is(err, ErrBusy) {
		t.Errorf("a removal under an upload: %v", err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
}

// Names that are odd and harmless stay as they are, byte for byte.
func TestOddNames(t *testing.T) {
	dir := t.TempDir()
	s := home(t, dir, Terms{}, nil).Session()
	for _, n := range []string{
		"-rf", "a b", "ä", "a\u0308", "a\nb", "a\x7f\x01", "\u202egnp.csv", "invalid \xfe", "...", "a\\..\\b", "%2e%2e", "*", strings.Repeat("n", 255),
	} {
		mustPut(t, s, "inbox/"+n, "content of "+n)
		l, err := s.List("inbox")
		if err != nil || len(l) != 1 || l[0].Name() != n {
			t.Errorf("%q is listed as %v, %v", n, l, err)
		}
		if err := s.Remove("inbox/" + n); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
}
