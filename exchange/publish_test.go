package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

const name = "out/calls.csv"

var (
	whole = exchangetest.Content(5000)
	older = exchangetest.Content(3000)
)

func publish(ctx context.Context, r exchange.Remote) error {
	return exchange.Publish(ctx, r, name, bytes.NewReader(whole), int64(len(whole)))
}

// faults are the ways in which a remote fails at operation n.
var faults = map[string]func(n int, r exchange.Remote) *exchangetest.Faulty{
	"one operation fails": exchangetest.FailAt,
	"the remote goes":     exchangetest.FailFrom,
	"an answer is lost":   exchangetest.LoseAt,
}

func TestAPushedFileIsWholeOrAbsentWhateverFails(t *testing.T) {
	for what, fault := range faults {
		t.Run(what, func(t *testing.T) {
			for n := 0; ; n++ {
				mem := exchangetest.NewMem()
				faulty := fault(n, mem)
				err := publish(t.Context(), faulty)
				pushed(t, mem, n, err, what != "the remote goes")
				if !faulty.Failed() {
					t.Logf("%d operations", n)
					return
				}
			}
		})
	}
}

// pushed checks what a push left: the file whole, or nothing.
func pushed(t *testing.T, mem *exchangetest.Mem, n int, err error, tidy bool) {
	t.Helper()
	held, ok := mem.Bytes(name)
	if ok && !bytes.Equal(held, whole) {
		t.Errorf("operation %d: %d bytes of %d are there", n, len(held), len(whole))
	}
	if err == nil && !ok {
		t.Errorf("operation %d: no error and no file", n)
	}
	if others := len(mem.Names()); tidy && (others > 1 || others == 1 && !ok) {
		t.Errorf("operation %d: left behind: %q", n, mem.Names())
	}
}

func TestAnOlderFileStaysUntilTheNewOneIsWhole(t *testing.T) {
	for n := 0; ; n++ {
		mem := exchangetest.NewMem()
		mem.Put(t.Context(), name, bytes.NewReader(older))
		faulty := exchangetest.FailFrom(n, mem)
		err := publish(t.Context(), faulty)
		want := older
		if err == nil {
			want = whole
		}
		if held, _ := mem.Bytes(name); !bytes.Equal(held, want) {
			t.Errorf("operation %d: %v, and %d bytes are there", n, err, len(held))
		}
		if !faulty.Failed() {
			return
		}
	}
}

func TestAStoppedPushLeavesNothing(t *testing.T) {
	mem := exchangetest.NewMem()
	ctx, cancel := context.WithCancel(t.Context())
	err := exchange.Publish(ctx, mem, name, stopAfter(2, cancel), 1<<20)
	if !errors.Is(err, context.Canceled) || len(mem.Names()) > 0 {
		t.Errorf("%v; left behind: %q", err, mem.Names())
	}
}

// stopAfter is an endless source that cancels at its n-th read.
func stopAfter(n int, cancel func()) readerFunc {
	return func(p []byte) (int, error) {
		if n--; n == 0 {
			cancel()
		}
		return len(p), nil
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// lossy is a remote that writes other bytes than it was given.
type lossy struct {
	*exchangetest.Mem
	change func([]byte) []byte
}

func (l lossy) Rename(ctx context.Context, from, to string) error {
	return errors.New("renamed a file that is not what was sent")
}

func (l lossy) Stat(ctx context.Context, name string) (exchange.Entry, error) {
	b, _ := l.Bytes(name)
	l.Mem.Put(ctx, name, bytes.NewReader(l.change(b)))
	return l.Mem.Stat(ctx, name)
}

func TestWhatTheRemoteHoldsIsComparedWithWhatWasSent(t *testing.T) {
	for what, change := range map[string]func([]byte) []byte{
		"the end is missing":      func(b []byte) []byte { return b[:len(b)-1] },
		"nothing is there":        func(b []byte) []byte { return nil },
		"a byte differs":          func(b []byte) []byte { b[17] ^= 1; return b },
		"there is more than that": func(b []byte) []byte { return append(b, 0) },
		"a part of it is a hole":  func(b []byte) []byte { clear(b[100:200]); return b },
	} {
		mem := exchangetest.NewMem()
		if err := publish(t.Context(), lossy{mem, change}); !errors.Is(err, exchange.ErrIncomplete) {
			t.Errorf("%s: %v", what, err)
		}
		if left := mem.Names(); len(left) > 0 {
			t.Errorf("%s: left behind: %q", what, left)
		}
	}
}

func TestATemporaryNameIsHiddenAndFits(t *testing.T) {
	for _, base := range []string{"a.csv", strings.Repeat("n", 255), "-x"} {
		mem := exchangetest.NewMem()
		broken := exchangetest.FailFrom(4, mem)
		exchange.Publish(t.Context(), broken, "out/"+base, bytes.NewReader(whole), int64(len(whole)))
		for _, left := range mem.Names() {
			got, below := strings.CutPrefix(left, "out/")
			if !below || got[0] != '.' || !strings.HasSuffix(got, ".part") || len(got) > 255 {
				t.Errorf("temporary name %q of %d bytes", left, len(got))
			}
		}
		if len(mem.Names()) != 1 {
			t.Errorf("files: %q", mem.Names())
		}
	}
}

func TestPartsOfEarlierAttemptsCanBeRemoved(t *testing.T) {
	mem := exchangetest.NewMem()
	for range 3 {
		publish(t.Context(), exchangetest.FailFrom(3, mem))
	}
	others := []string{"out/.calls.csv.part", "out/.calls.csv.00000000000000zz.part", "out/.other.csv.0000000000000000.part", name}
	for _, other := range others {
		mem.Put(t.Context(), other, bytes.NewReader(nil))
	}
	if n := len(mem.Names()); n != 7 {
		t.Fatalf("%d files: %q", n, mem.Names())
	}
	if err := exchange.RemoveParts(t.Context(), mem, name, time.Time{}); err != nil || len(mem.Names()) != 7 {
		t.Errorf("young parts were removed: %q, %v", mem.Names(), err)
	}
	slices.Sort(others)
	err := exchange.RemoveParts(t.Context(), mem, name, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if got := mem.Names(); err != nil || !slices.Equal(got, others) {
		t.Errorf("left: %q, %v", got, err)
	}
}

func TestWhetherARetryHelpsIsUpToTheFirstError(t *testing.T) {
	mem := exchangetest.NewMem()
	err := publish(t.Context(), denying{exchangetest.FailAt(0, mem)})
	if errors.Is(err, exchange.ErrPermanent) || !strings.Contains(err.Error(), "left behind") {
		t.Errorf("error %v", err)
	}
}

// denying is a remote on which nothing may be removed.
type denying struct{ exchange.Remote }

func (denying) Remove(context.Context, string) error {
	return exchange.Permanent(fmt.Errorf("remove: %w", fs.ErrPermission))
}
