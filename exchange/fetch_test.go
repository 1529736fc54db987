package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

// held returns a remote that holds the whole file, and its description.
func held(t *testing.T) (*exchangetest.Mem, exchange.Entry) {
	t.Helper()
	mem := exchangetest.NewMem()
	if err := mem.Put(t.Context(), name, bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	seen, err := mem.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return mem, seen
}

func TestAPullGoesOnUntilTheFileIsWholeWhateverFails(t *testing.T) {
	for what, fault := range faults {
		t.Run(what, func(t *testing.T) {
			for n := 0; ; n++ {
				mem, seen := held(t)
				faulty := fault(n, mem)
				var got bytes.Buffer
				at, err := exchange.Fetch(t.Context(), faulty, name, seen, &got, 0)
				if !bytes.HasPrefix(whole, got.Bytes()) || at > int64(got.Len()) {
					t.Fatalf("operation %d: got something else, %d bytes of %d", n, at, got.Len())
				}
				if err == nil && got.Len() != len(whole) {
					t.Fatalf("operation %d: no error with %d bytes", n, got.Len())
				}
				got.Truncate(int(at)) // a writer that lost its answer may hold more
				if _, err = exchange.Fetch(t.Context(), mem, name, seen, &got, at); err != nil || !bytes.Equal(got.Bytes(), whole) {
					t.Fatalf("operation %d: resumed at %d: %v", n, at, err)
				}
				if !faulty.Failed() {
					t.Logf("%d operations", n)
					return
				}
			}
		})
	}
}

// overwriting changes the file when its k-th piece is fetched.
type overwriting struct {
	*exchangetest.Mem
	at   int
	with []byte
}

func (o overwriting) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	piece := 0
	return o.Mem.Get(ctx, name, writerFunc(func(p []byte) (int, error) {
		if piece++; piece == o.at {
			o.Put(ctx, name, bytes.NewReader(o.with))
		}
		return dst.Write(p)
	}), from)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestAFileOverwrittenWhileItIsFetchedIsNotTaken(t *testing.T) {
	for what, with := range map[string][]byte{"shorter": older, "as long": bytes.Repeat(whole[:50], 100), "the same": whole} {
		mem, seen := held(t)
		_, err := exchange.Fetch(t.Context(), overwriting{mem, 3, with}, name, seen, io.Discard, 0)
		if !errors.Is(err, exchange.ErrChanged) || errors.Is(err, exchange.ErrPermanent) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAPullOfAFileThatChangedDoesNotGoOn(t *testing.T) {
	mem, seen := held(t)
	mem.Put(t.Context(), name, bytes.NewReader(whole))
	var got bytes.Buffer
	if n, err := exchange.Fetch(t.Context(), mem, name, seen, &got, 100); !errors.Is(err, exchange.ErrChanged) || n+int64(got.Len()) > 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// short is a remote that ends every file early without an error.
type short struct{ *exchangetest.Mem }

func (s short) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	b, _ := s.Bytes(name)
	_, err := dst.Write(b[from : len(b)-1])
	return err
}

func TestAFileThatEndsEarlyIsIncomplete(t *testing.T) {
	mem, seen := held(t)
	if n, err := exchange.Fetch(t.Context(), short{mem}, name, seen, io.Discard, 0); !errors.Is(err, exchange.ErrIncomplete) || n != 4999 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestAFileOverwrittenSinceItWasFetchedStays(t *testing.T) {
	for _, content := range [][]byte{whole, older, nil} {
		mem, seen := held(t)
		mem.Put(t.Context(), name, bytes.NewReader(content))
		for what, err := range map[string]error{
			"removed": exchange.RemoveIfSame(t.Context(), mem, name, seen),
			"moved":   exchange.MoveIfSame(t.Context(), mem, name, "archive/x", seen),
		} {
			if !errors.Is(err, exchange.ErrChanged) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if b, ok := mem.Bytes(name); !ok || !bytes.Equal(b, content) {
			t.Errorf("%d bytes are there, %v", len(b), ok)
		}
	}
}

func TestAFetchedFileIsMovedOrRemoved(t *testing.T) {
	mem, seen := held(t)
	if err := exchange.MoveIfSame(t.Context(), mem, name, "archive/x", seen); err != nil {
		t.Fatal(err)
	}
	if b, ok := mem.Bytes("archive/x"); !ok || !bytes.Equal(b, whole) {
		t.Errorf("files: %q", mem.Names())
	}
	if err := exchange.RemoveIfSame(t.Context(), mem, "archive/x", seen); err != nil || len(mem.Names()) > 0 {
		t.Errorf("files: %q, %v", mem.Names(), err)
	}
}
