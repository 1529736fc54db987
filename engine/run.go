package engine

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"time"

	"concord/engine/spill"
)

// Task is one reconciliation.
type Task struct {
	Carrier string
	Sources [2]Source   // by Side
	Files   [2][]string // base names by Side, in the order given
	Rules   Rules
	// From and To bound the period [From, To); both zero: every record is
	// inside. A period that does not end after it begins is refused.
	From, To time.Time
	// NearClock has only calls no further than ClockReach beyond the margin of
	// the period show the carrier's clock. Else all do: then a run reads the
	// same clock only from the same calls, wherever they lie.
	NearClock bool
	// AsOf is when the run looks at the world; zero: nothing is pending.
	AsOf time.Time
	// Memory is what the run may hold at once, in bytes, readers' buffers
	// not included; 0 is 256 MiB.
	Memory int64
	// Workers is how many goroutines work; 0 is one a processor.
	Workers int
	// Scratch makes the files that hold what does not fit in Memory.
	Scratch Scratch
	// Verdicts asks for Result.Verdicts, Users for Result.UserUsage.
	Verdicts, Users bool
	// Assignments tells calls on numbers that were not assigned to the carrier;
	// nil: nothing is known of that.
	Assignments Assignments
	Observer    Observer
}

// Scratch makes temporary files. They vanish when closed.
type Scratch = spill.Scratch

// ScratchFile is one temporary file.
type ScratchFile = spill.File

// Observer is told what happens. Its funcs may be nil and may be called by
// several goroutines at once.
type Observer struct {
	// Stage is called when a stage begins: read, repeats, clock, match,
	// report.
	Stage func(name string)
	// Rows is called now and then with the rows read so far.
	Rows func(side Side, rows int64)
}

// run is a Task at work.
type run struct {
	task    *Task
	keys    *keys
	budget  *spill.Budget
	memory  int64
	workers int
	closers []interface{ Close() error }

	sides     [2]*sideData
	namesakes [2][]uint32   // by file
	dims      []*dimensions // by worker
	tallies   []*tally
	sightings *spill.Shuffle[sighting]
	short     *spill.Shuffle[shortPair]
	log       *spill.Shuffle[caseRec]

	segmentsMu sync.Mutex
	segments   map[uint32][]rec // further segments of logged cases, by M's ordinal

	clock    clock
	findings findings
	twins    []*spill.Sorter // by worker

	period         period
	offset         int64 // microseconds
	startTolerance int64 // microseconds
	tolerance      int64 // milliseconds
	late           int64 // microseconds
	asOf           int64 // microseconds
}

// Run reconciles. It closes neither the sources nor the scratch. The error of
// a run that spilled beyond its disk is the scratch's own.
func Run(ctx context.Context, t Task) (res *Result, err error) {
	if err := errors.Join(t.Rules.Validate(), checkPeriod(t.From, t.To)); err != nil {
		return nil, err
	}
	r := newRun(&t)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	if err := r.match(ctx); err != nil {
		return nil, err
	}
	r.stage("report")
	return r.result(ctx)
}

const (
	defaultMemory = 256 << 20
	leastMemory   = 8 << 10
)

func newRun(t *Task) *run {
	r := &run{task: t, keys: newKeys(), memory: t.Memory, workers: t.Workers, segments: map[uint32][]rec{}}
	if r.memory <= 0 {
		r.memory = defaultMemory
	}
	r.memory = max(r.memory, leastMemory)
	if r.workers <= 0 {
		r.workers = runtime.GOMAXPROCS(0)
	}
	r.workers = min(r.workers, maxWorkers)
	r.budget = spill.NewBudget(r.memory / 4) // the rest is for partitions at work
	r.setRules()
	for side := range r.sides {
		r.sides[side], r.namesakes[side] = r.newSide(), countNamesakes(t.Files[side])
	}
	for range r.workers {
		r.dims = append(r.dims, newDimensions(r.keys, t.Users))
		s := spill.NewSorter(t.Scratch, r.sortBytes())
		r.twins = append(r.twins, s)
		r.closers = append(r.closers, s)
	}
	r.sightings = addShuffle[sighting](r, 1<<lightBits, blockBytes)
	r.short = addShuffle[shortPair](r, 1, 64<<10)
	r.log = addShuffle[caseRec](r, logParts, blockBytes/2)
	return r
}

