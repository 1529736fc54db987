package jobs

import (
	"context"
	"errors"
	"time"
)

// Kinds of reports: those of runs of the same kind.
const (
	ReportReconcile = "reconcile" // what both sides say of a period
	ReportUsage     = "usage"     // usage per customer, from reports of that kind
)

// Report is one published version of what is known of a carrier's period. It
// is never changed: new knowledge makes a new version that supersedes it.
type Report struct {
	ID           string // a UUID, version 7, by whoever makes it
	Kind         string // ReportReconcile or ReportUsage; each has versions of its own
	Carrier      string
	Period       Period
	Version      int // from 1, without gaps
	Job          string
	Run          string // that made it
	Supersedes   string // id of the version before; empty: this is the first
	SupersededBy string // id of the version after; empty: this is the newest
	// Folder is where its files are, below the folder of all reports, with
	// slashes, such as fabrikam/2026-10-01/v2.
	Folder string
	// Basis is a hash of all that the version depends on: inputs, settings
	// and the program. The same basis gives the same files.
	Basis     string
	Manifest  string // SHA-256 of manifest.json, in hex
	AsOf      time.Time
	Published time.Time
	Figures   Figures
	Changes   Changes

	// Deliver has Publish record that the version is to go to its carrier. A
	// version that is read does not tell; ReportDeliveries does.
	Deliver bool

	// Purged and CasesPurged are the numbers of the proofs that its files and
	// its cases were removed; 0: they are kept. Purges sets them, no one else.
	Purged, CasesPurged int64
}

// Figures are what a list of reports shows of one.
type Figures struct {
	Verdict       string // of the totals: ok, warning or dispute; empty: it is a usage
	Microsoft     Tally  // paired and missing records; of a usage its calls
	Carrier       Tally
	DifferencePPM int64 // of Microsoft's milliseconds; 0 when there are none
	Discrepancies int64
	Pending       int64 // calls of either side whose partner may still come
}

// Tally counts records and their durations.
type Tally struct {
	Records    int64 `json:"records"`
	DurationMS int64 `json:"duration_ms"`
}

// Changes count the cases that differ from the version before. All are 0 in
// the first version.
type Changes struct {
	Opened  int64 `json:"opened"`
	Changed int64 `json:"changed"`
	Closed  int64 `json:"closed"`
}

// CaseEvent is what became of one case in one version that superseded another:
// a case has one in a version. What was open in the first version is in that
// version's files.
type CaseEvent struct {
	Carrier  string
	Period   Period
	CaseID   string
	Report   string // the version in which it happened
	Version  int
	Event    string // opened, changed or closed
	Class    string // in this version; empty when closed
	Before   string // class in the version before; empty when opened
	DiffMS   int64  // carrier less Microsoft, in this version
	BeforeMS int64  // the same in the version before
}

// Answers about reports.
var (
	ErrNoReport = errors.New("there is no such report")
	ErrVersion  = errors.New("another run has published a version of this period meanwhile")
)

// Reports remembers the versions that were published. What is recorded is
// published, also if the folder is still on its way to its place.
type Reports interface {
	// Publish records a version with its events and ends its run as
	// succeeded with it, all or nothing. It sets Run, Supersedes, SupersededBy
	// and Published of r; the carrier, period, report and version of events
	// are those of r, whatever they say. Without the lease it returns ErrLost,
	// and ErrVersion, which leaves the run as it was, when the newest version
	// of the kind, carrier and period is not r.Version-1, or not r.Supersedes where
	// r names one. A version below 1 is an error, and one
	// without a kind is a reconciliation. Repeated under the same
	// lease, whatever r is, it returns the version as it is recorded, also
	// when the run is over.
	Publish(ctx context.Context, l Lease, r Report, events []CaseEvent, now time.Time) (Report, error)
	// Report returns one version; ErrNoReport.
	Report(ctx context.Context, id string) (Report, error)
	// Reports lists versions, the latest published first: a version comes
	// before the one that it supersedes.
	Reports(ctx context.Context, f ReportFilter) ([]Report, error)
	// Cases lists events, those of versions that were published later first,
	// and of one version in the order of the cases' ids, byte by byte.
	Cases(ctx context.Context, f CaseFilter) ([]CaseEvent, error)
}

// ReportFilter selects versions; a zero field selects all.
type ReportFilter struct {
	Kind         string
	Carrier, Job string
	Period       *Period   // this one exactly: by From and To
	From, To     time.Time // versions whose period has a part in [From, To)
	Verdict      string
	Newest       bool   // only those that no version supersedes
	Pending      bool   // only those with calls that are pending
	File         string // whose run has an input of this id or SHA-256
	Before       string // id: those published before it; ErrNoReport
	Limit        int    // 0: all
}

// CaseFilter selects events; a zero field selects all.
type CaseFilter struct {
	Carrier, CaseID, Report string
	Event                   string
	After                   string // with Report, for the next page: ids of cases beyond this one
	Limit                   int    // 0: all
}
