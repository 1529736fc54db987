package landing

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func openSpool(t *testing.T) (*Spool, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := OpenSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

func TestTheSpoolKeepsOneCopyOfAContent(t *testing.T) {
	s, dir := openSpool(t)
	a, err := s.Add(t.Context(), strings.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Add(t.Context(), strings.NewReader(whole))
	if err != nil || a != b || a.SHA256 != sumOf(whole) || a.Size != int64(len(whole)) {
		t.Fatalf("%+v, %+v, %v", a, b, err)
	}
	if got, err := os.ReadFile(a.Path); err != nil || string(got) != whole {
		t.Errorf("%q, %v", got, err)
	}
	if info, err := os.Stat(a.Path); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("files %v", got)
	}
}

// Two carriers send the same content at once: one half-finished, one whole. The
// one that is not taken must not take the other's away.
func TestAContentStaysWhileAnybodyWantsIt(t *testing.T) {
	for _, keeps := range [][]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		s, dir := openSpool(t)
		for range keeps {
			if _, err := s.Add(t.Context(), strings.NewReader(whole)); err != nil {
				t.Fatal(err)
			}
		}
		for _, keep := range keeps {
			if err := s.Release(sumOf(whole), keep); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(files(t, dir)); (got > 0) != slices.Contains(keeps, true) {
			t.Errorf("%v: %d files", keeps, got)
		}
		// What is kept outlives a later one that is not taken.
		if _, err := s.Add(t.Context(), strings.NewReader(whole)); err != nil {
			t.Fatal(err)
		}
		if err := s.Release(sumOf(whole), false); err != nil {
			t.Fatal(err)
		}
		if got := len(files(t, dir)); (got > 0) != slices.Contains(keeps, true) {
			t.Errorf("%v: %d files after another", keeps, got)
		}
	}
}

func TestManyAtOnceInTheSpool(t *testing.T) {
	s, dir := openSpool(t)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			c, err := s.Add(t.Context(), strings.NewReader(strings.Repeat("x", i%4)))
			if err == nil {
				_, err = os.ReadFile(c.Path)
			}
			if err := errors.Join(err, s.Release(c.SHA256, i%4 == 3)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("files %v", got)
	}
}

func TestTheSpoolIsSwept(t *testing.T) {
	s, dir := openSpool(t)
	for _, text := range []string{"held", "orphan"} {
		c, err := s.Add(t.Context(), strings.NewReader(text))
		if err = errors.Join(err, s.Release(c.SHA256, true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, spoolTemp, "unfinished"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.Sweep(t.Context(), func(_ context.Context, sum string) (bool, error) { return sum == sumOf("held"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, dir), []string{slot(sumOf("held"))}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

func TestNothingIsLeftOfWhatCouldNotBeSpooled(t *testing.T) {
	for i := 0; ; i++ {
		s, dir := openSpool(t)
		f := &faults{}
		s.root, s.sync = faulty{s.root.(*os.Root), f}, f.flush
		f.begin(only(i))
		c, err := s.Add(t.Context(), strings.NewReader(whole))
		if err != nil && len(files(t, dir)) > 1 {
			t.Errorf("operation %d: left %v", i, files(t, dir))
		}
		if err == nil && onDisk(dir, slot(c.SHA256)) != whole {
			t.Errorf("operation %d: %v", i, files(t, dir))
		}
		if !f.happened(i) {
			return
		}
	}
}

func TestSpoolingEndsWithItsContext(t *testing.T) {
	s, dir := openSpool(t)
	ctx, cancel := context.WithCancel(t.Context())
	endless := readerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	if _, err := s.Add(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("left %v", got)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDelivery(t *testing.T) {
	dir := t.TempDir()
	h := home(t, dir, Terms{}, nil)
	s := h.Session()
	for _, content := range []string{"first", "second"} {
		if err := h.Deliver(t.Context(), "numbers/full.csv", strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if got := onDisk(dir, "outbox/numbers/full.csv"); got != content {
			t.Errorf("content %q", got)
		}
	}
	for _, name := range []string{"", ".", "../inbox/x", "a/../../receipts/x"} {
		if err := h.Deliver(t.Context(), name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was delivered", name)
		}
	}
	broken := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { return 0, errors.New("gone") }))
	if err := h.Deliver(t.Context(), "numbers/full.csv", broken); err == nil || onDisk(dir, "outbox/numbers/full.csv") != "second" {
		t.Error("a half was delivered")
	}
	if err := s.Remove("outbox/numbers/full.csv"); err != nil {
		t.Errorf("taking it: %v", err)
	}
}

// veil stands for encryption: it holds back what is written until it is closed.
type veil struct {
	w    io.Writer
	held []byte
}

func veiled(w io.Writer) (io.WriteCloser, error) { return &veil{w: w}, nil }

func (v *veil) Write(p []byte) (int, error) {
	v.held = append(v.held, p...)
	return len(p), nil
}

func (v *veil) Close() error {
	for i := range v.held {
		v.held[i] ^= 0x5a
	}
	_, err := v.w.Write(v.held)
	return err
}

// Whatever goes wrong, an encrypted content is there whole or not at all.
func TestASealedContentIsWholeOrAbsent(t *testing.T) {
	for i := 0; ; i++ {
		dir, f := t.TempDir(), &faults{}
		s, err := OpenSealedSpool(dir, veiled)
		if err != nil {
			t.Fatal(err)
		}
		s.root, s.sync = faulty{s.root.(*os.Root), f}, f.flush
		f.begin(only(i))
		c, err := s.Add(t.Context(), strings.NewReader(whole))
		more := f.happened(i)
		f.begin(nil)
		if err == nil && (c.SHA256 != sumOf(whole) || c.Size != int64(len(whole))) {
			t.Errorf("fault %d: %+v", i, c)
		}
		b, rerr := os.ReadFile(s.Path(sumOf(whole)))
		for i := range b {
			b[i] ^= 0x5a
		}
		if rerr == nil && string(b) != whole || rerr != nil && err == nil {
			t.Errorf("fault %d: %d bytes on the disk, %v, %v", i, len(b), rerr, err)
		}
		if err := errors.Join(s.Sweep(t.Context(), func(context.Context, string) (bool, error) { return false, nil }), s.Close()); err != nil {
			t.Error(err)
		}
		if !more {
			if err != nil || i < 4 {
				t.Errorf("%d faults, %v", i, err)
			}
			return
		}
	}
}

func TestASealThatFailsLeavesNothing(t *testing.T) {
	full := errors.New("full")
	for _, seal := range []Seal{
		func(io.Writer) (io.WriteCloser, error) { return nil, full },
		func(w io.Writer) (io.WriteCloser, error) { return &failingSeal{write: full}, nil },
		func(w io.Writer) (io.WriteCloser, error) { return &failingSeal{end: full}, nil },
	} {
		dir := t.TempDir()
		s, err := OpenSealedSpool(dir, seal)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(t.Context(), strings.NewReader(whole)); !errors.Is(err, full) {
			t.Error(err)
		}
		if got := files(t, dir); len(got) != 0 {
			t.Errorf("files %v", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

type failingSeal struct{ write, end error }

func (f *failingSeal) Write(p []byte) (int, error) { return len(p), f.write }
func (f *failingSeal) Close() error                { return f.end }
