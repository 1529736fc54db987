package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"concord/exchange/landing"
)

// RunState says how far a run is.
type RunState string

// States of a run. The last three are final.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
)

// Over reports whether nothing comes after the state.
func (s RunState) Over() bool { return s == RunSucceeded || s == RunFailed || s == RunCancelled }

// Trigger says what asked for a run.
type Trigger string

// Triggers of runs.
const (
	TriggerSchedule Trigger = "schedule"
	TriggerManual   Trigger = "manual"
	TriggerRerun    Trigger = "rerun"
	TriggerRetry    Trigger = "retry"
	TriggerBackfill Trigger = "backfill"
	TriggerUpload   Trigger = "upload"
	TriggerCatchUp  Trigger = "catch_up"
	TriggerPending  Trigger = "pending" // calls that were pending may not be so any more
)

// PriorityBackfill is below that of every other run, which is 0.
const PriorityBackfill = -10

// Period is the time that a run is about. Two periods are the same when they
// begin and end at the same instants, however they were asked for.
type Period struct {
	From time.Time // part of it; UTC
	To   time.Time // not part of it; UTC
	Text string    // as it was asked for, such as 2026-10
}

// Run is one job, one carrier, one period, one attempt. Times are UTC, in
// whole microseconds.
type Run struct {
	ID      string // a UUID, version 7: later runs have higher ones
	Job     string
	Kind    string // of the job, such as reconcile
	Carrier string
	Period  Period
	Attempt int // from 1
	State   RunState

	Trigger  Trigger
	By       string // who asked; empty: no person did
	RerunOf  string // the run that this one does again
	Key      string // of the request; a second one of the same key is not a second run
	Priority int    // higher ones go first

	ScheduledFor time.Time // zero: by no schedule
	NotBefore    time.Time
	Created      time.Time
	Started      time.Time // of the latest attempt
	Finished     time.Time

	Error    string
	Report   string          // id of the version that was published
	Settings json.RawMessage // as they were when the run began
	Inputs   []RunInput

	CancelAsked bool
	Owner       string // the service that runs it, or did
	LeaseUntil  time.Time
}

// RunInput is a file that a run read.
type RunInput struct {
	Role   string // such as carrier or microsoft
	File   string // id in the ledger, or a name
	SHA256 string // in hex
}

// Lease is what a service holds while it runs a run. It is over when the run
// was given to another service, or to the same one once more.
type Lease struct {
	Run     string
	Owner   string
	Attempt int
}

// Lease returns the lease of a run that was claimed.
func (r *Run) Lease() Lease { return Lease{Run: r.ID, Owner: r.Owner, Attempt: r.Attempt} }

// Answers of the state to what was asked of it.
var (
	ErrActive = errors.New("a run of this job, carrier and period is queued or running")
	ErrKey    = errors.New("the key was used before for something else: use a new one")
	ErrNoRun  = errors.New("there is no such run")
	ErrOver   = errors.New("the run is over")
	ErrRetry  = errors.New("only a run that failed or was cancelled can be tried again")
	ErrLost   = errors.New("the run was taken from this service")
	ErrFired  = errors.New("the schedule has fired for this time")
	ErrNoFile = errors.New("there is no such file")
)

// Runs is the queue of runs and their history. Several services may share it.
// jobstest has its contract as a suite of tests.
type Runs interface {
	// Enqueue adds a run, of which it sets ID, Attempt, State and Created. If
	// one of the same job, carrier and period is active, that one is returned
	// with ErrActive. If it is queued, it stands in for both: it has the higher
	// Priority, the earlier NotBefore and a ScheduledFor if either has one. If one has the same Key, that one is returned.
	Enqueue(ctx context.Context, r Run, now time.Time) (Run, error)
	// Claim starts the run that is next: of the highest priority, the oldest.
	// Runs of paused jobs wait. Without one that is due it returns ErrNoRun.
	Claim(ctx context.Context, o ClaimOptions) (Run, error)
	// Heartbeat extends a lease and says whether the run is to be cancelled.
	Heartbeat(ctx context.Context, l Lease, until time.Time) (cancel bool, err error)
	// Snapshot notes what a run works with.
	Snapshot(ctx context.Context, l Lease, settings json.RawMessage, inputs []RunInput) error
	// Release puts a run back into the queue, as it was before it was claimed;
	// one that was to be cancelled is cancelled.
	Release(ctx context.Context, l Lease, now time.Time) error
	// Finish ends a run. With RetryAt its next attempt is enqueued in the same
	// step and returned, unless the run was to be cancelled. Repeated, it
	// changes nothing. With Held, the run is put back as by Release, and
	// returned, when the period was reopened meanwhile: who did so has started
	// none while this one was running.
	Finish(ctx context.Context, l Lease, e Ending, now time.Time) (next Run, err error)
	// Retry enqueues the next attempt of a run that failed or was cancelled.
	Retry(ctx context.Context, id, by string, notBefore, now time.Time) (Run, error)
	// Cancel cancels a run that is queued; one that is running learns of it
	// by its next heartbeat. One that is over is returned with ErrOver.
	Cancel(ctx context.Context, id, by string, now time.Time) (Run, error)
	// Expire takes runs whose lease is over from their services and returns
	// them without inputs. They are queued as a further attempt, or fail after
	// most attempts. Those that were to be cancelled are cancelled.
	Expire(ctx context.Context, now time.Time, most int) ([]Run, error)
	// Abandon is Expire for all runs that are running, whatever their leases:
	// for the only service on a database, at its start.
	Abandon(ctx context.Context, now time.Time, most int) ([]Run, error)
	// Run returns one run.
	Run(ctx context.Context, id string) (Run, error)
	// Runs lists runs without their inputs and settings, newest first.
	Runs(ctx context.Context, f RunFilter) ([]Run, error)
}

