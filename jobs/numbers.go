package jobs

import (
	"context"
	"errors"
	"iter"
	"time"

	"concord/engine/numbers"
	"concord/exchange/landing"
)

// NumbersFolder is the folder in that of Microsoft's files about a carrier in
// which listings of its numbers lie. No call records are looked for in it.
const NumbersFolder = "numbers"

// ListingStatus says what became of a listing.
type ListingStatus string

// Statuses of listings.
const (
	ListingTaken    ListingStatus = "taken"
	ListingLate     ListingStatus = "late"     // older than what is known; it changes nothing
	ListingRejected ListingStatus = "rejected" // it cannot be used
)

// Listing is one of Microsoft's files about the numbers of a carrier. What it
// says is the whole truth of its source as of its time.
type Listing struct {
	Position int64 // of the listing among all, from 1; later ones have higher ones
	Carrier  string
	Source   string // the folder in which it lies, which has a history of its own
	Name     string // of the file, in that folder
	Bytes    int64
	Changed  time.Time // when the file was last changed
	Basis    string    // the settings by which it was read
	SHA256   string
	AsOf     time.Time
	Status   ListingStatus

	Rows     int64
	Accepted int64
	Rejected int64
	Others   int64            // rows about other carriers
	Learned  int64            // lines of which it said something new
	Reasons  []landing.Reason // of the first rejected rows, and never a value
	Faults   []string         // why it cannot be used
	Notes    []string

	Run     string
	Decided time.Time
	// Erased is the erasure by which this content was removed, which is not to
	// be kept; empty: there was none. RecordListing sets it.
	Erased string
}

// ListedRow is a row of a listing, or a line of which a listing has a row that
// cannot be read.
type ListedRow struct {
	numbers.Assignment
	Held bool // nothing is said of the line: what is known stays
}

// ListedRows are those of one listing in the order of lines and beginnings.
// The first error ends them.
type ListedRows = iter.Seq2[ListedRow, error]

// NumbersDelivery is what a carrier is sent at once: all its numbers and what changed
// since the delivery before.
type NumbersDelivery struct {
	Carrier  string
	Sequence int   // from 1, without gaps
	Position int64 // of the newest listing in it
	Base     int64 // Position of the delivery before; 0: there was none
	AsOf     time.Time
	Run      string
	Begun    time.Time
	Ended    time.Time // zero: it may not have reached the outbox
	Files    []DeliveredFile
	Added    int64
	Removed  int64
	Changed  int64
}

// DeliveredFile is one file of a delivery.
type DeliveredFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Taking says how far a listing is trusted.
type Taking struct {
	// Blind says that some rows could not be read at all: a line that is not
	// there keeps what is known of it.
	Blind bool
	// MostRemoved is how many of a source's numbers, in per cent, the listing
	// may take away, unless they are less than FewRemoved.
	MostRemoved int
}

// FewRemoved is from how many numbers on their share decides whether a listing
// may take them away.
const FewRemoved = 10

// Answers of Numbers.
var (
	ErrRemoves   = errors.New("it would take too many numbers away")
	ErrNoListing = errors.New("no listing of this carrier's numbers was taken")
	ErrDelivery  = errors.New("another run has delivered meanwhile")
)

// NumbersAt selects what is known of a carrier's numbers.
type NumbersAt struct {
	Carrier  string
	Position int64 // as it was known after this listing; 0: nothing was
	Present  bool  // only what was valid then, as far as was known
}

// NumberSources says since when a carrier's numbers are known, by source.
type NumberSources struct {
	Position int64                // of the newest listing that was taken; 0: there is none
	Begun    map[string]time.Time // the times of the first listings of sources
}

// Numbers remembers what Microsoft's listings said of carriers' numbers, and
// what was delivered of it. Nothing that was once known is ever changed: at any
// later time, what was known after a listing can be told again. jobstest has
// its contract as a suite of tests.
type Numbers interface {
	// Listings lists a carrier's listings, the first recorded first, without
	// reasons and notes.
	Listings(ctx context.Context, carrier string) ([]Listing, error)
	// RecordListing records a listing and, when it is taken, what it changes,
	// both or neither. Of a file that was recorded before, the record of then
	// is returned. One that is older than the newest of its source is late:
	// what it says is not used, because it would have to be told apart from
	// what changed since. One that would take away more numbers than it may is
	// not recorded: ErrRemoves. rows may be called again.
	RecordListing(ctx context.Context, l Lease, x Listing, t Taking, rows func() ListedRows, now time.Time) (Listing, error)
	// KnownNumbers returns what is known, in the order of lines, then sources,
	// then beginnings. It may be walked again, and reads a bounded number of
	// rows at a time.
	KnownNumbers(ctx context.Context, at NumbersAt) numbers.Rows
	// NumberSources returns the sources of which a listing was taken.
	NumberSources(ctx context.Context, carrier string) (NumberSources, error)
	// NewestListing returns the newest listing that was taken of a carrier's
	// numbers, of any source, with the latest time of all as AsOf, and how many
	// lines were learned of after a position; ErrNoListing.
	NewestListing(ctx context.Context, carrier string, after int64) (x Listing, learned int64, err error)
	// LastDelivery returns the newest delivery; one without a Sequence: there
	// was none.
	LastDelivery(ctx context.Context, carrier string) (NumbersDelivery, error)
	// BeginDelivery records what is about to be delivered, after a delivery
	// that has ended, or returns ErrDelivery.
	BeginDelivery(ctx context.Context, l Lease, d NumbersDelivery, now time.Time) (NumbersDelivery, error)
	// EndDelivery records that all of a delivery is in the outbox. Repeated,
	// it changes nothing.
	EndDelivery(ctx context.Context, l Lease, d NumbersDelivery, now time.Time) error
}
