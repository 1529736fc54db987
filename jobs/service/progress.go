package service

import (
	"slices"
	"sync"
	"time"

	"concord/engine"
	"concord/jobs/control"
)

// progress keeps how far the runs under way are, and what they and the latest
// before them went through.
type progress struct {
	now  func() time.Time
	mu   sync.Mutex
	runs map[string]*passage
	over []string // whose passage is kept, the oldest first
}

// passage is what one run went through in this process.
type passage struct {
	at      control.Progress
	log     []control.Moment
	running bool
}

// Bounds of what is kept.
const (
	maxOver    = 500 // runs that are over
	maxMoments = 200 // of one run
)

// watch returns who is told of a run's progress.
func (p *progress) watch(run string) engine.Observer {
	return engine.Observer{
		Stage: func(name string) {
			p.change(run, func(x *passage) {
				x.at.Stage = name
				if len(x.log) < maxMoments {
					x.log = append(x.log, control.Moment{Time: p.now().UTC(), Stage: name})
				}
			})
		},
		Rows: func(side engine.Side, rows int64) {
			p.change(run, func(x *passage) {
				if side == engine.Microsoft {
					x.at.MicrosoftRows = rows
				} else {
					x.at.CarrierRows = rows
				}
			})
		},
	}
}

func (p *progress) change(run string, do func(*passage)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs == nil {
		p.runs = make(map[string]*passage)
	}
	x := p.runs[run]
	if x == nil {
		x = new(passage)
		p.runs[run] = x
	}
	x.running = true
	do(x)
	if n := len(x.log); n > 0 {
		x.log[n-1].MicrosoftRows, x.log[n-1].CarrierRows = x.at.MicrosoftRows, x.at.CarrierRows
	}
}

// forget ends the progress of a run. What it went through is kept until there
// are many after it.
func (p *progress) forget(run string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.runs[run]
	if x == nil || !x.running {
		return
	}
	x.running = false
	if p.over = append(p.over, run); len(p.over) > maxOver {
		delete(p.runs, p.over[0])
		p.over = slices.Delete(p.over, 0, 1)
	}
}

func (p *progress) of(run string) (control.Progress, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.runs[run]
	if x == nil || !x.running {
		return control.Progress{}, false
	}
	return x.at, true
}

// log returns what a run went through in this process.
func (p *progress) log(run string) []control.Moment {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.runs[run]; x != nil {
		return slices.Clone(x.log)
	}
	return nil
}
