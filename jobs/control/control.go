// Package control is what people and programs ask of the service and tell it
// to do: look at jobs, runs, files and reports, start and stop runs, pause
// jobs. A Desk does it on the state; a client of the HTTP API does it from
// elsewhere. Both are Operations, so that a command need not know which one it
// has.
//
// What changes something says by whom, and leaves a row in the audit trail.
// No answer but the files of a report holds a phone number. What cannot be
// done comes back as a *Refusal, whose text is meant for the person who asked.
package control

import (
	"context"
	"io"
	"time"

	"concord/jobs"
)

// By names who asks: a person, or the token of a program.
type By string

// Operations are everything that can be asked. Lists are the newest first and
// are paged by the id that comes last: give it as Before. A Limit of 0 is all,
// for a client as many as the server gives at once.
type Operations interface {
	// Jobs returns the jobs in the order of their names.
	Jobs(ctx context.Context) ([]Job, error)
	Job(ctx context.Context, name string) (Job, error)

	// Start asks for a run of a job for each of its carriers. A run of the
	// same job, carrier and period that is queued or running stands in for a
	// new one.
	Start(ctx context.Context, s Start) ([]Planned, error)
	// Rerun asks for a run of the same job, carrier and period as another one.
	Rerun(ctx context.Context, run string, by By) (Planned, error)
	// Backfill asks for runs of a span of days or months, oldest first. They
	// never hold back others.
	Backfill(ctx context.Context, b Backfill) ([]Planned, error)
	// Cancel ends a run, which it returns; one that runs ends within seconds.
	Cancel(ctx context.Context, run string, by By) (Run, error)
	// Pause keeps a job from starting runs until Resume.
	Pause(ctx context.Context, job, why string, by By) (Job, error)
	Resume(ctx context.Context, job string, by By) (Job, error)

	Runs(ctx context.Context, f jobs.RunFilter) ([]Run, error)
	Run(ctx context.Context, id string) (RunDetail, error)
	// Files lists files. The name of the filter is part of a name as it is shown:
	// a number in it finds what ends with the same four digits, so that whoever
	// asks learns no more of a number than that.
	Files(ctx context.Context, f jobs.FileFilter) ([]File, error)
	File(ctx context.Context, id string) (FileDetail, error)
	// UnmaskedFile is File with names as they arrived, which may hold numbers. Who
	// asks is noted; if that cannot be, nothing is shown.
	UnmaskedFile(ctx context.Context, id string, by By) (FileDetail, error)
	Reports(ctx context.Context, f jobs.ReportFilter) ([]Report, error)
	Report(ctx context.Context, id string) (ReportDetail, error)
	// OpenReportFile opens a file of a report, of the size it returns. Who
	// asks for evidence is noted.
	OpenReportFile(ctx context.Context, report, name string, by By) (io.ReadCloser, int64, error)
	// Changes lists what became of the cases since the version before, in the
	// order of their ids, those beyond after.
	Changes(ctx context.Context, report, after string, limit int) ([]Change, error)

	// Cases lists cases of the newest versions, those of periods that came last
	// first, paged by the Next of a page as After.
	Cases(ctx context.Context, f jobs.CasesFilter) (CasePage, error)
	// Case returns one case with its trail. The carrier and the period of the
	// filter tell one of several periods.
	Case(ctx context.Context, id string, f jobs.CasesFilter) (CaseDetail, error)
	// WorkOnCases changes the state or the owner of cases, or comments on them,
	// all at once, and says how much that was; with DryRun how much it would
	// be. A case that somebody else has changed, and a number that is not
	// the expected one, are refused.
	WorkOnCases(ctx context.Context, w CaseWork) (CaseWorkDone, error)
	// CaseAges counts cases by state and by how long they have been open.
	CaseAges(ctx context.Context, f jobs.CasesFilter) (CaseAges, error)

	// SignOffs lists versions that are more than drafts, the newest first.
	SignOffs(ctx context.Context, f jobs.SignOffFilter) ([]SignOff, error)
	SignOff(ctx context.Context, report string) (SignOff, error)
	// StepSignOff submits, approves or sends back a version, or reopens the
	// period that it locks.
	StepSignOff(ctx context.Context, s SignOffStep) (SignOff, error)
	// SinceSignOff says how the newest version of a report's period differs
	// from the one that was approved last, with the cases beyond after in the
	// order of their ids.
	SinceSignOff(ctx context.Context, report, after string, limit int) (SinceSignOff, error)

	Alerts(ctx context.Context, f jobs.AlertFilter) ([]Alert, error)
	Audit(ctx context.Context, f jobs.AuditFilter) ([]AuditRow, error)
	// Carriers returns the carriers in the order of their names.
	Carriers(ctx context.Context) ([]Carrier, error)
	// FindSubject looks for what is kept about a phone number, in E.164. The
	// number is in no answer and no refusal.
	FindSubject(ctx context.Context, number string, by By) (jobs.SubjectFound, error)
	// EraseSubject asks for it to be erased, which the service does then. While
	// that is not done, asking again returns the same erasure.
	EraseSubject(ctx context.Context, number string, by By) (Erasure, error)
	Erasures(ctx context.Context, limit int) ([]Erasure, error)
	Erasure(ctx context.Context, id string) (Erasure, error)

	// ForeseePurge says what a purge would remove now, and what it would keep
	// though its time is over; of no carriers that of all of them.
	ForeseePurge(ctx context.Context, carriers []string) ([]jobs.PurgeLine, error)
	// Hold keeps what is about a period of a carrier until Release.
	Hold(ctx context.Context, n NewHold) (Hold, error)
	Release(ctx context.Context, id, why string, by By) (Hold, error)
	// Holds lists holds, the latest placed first.
	Holds(ctx context.Context, carrier string, standing bool) ([]Hold, error)
	// Proofs lists the chain of proofs in its order; page with After.
	Proofs(ctx context.Context, f jobs.ProofFilter) ([]Proof, error)
	// VerifyProofs computes the whole chain anew.
	VerifyProofs(ctx context.Context) (ProofCheck, error)

	// Reload reads the configuration again and says what has changed.
	Reload(ctx context.Context, by By) ([]string, error)
}

