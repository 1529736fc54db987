package service

import (
	"sync"

	"concord/engine"
	"concord/jobs/control"
)

// progress keeps the progress of the runs under way.
type progress struct {
	mu   sync.Mutex
	runs map[string]control.Progress
}

// watch returns who is told of a run's progress.
func (p *progress) watch(run string) engine.Observer {
	return engine.Observer{
		Stage: func(name string) { p.change(run, func(x *control.Progress) { x.Stage = name }) },
		Rows: func(side engine.Side, rows int64) {
			p.change(run, func(x *control.Progress) {
				if side == engine.Microsoft {
					x.MicrosoftRows = rows
				} else {
					x.CarrierRows = rows
				}
			})
		},
	}
}

func (p *progress) change(run string, do func(*control.Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs == nil {
		p.runs = make(map[string]control.Progress)
	}
	x := p.runs[run]
	do(&x)
	p.runs[run] = x
}

func (p *progress) forget(run string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.runs, run)
}

func (p *progress) of(run string) (control.Progress, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.runs[run]
	return x, ok
}
