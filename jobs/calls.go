package jobs

import (
	"context"
	"encoding/json"
	"time"

	"concord/exchange/landing"
)

// QualityFolder is the folder in that of Microsoft's files about a carrier in
// which quality rows lie. No call records are looked for in it.
const QualityFolder = "quality"

// What a file of Microsoft's holds.
const (
	HoldsCalls   = "calls"
	HoldsQuality = "quality"
)

// MicrosoftFile is a file of Microsoft's beside those of one carrier's call
// records, which a Ledger has: quality rows of one carrier, or calls or quality
// rows of several carriers, which are dealt out to them.
type MicrosoftFile struct {
	ID       int64  // later recorded ones have higher ones
	Carrier  string // empty: of several
	Name     string // in its folder, with slashes
	Bytes    int64
	Received time.Time // when it was last changed
	SHA256   string
	Holds    string // calls or quality; empty: that cannot be told
	Status   landing.Status
	Format   string

	Rows     int64
	Accepted int64
	Rejected int64
	// First and Last are the earliest and the latest start of an accepted row;
	// zero: none has one.
	First, Last time.Time
	Reasons     []landing.Reason // of the first rejected rows, and never a value
	Faults      []string         // why it cannot be used
	Notes       []string

	// Of a file of several carriers: what each was dealt, and what nobody was.
	Shares []Share
	Nobody int64
	// Waiting are rows whose carrier may be found yet, whose content is Rest,
	// until Until.
	Waiting int64
	Rest    string // SHA-256; empty: none wait
	Until   time.Time

	Decided time.Time

	// RawPurged is the number of the proof that what arrived was removed; 0: it
	// is kept. Purges sets it, no one else, and masks Name and texts with it.
	RawPurged int64
}

// Share is what one carrier was dealt of a file.
type Share struct {
	Carrier string `json:"carrier"`
	Rows    int64  `json:"rows"`
}

// Usable reports whether the rows of the file count.
func (f *MicrosoftFile) Usable() bool {
	return f.Status == landing.StatusAccepted || f.Status == landing.StatusPartly
}

// MicrosoftFilter selects files; a zero field selects all but Carrier, of which
// an empty one selects those of several carriers.
type MicrosoftFilter struct {
	Carrier  string
	From, To time.Time // files with a part in [From, To), by First and Last
	Waiting  bool      // only those with rows that wait
}

// CallsDelivery is what a carrier is sent at once: the calls of a period and
// their quality, and what changed since the delivery before of the same period.
type CallsDelivery struct {
	Carrier  string
	Sequence int // among all of the carrier's, from 1, without gaps
	Period   Period
	Version  int // among those of the period, from 1, without gaps
	Base     int // Sequence of the version before; 0: there was none
	Job      string
	Run      string
	// Basis is a hash of all that it depends on: inputs and settings. The same
	// gives the same files.
	Basis    string
	Settings json.RawMessage
	Inputs   []CallsInput
	Begun    time.Time
	Ended    time.Time // zero: it may not have reached the outbox
	Files    []DeliveredFile
	Calls    Delivery
	Quality  Delivery

	// Purged is the number of the proof that what the next version would be
	// compared with was removed; 0: it is kept. Purges sets it, no one else.
	Purged int64
}

// Delivery counts what is delivered of one kind of rows.
type Delivery struct {
	Rows       int64 `json:"rows"`
	DurationMS int64 `json:"duration_ms,omitempty"`
	Added      int64 `json:"added"`
	Changed    int64 `json:"changed"`
	Removed    int64 `json:"removed"`
	Rejected   int64 `json:"rejected"` // rows of the inputs that could not be read
	Others     int64 `json:"others"`   // rows of the period that are another carrier's
}

// New reports whether anything differs from the delivery before.
func (d *Delivery) New() bool { return d.Added+d.Changed+d.Removed > 0 }

// CallsInput is one file that a delivery is made of. The order of inputs is
// that in which they were received.
type CallsInput struct {
	Holds  string `json:"holds"` // calls or quality
	ID     string `json:"id"`    // in the ledger, or among Microsoft's other files
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// CallsFilter selects deliveries; a zero field selects all.
type CallsFilter struct {
	Carrier  string
	Sequence int
	Period   *Period   // this one exactly: by From and To
	From, To time.Time // those whose period has a part in [From, To)
	Newest   bool      // only the newest version of each period
	Limit    int       // 0: all
}

// Calls remembers Microsoft's files about calls and their quality, and what was
// delivered of them. jobstest has its contract as a suite of tests.
type Calls interface {
	// RecordMicrosoft records a file and sets its ID. Of one that was recorded
	// before, by carrier, name, size and time, the record of then is returned.
	RecordMicrosoft(ctx context.Context, f MicrosoftFile) (MicrosoftFile, error)
	// DealRest records what became of rows that waited: Shares, Nobody,
	// Waiting and Rest of the file of an ID; ErrNoFile.
	DealRest(ctx context.Context, f MicrosoftFile) error
	// MicrosoftFiles lists files in the order of their recording.
	MicrosoftFiles(ctx context.Context, f MicrosoftFilter) ([]MicrosoftFile, error)

	// CallsDeliveries lists deliveries, those of higher sequence numbers first.
	CallsDeliveries(ctx context.Context, f CallsFilter) ([]CallsDelivery, error)
	// BeginCalls records what is about to be delivered. It follows the
	// carrier's last delivery, which has ended, and the newest version of its
	// period; else it returns ErrDelivery.
	BeginCalls(ctx context.Context, l Lease, d CallsDelivery, now time.Time) (CallsDelivery, error)
	// EndCalls records that all of a delivery is in the outbox. Repeated, it
	// changes nothing.
	EndCalls(ctx context.Context, l Lease, d CallsDelivery, now time.Time) error
}
