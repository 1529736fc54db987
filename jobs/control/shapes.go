package control

import (
	"encoding/json"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// Job is a job of the configuration and how it stands. Times are UTC.
type Job struct {
	Name     string      `json:"name"`
	Kind     string      `json:"kind"`
	Does     string      `json:"does"`               // in words
	Schedule string      `json:"schedule,omitempty"` // empty: only when asked for
	Zone     string      `json:"zone,omitempty"`
	Period   string      `json:"period,omitempty"` // that a scheduled run is about, such as previous_day
	Carriers []string    `json:"carriers"`
	Paused   *Pause      `json:"paused,omitempty"`
	LastRun  *Run        `json:"last_run,omitempty"`
	Next     []time.Time `json:"next"` // the next five times it is due, if it has a schedule
}

// Pause says who stopped a job and why.
type Pause struct {
	Why   string    `json:"why"`
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// Run is one run without what it read. Times are UTC.
type Run struct {
	ID           string    `json:"id"`
	Job          string    `json:"job"`
	Kind         string    `json:"kind"`
	Carrier      string    `json:"carrier"`
	Period       *Period   `json:"period,omitempty"` // nil: of no period
	Attempt      int       `json:"attempt"`
	State        string    `json:"state"`
	Trigger      string    `json:"trigger"`
	By           string    `json:"by,omitempty"`
	RerunOf      string    `json:"rerun_of,omitempty"`
	ScheduledFor time.Time `json:"scheduled_for,omitzero"`
	NotBefore    time.Time `json:"not_before,omitzero"`
	Created      time.Time `json:"created"`
	Started      time.Time `json:"started,omitzero"`
	Finished     time.Time `json:"finished,omitzero"`
	Error        string    `json:"error,omitempty"`
	Report       string    `json:"report,omitempty"` // id of the version
	CancelAsked  bool      `json:"cancel_asked,omitempty"`
}

// Over reports whether the run has ended.
func (r *Run) Over() bool { return jobs.RunState(r.State).Over() }

// RunDetail is one run with all that is known of it.
type RunDetail struct {
	Run
	Inputs    []Input         `json:"inputs"`
	Settings  json.RawMessage `json:"settings,omitempty"` // as they were when it began
	Before    []Run           `json:"before"`             // that it does again, the oldest first
	After     []Run           `json:"after"`              // that do it again, the oldest first
	Published *Report         `json:"published,omitempty"`
	Progress  *Progress       `json:"progress,omitempty"` // only while it runs here
}

// Input is a file that a run read, or would.
type Input struct {
	Role   string `json:"role"` // microsoft or carrier
	File   string `json:"file"` // its id
	Name   string `json:"name,omitempty"`
	SHA256 string `json:"sha256"`
}

// File is what is known of one file that arrived.
type File struct {
	ID      string `json:"id"`
	Carrier string `json:"carrier"`
	Side    string `json:"side"` // who sent it: carrier or microsoft
	Format  string `json:"format,omitempty"`
	landing.Receipt
}

// FileDetail is one file with what became of it.
type FileDetail struct {
	File
	Days     []jobs.Day `json:"days"`
	Runs     []Run      `json:"runs"`                // that read it, the newest first
	MoreRuns bool       `json:"more_runs,omitempty"` // there are older ones
	Reports  []Report   `json:"reports"`             // that were made of it, the newest first
	Purged   []Purged   `json:"purged,omitempty"`
}

// Report is one published version. Times are UTC.
type Report struct {
	ID            string       `json:"id"`
	Kind          string       `json:"kind"` // reconcile or usage
	Carrier       string       `json:"carrier"`
	Period        Period       `json:"period"`
	Version       int          `json:"version"`
	Job           string       `json:"job"`
	Run           string       `json:"run"`
	Supersedes    string       `json:"supersedes,omitempty"`
	SupersededBy  string       `json:"superseded_by,omitempty"`
	AsOf          time.Time    `json:"as_of"`
	Published     time.Time    `json:"published"`
	Verdict       string       `json:"verdict,omitempty"` // ok, warning or dispute; empty: it is a usage
	Microsoft     jobs.Tally   `json:"microsoft_totals"`
	CarrierSide   jobs.Tally   `json:"carrier_totals"`
	DifferencePPM int64        `json:"difference_ppm"`
	Discrepancies int64        `json:"discrepancies"`
	Pending       int64        `json:"pending"`
	NoData        []string     `json:"no_data,omitempty"` // sides of which no record counts: microsoft, carrier
	Changes       jobs.Changes `json:"changes"`           // since the version before
}

// Standing is how the sides stand: the verdict, or no_data where nothing differs
// because a side has nothing to compare.
func (r Report) Standing() string {
	if r.Verdict == "ok" && len(r.NoData) > 0 {
		return "no_data"
	}
	return r.Verdict
}

// ReportDetail is one version with its files and its way.
type ReportDetail struct {
	Report
	Manifest string       `json:"manifest_sha256"`
	Files    []ReportFile `json:"files"`
	Versions []Report     `json:"versions"` // of the same carrier and period, the oldest first
	Inputs   []Input      `json:"inputs"`
	Purged   []Purged     `json:"purged,omitempty"` // its files and its cases
}

// ReportFile is one file of a report.
type ReportFile struct {
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Rows     *int64 `json:"rows,omitempty"`
	SHA256   string `json:"sha256"`
	Evidence bool   `json:"evidence"` // it may hold phone numbers
}

// Change is what became of one case in one version.
type Change struct {
	Case     string `json:"case_id"`
	Event    string `json:"event"` // opened, changed or closed
	Class    string `json:"class,omitempty"`
	Before   string `json:"class_before,omitempty"`
	DiffMS   int64  `json:"difference_ms"`
	BeforeMS int64  `json:"difference_before_ms"`
}

// Alert is something that a person should know of.
type Alert struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Carrier  string    `json:"carrier,omitempty"`
	Job      string    `json:"job,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	Text     string    `json:"text"`
	Raised   time.Time `json:"raised"`
	Resolved time.Time `json:"resolved,omitzero"` // zero: it is open
}

// AuditRow says that someone did something.
type AuditRow struct {
	ID     int64     `json:"id"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
	What   string    `json:"what"`
	Object string    `json:"object,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// Carrier is how a carrier stands.
type Carrier struct {
	Name         string  `json:"name"`
	LastFile     *File   `json:"last_file,omitempty"` // of its own
	OpenAlerts   int     `json:"open_alerts"`
	NewestReport *Report `json:"newest_report,omitempty"` // of the latest period that has begun
}
