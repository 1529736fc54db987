package partition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"concord/engine"
	"concord/formats"
)

// memFS keeps what is written, by carrier/name.
type memFS struct {
	mu     sync.Mutex
	files  map[string]*memFile
	failAt int // operation that fails, from 0; -1 is none
	ops    int
}

type memFile struct {
	fs             *memFS
	data           bytes.Buffer
	synced, closed bool
	dirty          bool // written since the last sync
}

var errInjected = errors.New("injected failure")

func newMemFS() *memFS { return &memFS{files: map[string]*memFile{}, failAt: -1} }

func (m *memFS) op() error {
	m.ops++
	if m.ops-1 == m.failAt {
		return errInjected
	}
	return nil
}

func (m *memFS) create(carrier, name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op(); err != nil {
		return nil, err
	}
	f := &memFile{fs: m}
	m.files[carrier+"/"+name] = f
	return f, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.op(); err != nil {
		return 0, err
	}
	f.dirty = true
	return f.data.Write(p)
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.synced, f.dirty = true, false
	return f.fs.op()
}

func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.closed = true
	return f.fs.op()
}

func carriers(n int) (list []Carrier) {
	for i := range n {
		list = append(list, Carrier{ID: fmt.Sprintf("carrier-%02d", i)})
	}
	return list
}

// calls makes n calls of carriers, some of which are unknown or not named.
func calls(n, carriers int) []engine.Call {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	list := make([]engine.Call, n)
	for i := range list {
		end := int64(1_760_000_000_000_000 + i)
		list[i] = engine.Call{
			RecordID: fmt.Sprintf("record-%d", i), CorrelationID: fmt.Sprintf("%x", r.Uint64()), TenantID: fmt.Sprintf("tenant-%d", r.IntN(9)),
			UserID: "a canary of a user", CallType: "user_in", Caller: engine.E164(493000000000 + r.Uint64N(1e6)),
			Start: int64(1_760_000_000_000_000 + i), DurationMS: int64(i % 7000), Direction: engine.Direction(r.IntN(3)),
			Carrier: fmt.Sprintf("carrier-%02d", r.IntN(carriers+2)), Details: &engine.Details{End: &end, Charge: "0.77", Currency: "XTS", Capability: "a,b"},
		}
		if r.IntN(50) == 0 {
			list[i].Carrier = ""
		}
	}
	return list
}

