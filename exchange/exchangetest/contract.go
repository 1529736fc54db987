package exchangetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"concord/exchange"
)

// Contract tries what every Remote promises. open returns one that holds
// nothing.
func Contract(t *testing.T, open func(t *testing.T) exchange.Remote) {
	for name, try := range map[string]func(t *testing.T, r exchange.Remote){
		"what is put is got":                     putAndGet,
		"names are bytes":                        names,
		"a put takes the place of what was":      overwrite,
		"a rename takes the place of what was":   rename,
		"a removed file is gone":                 remove,
		"what is not there is said to be so":     notFound,
		"a folder is not a file":                 folders,
		"an ended context stops everything":      cancelled,
		"a context that ends stops a transfer":   cancelledMeanwhile,
		"the reader's error is the put's":        failingReader,
		"the writer's error is the get's":        failingWriter,
		"files of different names are put aside": concurrent,
		"a get goes on where another stopped":    resume,
		"publishing and fetching":                publishAndFetch,
	} {
		t.Run(name, func(t *testing.T) { try(t, open(t)) })
	}
}

// Content returns n bytes that no compression shortens, the same ones for the
// same n.
func Content(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

func put(t *testing.T, r exchange.Remote, name string, content []byte) {
	t.Helper()
	// No Len and no WriteTo: an arbitrary reader.
	src := struct{ io.Reader }{bytes.NewReader(content)}
	if err := r.Put(t.Context(), name, src); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func holds(t *testing.T, r exchange.Remote, name string, want []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := r.Get(t.Context(), name, struct{ io.Writer }{&got}, 0); err != nil {
		t.Fatalf("get: %v", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("%q holds %d other bytes than the %d expected", name, got.Len(), len(want))
	}
	e, err := r.Stat(t.Context(), name)
	if err != nil || e.Size != int64(len(want)) || !e.Type.IsRegular() {
		t.Fatalf("stat %q: %+v, %v", name, e, err)
	}
}

func listed(t *testing.T, r exchange.Remote, want ...string) {
	t.Helper()
	entries, err := r.List(t.Context(), "")
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name)
	}
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Fatalf("listed %q, not %q", got, want)
	}
}

func putAndGet(t *testing.T, r exchange.Remote) {
	listed(t, r)
	var want []string
	for _, size := range []int{0, 1, 1<<15 - 1, 1 << 15, 1<<15 + 1, 3<<20 + 7919} {
		name := "f" + strconv.Itoa(size)
		put(t, r, name, Content(size))
		holds(t, r, name, Content(size))
		want = append(want, name)
	}
	listed(t, r, want...)
}

func names(t *testing.T, r exchange.Remote) {
	all := []string{
		"with space", " leading", "tr\u00e4ger.csv", "tra\u0308ger.csv", "-rf", "--help",
		`it's "quoted"`, `back\slash`, "100%.csv", "*?[a]", "$HOME;`id`", "~", "#x", "...", "é.csv",
	}
	for i, name := range all {
		put(t, r, name, Content(i+10))
	}
	listed(t, r, all...)
	for i, name := range all {
		holds(t, r, name, Content(i+10))
		if err := r.Rename(t.Context(), name, name+".x"); err != nil {
			t.Errorf("rename %q: %v", name, err)
		}
		if err := r.Remove(t.Context(), name+".x"); err != nil {
			t.Errorf("remove %q: %v", name, err)
		}
	}
	listed(t, r)
}

func overwrite(t *testing.T, r exchange.Remote) {
	put(t, r, "a", Content(100_000))
	put(t, r, "a", Content(10))
	holds(t, r, "a", Content(10))
}

