package atrest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Whatever write fails, what is there afterwards is not taken for whole.
func TestWritesThatFail(t *testing.T) {
	k, want := pair(t), content(2*chunkSize+5)
	for at := 0; ; at++ {
		out := &failing{left: at}
		var f Output
		f, err := k.Seal(out)
		if err == nil {
			_, werr := f.Write(want)
			err = errors.Join(werr, f.Sync(), f.Close())
		}
		if out.closed != 1 {
			t.Errorf("failure %d: closed %d times", at, out.closed)
		}
		body, size, rerr := k.newBody(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if whole := rerr == nil && body != nil && size == int64(len(want)); whole != out.complete() {
			t.Errorf("failure %d: whole: %v, %v", at, whole, rerr)
		}
		if err == nil {
			if !out.synced {
				t.Error("it was not flushed")
			}
			return
		}
	}
}

type failing struct {
	bytes.Buffer
	left   int
	failed bool
	synced bool
	closed int
	full   bool
}

var errFull = errors.New("disk is full")

func (f *failing) step() error {
	if f.left--; f.left < 0 {
		f.failed = true
		return errFull
	}
	return nil
}

// complete reports whether all of the content had been written before the step
// that failed, if one did.
func (f *failing) complete() bool { return f.full }

func (f *failing) Write(p []byte) (int, error) {
	if err := f.step(); err != nil {
		return 0, err
	}
	if len(p) < chunkSize && f.Len() > 2*chunkSize {
		f.full = true
	}
	return f.Buffer.Write(p)
}

func (f *failing) Sync() error {
	f.synced = true
	return f.step()
}

func (f *failing) Close() error {
	f.closed++
	return f.step()
}

func TestFleetingFilesAreNoiseOnTheDisk(t *testing.T) {
	k, name := pair(t), filepath.Join(t.TempDir(), "f")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.Fleeting(f)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("+4915112345678 "), 20000)
	r := rand.New(rand.NewPCG(1, 2))
	for at := 0; at < len(want); {
		n := min(1+r.IntN(2*chunkSize), len(want)-at)
		p := bytes.Clone(want[at : at+n])
		if w, err := s.WriteAt(p, int64(at)); w != n || err != nil {
			t.Fatal(w, err)
		}
		if !bytes.Equal(p, want[at:at+n]) {
			t.Fatal("the caller's bytes were changed")
		}
		at += n
	}
	raw, err := os.ReadFile(name)
	if err != nil || len(raw) != len(want) || bytes.Contains(raw, []byte("12345678")) {
		t.Errorf("%d bytes on the disk, %v", len(raw), err)
	}
	for range 1000 {
		at := r.IntN(len(want))
		buf := make([]byte, 1+r.IntN(100))
		n, err := s.ReadAt(buf, int64(at))
		if err != nil && err != io.EOF || !bytes.Equal(buf[:n], want[at:at+n]) {
			t.Fatalf("at %d: %q, %v", at, buf[:n], err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got, err := (*Keys)(nil).Fleeting(f); got != Scratch(f) || err != nil {
		t.Error("without keys it is another file", err)
	}
}
