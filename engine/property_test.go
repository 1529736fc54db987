package engine_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"concord/engine"
)

// check runs a property from a fixed seed, so that every run of the tests is
// the same; -rapid.checks and -rapid.seed on the command line go before.
func check(t *testing.T, checks int, property func(*rapid.T)) {
	t.Helper()
	for name, value := range map[string]string{
		"rapid.checks": fmt.Sprint(checks), "rapid.seed": "20261123", "rapid.nofailfile": "true",
	} {
		f := flag.Lookup(name)
		if old := f.Value.String(); old == f.DefValue {
			f.Value.Set(value)
			t.Cleanup(func() { f.Value.Set(old) })
		}
	}
	rapid.Check(t, property)
}

// Ways to run that must not show in the answer.
var setups = []setup{
	{workers: 1, memory: 1 << 20, partRows: 1},
	{workers: 1, memory: 0, partRows: 1000},
	{workers: 4, memory: 1, partRows: 3},
	{workers: 3, memory: 256 << 20, partRows: 3},
	{workers: 2, memory: 1, scatter: 3},
	{workers: 3, memory: 256 << 20, scatter: 2},
}

// sameAsReference compares the engine, run in one of the ways, with the
// reference.
func sameAsReference(t *rapid.T, w *world) {
	how := rapid.SampledFrom(setups).Draw(t, "setup")
	want := reference(w)
	got, err := run(context.Background(), w, how)
	if err != nil {
		t.Fatalf("run with %+v: %v\n%s", how, err, w)
	}
	if diff := cmp.Diff(want.lines(), got.lines()); diff != "" {
		t.Fatalf("with %+v the engine (+) differs from the reference (-):\n%s\n%s", how, diff, w)
	}
}

func TestEngineDecidesAsTheReference(t *testing.T) {
	check(t, 2500, func(t *rapid.T) { sameAsReference(t, drawWorld(t)) })
}

func TestEngineMeasuresTheClockAsTheReference(t *testing.T) {
	check(t, 200, func(t *rapid.T) {
		w := drawWorld(t)
		w.rules.AutoOffset = true
		drawClock(t, w)
		sameAsReference(t, w)
	})
}

// A side of thousands of records has full partitions, and spills when it may
// hold next to nothing.
func TestEngineDecidesLongFilesAsTheReference(t *testing.T) {
	check(t, 3, func(t *rapid.T) {
		w := drawLongWorld(t, 500)
		want := reference(w)
		for _, how := range []setup{{workers: 2, memory: 1, partRows: 300}, {workers: 3, memory: 256 << 20, partRows: 70}, {workers: 2, memory: 1, scatter: 5}} {
			got, err := run(context.Background(), w, how)
			if err != nil {
				t.Fatalf("run with %+v: %v", how, err)
			}
			if how.memory == 1 && got.scratchFiles == 0 {
				t.Fatalf("run with %+v spilled nothing", how)
			}
			if diff := cmp.Diff(want.lines(), got.lines()); diff != "" {
				t.Fatalf("with %+v the engine (+) differs from the reference (-):\n%s", how, diff)
			}
		}
	})
}

// Worlds reach every class and pass often enough for the comparisons to say
// something.
func TestWorldsReachEveryClassAndPass(t *testing.T) {
	var classes [engine.NumClasses]int
	passes := map[engine.Pass]int{}
	worlds, offsets := 0, 0
	check(t, 2000, func(t *rapid.T) {
		worlds++
		w := drawWorld(t)
		if rapid.IntRange(0, 9).Draw(t, "clock") == 0 {
			w.rules.AutoOffset = true
			drawClock(t, w)
		}
		a := reference(w)
		if w.rules.AutoOffset && a.offset != 0 {
			offsets++
		}
		for _, v := range a.verdicts {
			classes[v.class]++
			passes[v.pass]++
		}
	})
	for class, n := range classes {
		if n*100 < worlds {
			t.Errorf("only %d records of %d worlds are %v", n, worlds, engine.Class(class))
		}
	}
	if len(passes) != 5 || offsets*200 < worlds {
		t.Errorf("passes %v, %d measured offsets: worlds are too plain", passes, offsets)
	}
}

// String writes a world so that a failing case can be read.
func (w *world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rules %+v\nperiod %v to %v, as of %v\n", w.rules, w.from, w.to, w.asOf)
	for side, files := range w.sides {
		for f, rows := range files {
			for i, r := range rows {
				fmt.Fprintf(&b, "%v %d:%d %s\n", engine.Side(side), f, i+1, r)
			}
		}
	}
	return b.String()
}

func (r row) String() string {
	if r.bad {
		return "bad"
	}
	s := fmt.Sprintf("%q corr=%q %s>%s %s %dms", r.RecordID, r.CorrelationID, r.Caller.Full(), r.Callee.Full(),
		time.UnixMicro(r.Start).UTC().Format("01-02T15:04:05.999999"), r.DurationMS)
	if r.HasRevision {
		s += fmt.Sprintf(" rev=%d", r.Revision)
	}
	if r.Source == engine.SourceOperator {
		s += " operator"
	}
	return s
}
