package jobs

import (
	"context"
	"errors"
	"time"
)

// Class is a kind of data that is kept for a time of its own.
type Class string

// Classes of data.
const (
	ClassRaw        Class = "raw"        // what arrived: in the spool, the archive and among the rejected, and its receipts
	ClassRecords    Class = "records"    // what was read of it, by day
	ClassCases      Class = "cases"      // what became of each case from version to version
	ClassReports    Class = "reports"    // versions of reports
	ClassDeliveries Class = "deliveries" // what lies in outboxes
	ClassLogs       Class = "logs"       // runs that are over and alerts that are resolved
)

// Purgeable is one thing that may be purged. Its age is counted from To, the end
// of what it is about, and not from when it arrived.
type Purgeable struct {
	ID    string // of a file, a report, a run or an alert; a name in the outbox
	Count int64  // of the rows that it stands for
	Bytes int64
	From  time.Time
	To    time.Time // not part of it
	// Waits says what it is still needed for, whatever its age; empty: nothing.
	Waits   string
	Remains Remains
}

// Remains are what of a thing lies on the disk.
type Remains struct {
	Seq       int64 // by which it is ended; Purges sets it
	Proof     int64 // of the purge
	Class     Class
	Carrier   string
	Object    string // id of the file or report
	Microsoft bool
	Name      string // of the file as it arrived, the folder of a report, or a name in the outbox
	SHA256    string
	Bytes     int64
	Sealed    Sealed // how it arrived, when that was encrypted
	Received  time.Time
}

// How the ids of things begin that are not in the ledger of carriers' files.
const (
	PurgeListing   = "listing "   // a listing of numbers
	PurgeMicrosoft = "microsoft " // a file of quality rows, or of several carriers
	PurgeCalls     = "calls "     // what is kept of a delivery of calls: its sequence, in six digits
)

// PurgeOrder is what to purge of one class and carrier, by one rule.
type PurgeOrder struct {
	Lease   Lease
	Class   Class
	Carrier string // empty: what is about several
	Country string
	Rule    string
	By      string
	Bounds  PurgeBounds
	Things  []Purgeable
}

// PurgeBounds say what is needed beside its time.
type PurgeBounds struct {
	Reach      time.Duration // how far beyond a period a run of it reads
	LateWindow time.Duration // how long pending calls are waited for
}

// Purges removes data with proof. Removing has three steps: a thing is marked
// together with its proof, in one transaction; then the disk follows; then what
// remains is ended. What was broken off is found by Remaining.
type Purges interface {
	// Purgeable lists what of a class and carrier is kept, oldest recorded
	// first; without a carrier, what is about several. What lies in outboxes is
	// not recorded: of deliveries it lists what is remembered of them.
	Purgeable(ctx context.Context, class Class, carrier string, b PurgeBounds, now time.Time) ([]Purgeable, error)
	// PurgeGuard returns what keeps things of a carrier; without one, of any.
	PurgeGuard(ctx context.Context, carrier string, b PurgeBounds, now time.Time) (PurgeGuard, error)
	// Purge marks those of the things that nothing keeps, and testifies to it,
	// both or neither. What is not on the disk is gone with that. Without any,
	// the proof has no number. Without the lease it returns ErrLost.
	Purge(ctx context.Context, o PurgeOrder, now time.Time) (Proof, []Remains, error)
	// Remaining lists what of a carrier is marked and may lie on the disk.
	Remaining(ctx context.Context, carrier string) ([]Remains, error)
	// EndRemains says that something lies there no more.
	EndRemains(ctx context.Context, seq int64) error
	// ScrubPurged has the database forget what it keeps of rows that are gone,
	// if there are any and no other purge is queued, which would do so at its
	// end. One that is running may be past that.
	ScrubPurged(ctx context.Context, l Lease) error
}

// Hold keeps what is about a period of a carrier, whatever its age.
type Hold struct {
	ID      string // a UUID, version 7
	Carrier string
	Period  Period
	Why     string
	By      string
	Placed  time.Time

	Released    time.Time // zero: it stands
	ReleasedBy  string
	ReleasedWhy string
}

// ErrPurged says that something was removed because its time was over. It does not
// come back.
var ErrPurged = errors.New("it was purged")

// Answers about holds.
var (
	ErrNoHold   = errors.New("there is no such hold")
	ErrPlaced   = errors.New("the hold was placed before")
	ErrReleased = errors.New("the hold was released before")
)

// DisputeHolds remembers what is held. Placing and releasing leave proofs.
type DisputeHolds interface {
	// PlaceHold adds a hold with its proof, and returns both. If there is one
	// with that id it returns that, and ErrPlaced.
	PlaceHold(ctx context.Context, h Hold, country string) (Hold, Proof, error)
	// ReleaseHold ends one; ErrNoHold, ErrReleased.
	ReleaseHold(ctx context.Context, id, by, why, country string, now time.Time) (Hold, Proof, error)
	// HoldList lists holds, the latest placed first: those of a carrier, if one
	// is given, and of standing only those that stand.
	HoldList(ctx context.Context, carrier string, standing bool) ([]Hold, error)
}

// PurgeGuard is what keeps a carrier's things, whatever their age.
type PurgeGuard struct {
	Holds   []Hold   // that stand
	Busy    []Period // of runs that make reports or deliveries, queued or running
	Begun   []Period // of deliveries of calls that may not have reached the outbox
	Pending []Period // reported with calls that are still waited for
}

// Keeps says what keeps a thing of a class: the hold, or the reason. Both are
// empty when nothing does.
func (g *PurgeGuard) Keeps(class Class, p *Purgeable, b PurgeBounds) (hold *Hold, why string) {
	for i := range g.Holds {
		h := &g.Holds[i]
		from, to := h.Period.From.Add(-b.Reach), h.Period.To.Add(b.Reach)
		if class == ClassDeliveries { // made after what they are about
			to = p.To.Add(1)
		}
		if p.From.Before(to) && from.Before(p.To) {
			return h, ""
		}
	}
	switch {
	case p.Waits != "":
		return nil, p.Waits
	case class != ClassRaw && class != ClassRecords && class != ClassReports:
		return nil, ""
	case overlaps(g.Busy, p, b.Reach):
		return nil, "a run that is queued or running may read it"
	case overlaps(g.Begun, p, b.Reach):
		return nil, "a delivery that was broken off is made of it"
	case overlaps(g.Pending, p, b.Reach):
		return nil, "a report of it has calls that are still waited for"
	}
	return nil, ""
}

func overlaps(list []Period, p *Purgeable, reach time.Duration) bool {
	for _, x := range list {
		if p.From.Before(x.To.Add(reach)) && x.From.Add(-reach).Before(p.To) {
			return true
		}
	}
	return false
}

// PurgeLine says what a purge would do with some things of one class, carrier
// and rule.
type PurgeLine struct {
	Class   Class     `json:"class"`
	Carrier string    `json:"carrier"`
	Country string    `json:"country,omitempty"`
	Rule    string    `json:"rule"`
	Fate    string    `json:"fate"` // purge, hold or wait
	Why     string    `json:"why,omitempty"`
	Hold    string    `json:"hold,omitempty"` // its id
	Count   int64     `json:"count"`
	Bytes   int64     `json:"bytes"`
	Oldest  time.Time `json:"oldest"` // what they are about begins here
	Newest  time.Time `json:"newest"` // and ends here
}

// Fates of what is older than its rule.
const (
	FatePurge = "purge"
	FateHold  = "hold"
	FateWait  = "wait"
)
