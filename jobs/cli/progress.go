package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"concord/engine"
	"concord/jobs/control"
)

// logEvery is how often progress is told where there is no terminal.
const logEvery = 5 * time.Second

// stages in words.
func inWords(stage string) string {
	switch stage {
	case "read":
		return "reading the files"
	case "repeats":
		return "looking for repeated records"
	case "clock":
		return "measuring the carrier's clock"
	case "match":
		return "matching calls"
	case "report":
		return "writing the report"
	}
	return stage
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// progress tells how far a run is: a moving line on a terminal, else a line of
// log every few seconds.
type progress struct {
	mu    sync.Mutex
	stage string
	rows  [2]int64
	bar   *progressbar.ProgressBar // nil without a terminal
	log   *slog.Logger
	quit  chan struct{}
	done  sync.WaitGroup
}

func startProgress(w io.Writer) *progress {
	p := &progress{stage: "starting", quit: make(chan struct{}), log: slog.New(slog.NewTextHandler(w, nil))}
	every := logEvery
	if f, ok := terminal(w); ok {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(f), progressbar.OptionSpinnerType(14),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))
		every = 200 * time.Millisecond
	}
	p.done.Go(func() { p.tell(every) })
	return p
}

// tell speaks at every tick until stop.
func (p *progress) tell(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
			p.say()
		}
	}
}

func (p *progress) say() {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, c := p.rows[engine.Microsoft], p.rows[engine.Carrier]
	if p.bar == nil {
		p.log.Info(p.stage, "microsoft_rows", m, "carrier_rows", c)
		return
	}
	p.bar.Describe(fmt.Sprintf("%s: %s of Microsoft's rows, %s of the carrier's", p.stage, grouped(m), grouped(c)))
	_ = p.bar.Add(1) // a line that cannot be drawn is no loss
}

func (p *progress) observer() engine.Observer {
	return engine.Observer{
		Stage: func(name string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.stage = inWords(name)
		},
		Rows: func(side engine.Side, rows int64) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.rows[side] = max(p.rows[side], rows)
		},
	}
}

// shows takes over what another process says of a run.
func (p *progress) shows(what string, of *control.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage, p.rows = what, [2]int64{}
	if of != nil {
		p.stage += ", " + inWords(of.Stage)
		p.rows[engine.Microsoft], p.rows[engine.Carrier] = of.MicrosoftRows, of.CarrierRows
	}
}

// stop ends the telling and clears its line.
func (p *progress) stop() {
	close(p.quit)
	p.done.Wait()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