// Start asks for runs of one job.
type Start struct {
	Job      string
	Carriers []string // of the job's; none: all of them
	// Period is a day, a month or FROM/TO in the job's zone; empty: the one
	// that a scheduled run would be about now.
	Period string
	DryRun bool // only say what would be done
	// Key, if set, makes the request one that can be repeated: it leads to
	// the same runs again.
	Key string
	By  By
}

// Only selects among the periods of a backfill.
type Only string

// Selections of periods.
const (
	OnlyMissing Only = "missing" // there is no report, or no delivery
	OnlyFailed  Only = "failed"  // the latest run failed, and there is no report or delivery since
	OnlyAll     Only = "all"
)

// Backfill asks for runs of a span.
type Backfill struct {
	Job      string
	From, To string // days or months, both included
	Only     Only   // empty: OnlyMissing
	Carriers []string
	DryRun   bool
	By       By
}

// Outcome says what became of a run that was asked for.
type Outcome string

// Outcomes.
const (
	Enqueued Outcome = "enqueued"
	Repeated Outcome = "repeated" // the request was made before: its run
	Active   Outcome = "active"   // one of the same job, carrier and period is queued or running
	Dry      Outcome = "dry"      // it would be enqueued
)

// Planned is one run that was asked for.
type Planned struct {
	Job     string  `json:"job"`
	Carrier string  `json:"carrier"`
	Period  *Period `json:"period,omitempty"` // nil: of no period
	Outcome Outcome `json:"outcome"`
	Run     string  `json:"run,omitempty"` // empty: there is none
	// Files are those that the run would read, Report the newest version that
	// there is, and Delivery the number of the newest delivery of the period;
	// all of a dry run only.
	Files    []Input `json:"files,omitempty"`
	Report   string  `json:"report,omitempty"`
	Delivery int     `json:"delivery,omitempty"`
	Kind     string  `json:"kind,omitempty"` // of the job, of a dry run only
	// Warnings say what a person should know before the run is started; of a dry
	// run only.
	Warnings []string `json:"warnings,omitempty"`
}

// Progress is how far a run is.
type Progress struct {
	Stage         string `json:"stage"` // such as read or match
	MicrosoftRows int64  `json:"microsoft_rows"`
	CarrierRows   int64  `json:"carrier_rows"`
}

// Kind says why something was refused.
type Kind string

// Kinds of refusals.
const (
	Invalid         Kind = "invalid"         // the request makes no sense
	NotFound        Kind = "not_found"       // what it is about is not there
	Conflict        Kind = "conflict"        // it cannot be done as things are
	Paused          Kind = "paused"          // the job is paused
	Unauthenticated Kind = "unauthenticated" // nobody knows who asks
	Forbidden       Kind = "forbidden"       // who asks may not
	Unavailable     Kind = "unavailable"     // it can be done later, or by the running service only
)

// Refusal says that something was not done, and why.
type Refusal struct {
	Kind Kind
	Text string
	Err  error // behind it; may be nil
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

// Unwrap returns what is behind it.
func (r *Refusal) Unwrap() error { return r.Err }

// Period is the time that a run or a report is about.
type Period struct {
	Text string    `json:"text"` // as it was asked for, such as 2026-10
	From time.Time `json:"from_utc"`
	To   time.Time `json:"to_utc"` // not part of it
}