// ClaimOptions say who claims a run and which.
type ClaimOptions struct {
	Owner string
	Now   time.Time
	Lease time.Duration
	// Urgent leaves out runs of a priority below 0. A service that has one
	// worker claim so never lets backfills hold back today's runs.
	Urgent bool
	// Kinds are those of the runs that it can do; none: all.
	Kinds []string
	// PerCarrier is how many runs of one carrier, of these kinds, may run at
	// once, over all services; 0: any number. Services that claim at the same instant may
	// exceed it by one each.
	PerCarrier int
}

// Ending is how a run ended.
type Ending struct {
	State   RunState // one that is final
	Error   string
	Report  string
	RetryAt time.Time // zero: no further attempt
	Held    *SignOff  // the approval that holds back what the run had to say; nil: none does
}

// RunFilter selects runs; a zero field selects all.
type RunFilter struct {
	Job, Carrier string
	State        RunState
	From, To     time.Time // runs whose period lies within
	File         string    // runs with an input of this id or SHA-256, never a name: who may not see one could guess it
	Report       string
	Before       string // id of a run: older ones only
	Limit        int    // 0: all
}

// Schedules remembers when jobs fired, and which are paused.
type Schedules interface {
	// LastFire returns the latest time that a job fired for; zero: never.
	LastFire(ctx context.Context, job string) (time.Time, error)
	// RecordFire notes that a job fired and enqueues its runs, both or
	// neither. Runs of which one is active already are left out of what it
	// returns. The second time it changes nothing and returns ErrFired; so it
	// does for a time so long ago, by a thousand later ones at least, that it
	// need not be remembered.
	RecordFire(ctx context.Context, f Fire) ([]Run, error)
	// Pause keeps a job's runs from starting; a second time it changes why.
	Pause(ctx context.Context, p Pause) error
	// Resume ends a pause, if there is one.
	Resume(ctx context.Context, job string) (was bool, err error)
	// Paused returns the pauses in the order of the jobs' names.
	Paused(ctx context.Context) ([]Pause, error)
}

// Fire is one instant of one job's schedule.
type Fire struct {
	Job  string
	At   time.Time // by the schedule
	Now  time.Time
	Runs []Run // may be empty: an instant that was missed for good
}

// Pause is a job that must not start runs.
type Pause struct {
	Job, Why, By string
	Since        time.Time
}

// Trail is the record of who did what. Nothing in it is ever changed.
type Trail interface {
	// Note appends a row, whose ID it sets.
	Note(ctx context.Context, row AuditRow) error
	// Audit lists rows, newest first.
	Audit(ctx context.Context, f AuditFilter) ([]AuditRow, error)
}

// AuditRow says that someone did something. It holds no phone numbers.
type AuditRow struct {
	ID     int64
	Time   time.Time
	Who    string // a person, a token or a service
	What   string // such as run.cancel
	Object string // to what, such as the id of a run
	Detail string
}

// AuditFilter selects rows of the trail; a zero field selects all.
type AuditFilter struct {
	Who, What, Object string
	Since             time.Time
	Before            int64 // ID: older ones only
	Limit             int   // 0: all
}

// FileList is what people ask a ledger for.
type FileList interface {
	// ListFiles lists entries, the latest recorded first.
	ListFiles(ctx context.Context, f FileFilter) ([]Entry, error)
	// File returns one entry; ErrNoFile.
	File(ctx context.Context, id string) (Entry, error)
}

// FileFilter selects entries of a ledger; a zero field selects all.
type FileFilter struct {
	Carrier string
	Side    string // carrier or microsoft: who sent them
	Status  landing.Status
	Name    string // a part of the name
	// Masked has Name be a part of the name as Mask shows it: who may not see
	// digits could find them out one by one.
	Masked bool
	Since  time.Time
	Before string // id of an entry: those recorded before it; ErrNoFile
	Limit  int    // 0: all
}
