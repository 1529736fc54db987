package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"concord/engine"
	"github.com/google/go-cmp/cmp"
)

// constantID is a world in which a carrier fills the correlation id with the
// same text in every row: no id at all.
func constantID(n int, microsoftToo bool) (ms, cs []engine.Call) {
	ms, cs = benchWorld(n, true)
	for i := range cs {
		cs[i].CorrelationID = "0"
	}
	if microsoftToo {
		for i := range ms {
			ms[i].CorrelationID = "0"
		}
	}
	return ms, cs
}

func matchCalls(t *testing.T, ms, cs []engine.Call, memory int64, scratch engine.Scratch) (*engine.Result, error) {
	t.Helper()
	return engine.Run(t.Context(), engine.Task{
		Carrier: "fabrikam", Rules: engine.DefaultRules(), Memory: memory, Scratch: scratch, Verdicts: true, Workers: 2,
		Sources: [2]engine.Source{&benchSide{calls: ms}, &benchSide{calls: cs}},
		Files:   [2][]string{{"m"}, {"c"}},
	})
}

// verdictLines writes the verdicts of a run as text.
func verdictLines(t *testing.T, res *engine.Result) []string {
	t.Helper()
	var out []string
	for v, err := range res.Verdicts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(*v))
	}
	if err := res.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAConstantCorrelationIDCostsNoMemory(t *testing.T) {
	ms, cs := constantID(3000, false)
	var want []string
	for _, memory := range []int64{64 << 20, 8 << 10} {
		res, err := matchCalls(t, ms, cs, memory, &memoryScratch{})
		if err != nil {
			t.Fatal(err)
		}
		got := verdictLines(t, res)
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("with %d bytes: %s", memory, d)
		}
	}
	if len(want) != len(ms)+len(cs) || !strings.Contains(want[10], "matched") {
		t.Fatalf("%d verdicts on %d records, the tenth: %s", len(want), len(ms)+len(cs), want[10])
	}
}

func TestAConstantIDOnBothSidesIsNamed(t *testing.T) {
	ms, cs := constantID(12_000, true)
	_, err := matchCalls(t, ms, cs, 8<<10, &memoryScratch{})
	if err == nil || !strings.Contains(err.Error(), "is the correlation id a constant?") {
		t.Fatalf("got %v", err)
	}
}

// failingScratch fails its n-th operation.
type failingScratch struct {
	mu        sync.Mutex
	in        memoryScratch
	ops, fail int
	open      int
}

var errScratch = errors.New("no space left on the scratch disk")

func (s *failingScratch) op() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ops++; s.ops == s.fail {
		return errScratch
	}
	return nil
}

func (s *failingScratch) Create() (engine.ScratchFile, error) {
	if err := s.op(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.in.Create()
	s.open++
	return &failingFile{f, s}, err
}

type failingFile struct {
	engine.ScratchFile
	s *failingScratch
}

func (f *failingFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.s.op(); err != nil {
		return 0, err
	}
	return f.ScratchFile.WriteAt(p, off)
}

func (f *failingFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.s.op(); err != nil {
		return 0, err
	}
	return f.ScratchFile.ReadAt(p, off)
}

func (f *failingFile) Close() error {
	f.s.mu.Lock()
	f.s.open--
	f.s.mu.Unlock()
	return errors.Join(f.s.op(), f.ScratchFile.Close())
}

// A disk that fails must fail the run: a verdict on part of the records would
// be a wrong report.
func TestEveryScratchErrorFailsTheRun(t *testing.T) {
	ms, cs := benchWorld(120, false)
	step := 1
	for i := 1; ; i += step {
		s := &failingScratch{fail: i}
		err := matchAll(t, ms, cs, s)
		if s.open != 0 {
			t.Fatalf("operation %d failed and left %d scratch files open", i, s.open)
		}
		if s.ops < i {
			if err != nil || i < 200 {
				t.Fatalf("%d operations were swept; the clean run says %v", i, err)
			}
			return
		}
		if !errors.Is(err, errScratch) {
			t.Fatalf("operation %d failed, the run says %v", i, err)
		}
		if i > 300 {
			step = 37 // the rest are of the same kinds
		}
	}
}

// matchAll runs and reads everything that there is to read.
func matchAll(t *testing.T, ms, cs []engine.Call, s engine.Scratch) (err error) {
	res, err := matchCalls(t, ms, cs, 1, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	for _, err := range res.Cases(t.Context()) {
		if err != nil {
			return err
		}
	}
	for _, err := range res.Verdicts(t.Context()) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestACancelledRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ms, cs := benchWorld(100, true)
	s := &failingScratch{}
	_, err := engine.Run(ctx, engine.Task{
		Rules: engine.DefaultRules(), Scratch: s, Memory: 1,
		Sources: [2]engine.Source{&benchSide{calls: ms}, &benchSide{calls: cs}}, Files: [2][]string{{"m"}, {"c"}},
	})
	if !errors.Is(err, context.Canceled) || s.open != 0 {
		t.Fatalf("got %v with %d files open", err, s.open)
	}
}
