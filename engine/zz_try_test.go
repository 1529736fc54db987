package engine_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"concord/engine"
)

type tmpScratch struct{}

func (tmpScratch) Create() (engine.ScratchFile, error) {
	f, err := os.CreateTemp("", "zz")
	if err == nil {
		os.Remove(f.Name())
	}
	return f, err
}

func TestZZJunk(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	var ms, cs []engine.Call
	n := 3_000_000
	for i := range n {
		c := engine.Call{Row: int64(i + 1), Start: start + int64(i)*800_000, DurationMS: 60000, Caller: engine.E164(49301000 + uint64(i%1000)), Callee: engine.E164(33140000)}
		cs = append(cs, c)
		if i%1000 == 0 {
			c.Row, c.Caller, c.DurationMS = int64(len(ms)+1), engine.E164(4930700), 90000
			ms = append(ms, c)
		}
	}
	var peak uint64
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}
	}()
	var base runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&base)
	t0 := time.Now()
	last := ""
	r := engine.DefaultRules()
	r.AutoOffset = false
	res, err := engine.Run(t.Context(), engine.Task{Carrier: "f", Rules: r, Memory: 64 << 20, Scratch: tmpScratch{}, Workers: 2,
		Sources: [2]engine.Source{&benchSide{calls: ms}, &benchSide{calls: cs}}, Files: [2][]string{{"m"}, {"c"}},
		Observer: engine.Observer{Stage: func(s string) { fmt.Println(last, time.Since(t0), peak>>20, "peak so far"); last = s }}})
	fmt.Println(last, time.Since(t0), "peak", peak>>20, "base", base.HeapInuse>>20, err)
	stop <- true
	if err == nil {
		res.Close()
	}
}