func (r *run) setRules() {
	t := r.task
	r.period = newPeriod(t.From, t.To, t.Rules.Margin)
	r.period.nearClock = t.NearClock
	r.startTolerance = t.Rules.StartTolerance.Microseconds()
	r.tolerance = t.Rules.DurationTolerance.Milliseconds()
	r.late = t.Rules.LateWindow.Microseconds()
	r.asOf = math.MaxInt64
	if !t.AsOf.IsZero() {
		r.asOf = t.AsOf.UnixMicro()
	}
}

func (r *run) newSide() *sideData {
	d := &sideData{
		wide:    newWide(r.budget, r.task.Scratch),
		clues:   addShuffle[clue](r, 1<<lightBits, blockBytes/4),
		ids:     addShuffle[rec](r, 1<<matchBits, blockBytes),
		numbers: addShuffle[rec](r, 1<<matchBits, blockBytes),
		left:    addShuffle[rec](r, 1, 64<<10),
		rejects: spill.NewSorter(r.task.Scratch, r.sortBytes()),
	}
	r.closers = append(r.closers, d.wide.blobs, d.rejects)
	return d
}

// sortBytes is what a sorter may hold in memory; each worker has a few.
func (r *run) sortBytes() int { return int(min(8<<20, r.memory/int64(16*r.workers))) }

// partitionBytes is what a partition may hold in memory; each worker has one.
func (r *run) partitionBytes() int64 { return r.memory / int64(8*r.workers) }

func addShuffle[T any](r *run, partitions, bytes int) *spill.Shuffle[T] {
	s := spill.NewShuffle[T](r.budget, r.task.Scratch, partitions, bytes)
	r.closers = append(r.closers, s)
	return s
}

func (r *run) close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c.Close())
	}
	r.closers = nil
	return errors.Join(errs...)
}

func (r *run) stage(name string) {
	if f := r.task.Observer.Stage; f != nil {
		f(name)
	}
}

// read takes in both sides, the carrier's first: whether it has any
// correlation ids decides where Microsoft's records go.
func (r *run) read(ctx context.Context) error {
	r.stage("read")
	for _, side := range []Side{Carrier, Microsoft} {
		if err := r.scan(ctx, side); err != nil {
			return err
		}
	}
	r.stage("repeats")
	for _, d := range r.sides {
		if err := r.findRepeats(ctx, d); err != nil {
			return err
		}
	}
	r.stage("clock")
	if err := r.measureClock(ctx); err != nil {
		return err
	}
	r.offset = r.clock.offset.Microseconds()
	return joinFirst([]error{r.sightings.Close(), r.sides[0].clues.Close(), r.sides[1].clues.Close()})
}

// match runs the passes, each on what the earlier ones left over.
func (r *run) match(ctx context.Context) error {
	r.stage("match")
	for range r.workers {
		r.tallies = append(r.tallies, newTally(&r.task.Rules))
	}
	if r.sides[Carrier].anyCorr.Load() {
		if err := r.matchPass(ctx, PassID); err != nil {
			return err
		}
	}
	if err := r.matchPass(ctx, PassNumbers); err != nil {
		return err
	}
	rest := r.leftovers()
	if err := r.matchSplits(ctx, &rest); err != nil {
		return err
	}
	left, err := r.matchOneNumber(ctx, rest)
	if err != nil {
		return err
	}
	return r.judgeLeft(ctx, left)
}

// parallel runs fn on every worker and returns the first error. A worker that
// fails cancels the others.
func (r *run) parallel(ctx context.Context, fn func(ctx context.Context, worker int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for worker := range r.workers {
		wg.Go(func() {
			if err := fn(ctx, worker); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