func rename(t *testing.T, r exchange.Remote) {
	put(t, r, "a", Content(10))
	put(t, r, "b", Content(20))
	if err := r.Rename(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	holds(t, r, "b", Content(10))
	listed(t, r, "b")
}

func remove(t *testing.T, r exchange.Remote) {
	put(t, r, "a", nil)
	put(t, r, "b", Content(3))
	if err := r.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	listed(t, r, "b")
}

func notFound(t *testing.T, r exchange.Remote) {
	put(t, r, "other", nil)
	ctx := t.Context()
	_, errStat := r.Stat(ctx, "none")
	_, errList := r.List(ctx, "none")
	for what, err := range map[string]error{
		"stat":   errStat,
		"list":   errList,
		"get":    r.Get(ctx, "none", io.Discard, 0),
		"rename": r.Rename(ctx, "none", "other"),
		"remove": r.Remove(ctx, "none"),
		"put":    r.Put(ctx, "none/a", bytes.NewReader(nil)),
	} {
		if _, ok := r.(*Mem); ok && what == "put" { // makes folders as needed
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, exchange.ErrPermanent) {
			t.Errorf("%s: %v", what, err)
		}
	}
	holds(t, r, "other", nil)
}

func folders(t *testing.T, r exchange.Remote) {
	if err := r.Remove(t.Context(), ""); err == nil {
		t.Error("the folder could be removed")
	}
	if err := r.Get(t.Context(), "", io.Discard, 0); err == nil {
		t.Error("a folder could be read")
	}
	listed(t, r)
}

func cancelled(t *testing.T, r exchange.Remote) {
	put(t, r, "a", Content(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errStat := r.Stat(ctx, "a")
	_, errList := r.List(ctx, "")
	for what, err := range map[string]error{
		"stat":   errStat,
		"list":   errList,
		"get":    r.Get(ctx, "a", io.Discard, 0),
		"put":    r.Put(ctx, "a", bytes.NewReader(nil)),
		"rename": r.Rename(ctx, "a", "b"),
		"remove": r.Remove(ctx, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	holds(t, r, "a", Content(10))
	listed(t, r, "a")
}

// cancelledMeanwhile ends the context while content flows. The remote is still
// there for others then, and the reader is left alone.
func cancelledMeanwhile(t *testing.T, r exchange.Remote) {
	ctx, cancel := context.WithCancel(t.Context())
	var reads, after int
	returned := false
	endless := readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 20 {
			cancel()
		}
		if returned {
			after++
		}
		return len(p), nil
	})
	err := r.Put(ctx, "a", endless)
	returned = true
	if !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	put(t, r, "b", Content(5<<20))
	ctx, cancel = context.WithCancel(t.Context())
	err = r.Get(ctx, "b", writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }), 0)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	holds(t, r, "b", Content(5<<20))
	if after > 0 {
		t.Errorf("%d reads after the put had returned", after)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func failingReader(t *testing.T, r exchange.Remote) {
	for _, after := range []int64{0, 1000, 5 << 20} {
		zeros := readerFunc(func(p []byte) (int, error) { return len(p), nil })
		fails := readerFunc(func([]byte) (int, error) { return 0, ErrInjected })
		err := r.Put(t.Context(), "a", io.MultiReader(io.LimitReader(zeros, after), fails))
		if !errors.Is(err, ErrInjected) {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
	put(t, r, "a", Content(7))
	holds(t, r, "a", Content(7))
}

func failingWriter(t *testing.T, r exchange.Remote) {
	put(t, r, "a", Content(5<<20))
	for _, after := range []int{0, 1000, 3 << 20} {
		n := 0
		err := r.Get(t.Context(), "a", writerFunc(func(p []byte) (int, error) {
			if n += len(p); n > after {
				return 0, ErrInjected
			}
			return len(p), nil
		}), 0)
		if !errors.Is(err, ErrInjected) {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
	holds(t, r, "a", Content(5<<20))
}

func concurrent(t *testing.T, r exchange.Remote) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := "f" + strconv.Itoa(i)
			if err := r.Put(t.Context(), name, bytes.NewReader(Content(300_000+i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		holds(t, r, "f"+strconv.Itoa(i), Content(300_000+i))
	}
}

func resume(t *testing.T, r exchange.Remote) {
	whole := Content(2<<20 + 11)
	put(t, r, "a", whole)
	for _, from := range []int64{1, 1 << 15, 1<<20 + 3, 2<<20 + 10, 2<<20 + 11} {
		var got bytes.Buffer
		if err := r.Get(t.Context(), "a", &got, from); err != nil || !bytes.Equal(got.Bytes(), whole[from:]) {
			t.Errorf("from %d: %d bytes, %v", from, got.Len(), err)
		}
	}
}

func publishAndFetch(t *testing.T, r exchange.Remote) {
	for _, size := range []int{0, 1<<20 + 1, 5} {
		whole := Content(size)
		if err := exchange.Publish(t.Context(), r, "out.csv", bytes.NewReader(whole), int64(size)); err != nil {
			t.Fatal(err)
		}
		listed(t, r, "out.csv")
		seen, err := r.Stat(t.Context(), "out.csv")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		n, err := exchange.Fetch(t.Context(), r, "out.csv", seen, &got, 0)
		if err != nil || n != int64(size) || !bytes.Equal(got.Bytes(), whole) {
			t.Fatalf("fetched %d bytes, %v", n, err)
		}
	}
	seen, _ := r.Stat(t.Context(), "out.csv")
	if err := exchange.RemoveIfSame(t.Context(), r, "out.csv", seen); err != nil {
		t.Fatal(err)
	}
	listed(t, r)
}