// file writes calls as one canonical file.
func file(t testing.TB, format formats.CanonicalFormat, group int, list []engine.Call) []byte {
	var b bytes.Buffer
	w, err := formats.NewCanonicalWriter(&b, engine.Microsoft, format, formats.CanonicalOptions{RowGroupRows: group})
	if err == nil {
		err = errors.Join(w.Write(list), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openFiles(t testing.TB, files ...[]byte) *formats.Files {
	var in []formats.Input
	for i, f := range files {
		in = append(in, formats.Input{Name: fmt.Sprint(i), R: bytes.NewReader(f), Size: int64(len(f))})
	}
	src, err := formats.Open(context.Background(), engine.Microsoft, in, formats.Options{Details: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// read reads a canonical file back.
func read(t testing.TB, data []byte) (list []engine.Call) {
	src := openFiles(t, data)
	dst := make([]engine.Call, 100)
	for {
		p, err := src.Next(context.Background())
		if err == io.EOF {
			break
		}
		for err == nil {
			var n int
			n, err = p.Read(context.Background(), dst)
			for _, c := range dst[:n] {
				c.RecordID, c.CorrelationID, c.TenantID, c.UserID = strings.Clone(c.RecordID), strings.Clone(c.CorrelationID), strings.Clone(c.TenantID), strings.Clone(c.UserID)
				c.Carrier = strings.Clone(c.Carrier)
				d := *c.Details
				d.Charge = strings.Clone(d.Charge)
				end := *d.End
				d.End = &end
				c.Details = &d
				list = append(list, c)
			}
		}
		if err != io.EOF {
			t.Fatal(err)
		}
		p.Close()
	}
	if err := src.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCallsGoToTheirCarrier(t *testing.T) {
	list := calls(8_000, 5)
	o := Options{Carriers: carriers(5), From: list[1000].Start, To: list[7_000].Start}
	o.Carriers[3].Names = []string{"carrier-03", "carrier-05"} // known under two names
	for name, input := range map[string][]byte{"csv": file(t, formats.CanonicalCSV, 0, list), "parquet": file(t, formats.CanonicalParquet, 3000, list)} {
		fs := newMemFS()
		res, err := Calls(context.Background(), openFiles(t, input), fs.create, o)
		if err != nil {
			t.Fatal(name, err)
		}
		if res.Outside != 2000 || res.Rows != 8_000 || len(res.Unknown) != 2 || res.Unknown[0].Name != "" || res.Unknown[1].Name != "carrier-06" {
			t.Fatalf("%s: %+v", name, res)
		}
		for i, d := range res.Carriers {
			var want []engine.Call
			for _, c := range list[1000:7_000] {
				if slices.Contains(append(o.Carriers[i].Names, o.Carriers[i].ID), c.Carrier) {
					want = append(want, c)
				}
			}
			for _, f := range []string{CallsCSV, CallsParquet} {
				f := fs.files[d.Carrier+"/"+f]
				sameCalls(t, read(t, f.data.Bytes()), want)
				if !f.closed || !f.synced || f.dirty {
					t.Error("a file is not lasting")
				}
				if bytes.Contains(f.data.Bytes(), []byte("canary")) || bytes.Contains(f.data.Bytes(), []byte("XTS")) {
					t.Error("a carrier sees what it may not")
				}
			}
			if d.Rows != int64(len(want)) {
				t.Errorf("%s: %d rows, want %d", d.Carrier, d.Rows, len(want))
			}
		}
	}
}

func sameCalls(t *testing.T, got, want []engine.Call) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d calls, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := &got[i], &want[i]
		if g.RecordID != w.RecordID || g.CorrelationID != w.CorrelationID || g.TenantID != w.TenantID || g.Caller != w.Caller || g.Start != w.Start ||
			g.DurationMS != w.DurationMS || g.Direction != w.Direction || g.Carrier != w.Carrier || *g.Details.End != *w.Details.End ||
			g.UserID != "" || g.Details.Charge != "" {
			t.Fatalf("call %d is %+v, want %+v", i, g, w)
		}
	}
}

// The same bytes whatever the number of workers and the files that the rows
// came in, and nothing is held that should not be.
func TestSameBytesHoweverManyWorkers(t *testing.T) {
	list := calls(20_000, 8)
	inputs := [][]byte{file(t, formats.CanonicalParquet, 3000, list)}
	split := [][]byte{file(t, formats.CanonicalCSV, 0, list[:7_000]), file(t, formats.CanonicalParquet, 900, list[7_000:])}
	var first *memFS
	for _, workers := range []int{1, 2, 3, 8} {
		for _, in := range [][][]byte{inputs, split} {
			fs := newMemFS()
			// Row groups end early, and with little memory workers wait.
			o := Options{Carriers: carriers(8), Workers: workers, Memory: 1 << (18 + 2*workers), gather: 1}
			if _, err := Calls(context.Background(), openFiles(t, in...), fs.create, o); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = fs
			}
			for name, f := range first.files {
				if !bytes.Equal(f.data.Bytes(), fs.files[name].data.Bytes()) && len(in) == 1 {
					t.Errorf("%d workers: %s differs", workers, name)
				}
				if strings.HasSuffix(name, ".csv") && !bytes.Equal(f.data.Bytes(), fs.files[name].data.Bytes()) {
					t.Errorf("%d workers, %d files: %s differs", workers, len(in), name)
				}
			}
		}
	}
}

func TestBadRowsAreTold(t *testing.T) {
	head := "record_id,carrier,start,duration_ms\n"
	var rows strings.Builder
	for i := range 100 {
		fmt.Fprintf(&rows, "r%d,carrier-00,2026-10-01T10:00:00Z,5\n", i)
	}
	fs := newMemFS()
	var bad []string
	o := Options{Carriers: carriers(2), Rejected: func(e *engine.RowError) { bad = append(bad, e.Error()) }}
	res, err := Calls(context.Background(), openFiles(t, []byte(head+"x,carrier-00,never,5\n"+rows.String()+"y,carrier-01,2026-10-01T10:00:00Z,-5\n")), fs.create, o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Rejected != 2 || res.Rows != 102 || res.Carriers[0].Rows != 100 || res.Carriers[0].DurationMS != 500 || res.Carriers[1].Rows != 0 {
		t.Errorf("%+v", res)
	}
	if len(bad) != 2 || !strings.HasPrefix(bad[0], "line 2: start") || !strings.HasPrefix(bad[1], "line 103: duration_ms") {
		t.Errorf("%q", bad)
	}
	// Nothing to report is a file with a header, not no file.
	if got := fs.files["carrier-01/calls.csv"].data.String(); got != strings.Join(DeliveredColumns(), ",")+"\n" {
		t.Errorf("%q", got)
	}
	if got := read(t, fs.files["carrier-01/calls.parquet"].data.Bytes()); len(got) != 0 {
		t.Error(got)
	}
}

// Whatever operation fails, the delivery says so, and no file stays open.
func TestEveryFailureIsReported(t *testing.T) {
	input := file(t, formats.CanonicalParquet, 500, calls(3000, 3))
	for i := 0; ; i++ {
		fs := newMemFS()
		fs.failAt = i
		_, err := Calls(context.Background(), openFiles(t, input), fs.create, Options{Carriers: carriers(3), Memory: 1 << 20, Workers: 2, gather: 1})
		for name, f := range fs.files {
			if !f.closed {
				t.Errorf("operation %d fails: %s stays open", i, name)
			}
		}
		if err == nil {
			if fs.ops > i {
				t.Errorf("the failure of operation %d was not told", i)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
	}
}

func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(context.Background())
	src := openFiles(t, file(t, formats.CanonicalParquet, 500, calls(3000, 3)))
	stop(errInjected)
	if _, err := Calls(ctx, src, newMemFS().create, Options{Carriers: carriers(3)}); !errors.Is(err, errInjected) && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNamesOfCarriers(t *testing.T) {
	for _, list := range [][]Carrier{nil, {{ID: ""}}, {{ID: "a"}, {ID: "a"}}, {{ID: "a"}, {ID: "b", Names: []string{"a"}}}, {{ID: "a", Names: []string{""}}}} {
		if _, err := Calls(context.Background(), nil, nil, Options{Carriers: list}); err == nil {
			t.Errorf("%v was accepted", list)
		}
	}
}

func TestUnknownNamesAreBounded(t *testing.T) {
	counts := map[string]int64{}
	for i := range 5000 {
		countUnknown(counts, fmt.Sprint(i), 2)
	}
	list := unknownOf(counts)
	var sum int64
	for _, u := range list {
		sum += u.Rows
	}
	if len(list) != maxUnknown+1 || sum != 10_000 {
		t.Errorf("%d names, %d rows", len(list), sum)
	}
}
