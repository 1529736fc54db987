package engine_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"concord/engine"
)

// benchSide hands out prepared calls in parts, as a fast reader would.
type benchSide struct {
	calls []engine.Call
	next  int
}

const benchPart = 1 << 16

func (s *benchSide) Next(context.Context) (engine.Part, error) {
	if s.next >= len(s.calls) {
		return nil, io.EOF
	}
	end := min(s.next+benchPart, len(s.calls))
	p := &benchCalls{first: s.next, calls: s.calls[s.next:end]}
	p.rows = len(p.calls)
	s.next = end
	return p, nil
}

func (s *benchSide) Finish(context.Context) error { return nil }

type benchCalls struct {
	first, rows int
	calls       []engine.Call
}

func (p *benchCalls) Place() engine.Place {
	return engine.Place{First: int64(p.first) + 1, Rows: int64(p.rows)}
}

func (p *benchCalls) Read(_ context.Context, dst []engine.Call) (int, error) {
	if len(p.calls) == 0 {
		return 0, io.EOF
	}
	n := copy(dst, p.calls)
	p.calls = p.calls[n:]
	return n, nil
}

func (p *benchCalls) Close() error { return nil }

// benchWorld makes n calls of both sides, three in a hundred discrepant.
func benchWorld(n int, ids bool) (ms, cs []engine.Call) {
	r := rand.New(rand.NewPCG(1, 2))
	uuid := func() string {
		a, b := r.Uint64(), r.Uint64()
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1))
	}
	for i := range n {
		m := engine.Call{
			RecordID: uuid(), TenantID: fmt.Sprintf("00000000-0000-4000-8000-%012d", r.IntN(500)), CallType: "user_out",
			Caller: engine.E164(4930000000000 + r.Uint64N(uint64(n))), Callee: engine.E164(33140000000 + r.Uint64N(1000)),
			Direction: engine.Out, Start: 1759276800_000000 + int64(i)*2_000_000, DurationMS: int64(r.IntN(600)) * 1000, Row: int64(i) + 1,
		}
		if ids {
			m.CorrelationID = uuid()
		}
		ms = append(ms, m)
		c := m
		c.RecordID, c.TenantID, c.CallType = fmt.Sprintf("FAB-%09d", i), "", ""
		switch r.IntN(100) {
		case 0:
			c.DurationMS += 60_000
		case 1:
			continue
		case 2:
			ms = ms[:len(ms)-1]
		}
		cs = append(cs, c)
	}
	for i := range cs {
		cs[i].Row = int64(i) + 1
	}
	for i := range ms {
		ms[i].Row = int64(i) + 1
	}
	return ms, cs
}

// benchScratch makes real files, unlinked at once.
type benchScratch struct{ dir string }

func (s benchScratch) Create() (engine.ScratchFile, error) {
	f, err := os.CreateTemp(s.dir, "scratch")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func BenchmarkRun(b *testing.B) {
	const n = 1_000_000
	for _, ids := range []bool{true, false} {
		ms, cs := benchWorld(n, ids)
		for _, memory := range []int64{64 << 20, 4 << 30} {
			b.Run(fmt.Sprintf("ids=%v/memory=%dMiB", ids, memory>>20), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					t := engine.Task{
						Carrier: "fabrikam", Rules: engine.DefaultRules(), Memory: memory, Scratch: benchScratch{b.TempDir()},
						Sources: [2]engine.Source{&benchSide{calls: ms}, &benchSide{calls: cs}},
						Files:   [2][]string{{"m"}, {"c"}},
					}
					res, err := engine.Run(b.Context(), t)
					if err != nil {
						b.Fatal(err)
					}
					for _, err := range res.Cases(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
					}
					if err := res.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(2*n), "ns/record")
			})
		}
	}
}
