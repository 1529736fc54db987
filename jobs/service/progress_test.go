package service

import (
	"fmt"
	"testing"
	"time"

	"concord/engine"
	"concord/jobs/control"
)

func TestARunsPassageIsKeptForAWhile(t *testing.T) {
	at := time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC)
	p := progress{now: func() time.Time { return at }}
	w := p.watch("first")
	w.Stage("read")
	w.Rows(engine.Microsoft, 5)
	w.Rows(engine.Carrier, 7)
	at = at.Add(time.Second)
	w.Stage("match")
	if x, ok := p.of("first"); !ok || x != (control.Progress{Stage: "match", MicrosoftRows: 5, CarrierRows: 7}) {
		t.Errorf("under way it is at %+v, %v", x, ok)
	}
	p.forget("first")
	p.forget("first")
	p.forget("another")
	if x, ok := p.of("first"); ok {
		t.Errorf("over it is at %+v", x)
	}
	log := p.log("first")
	if len(log) != 2 || log[0] != (control.Moment{Time: at.Add(-time.Second), Stage: "read", MicrosoftRows: 5, CarrierRows: 7}) || log[1].Stage != "match" {
		t.Errorf("it went through %+v", log)
	}
	for i := range maxOver {
		run := fmt.Sprint(i)
		p.watch(run).Stage("read")
		p.forget(run)
	}
	if p.log("first") != nil || len(p.log("0")) != 1 || len(p.runs) != maxOver || len(p.over) != maxOver {
		t.Errorf("%d runs are kept, the first with %v", len(p.runs), p.log("first"))
	}
	long := p.watch("long")
	for range 3 * maxMoments {
		long.Stage("read")
	}
	if n := len(p.log("long")); n != maxMoments {
		t.Errorf("%d moments are kept", n)
	}
}
