package jobs

import (
	"context"
	"errors"
	"time"
)

// ErasureState is how far an erasure is.
type ErasureState string

// States of erasures.
const (
	ErasureAsked   ErasureState = "asked"   // it waits for its turn, and then for the runs that are under way
	ErasureWorking ErasureState = "working" // no run begins until it is done
	ErasureScrub   ErasureState = "scrub"   // all is erased; the database is being cleaned of what it had
	ErasureEnded   ErasureState = "ended"
)

// Erasure is one request to erase a phone number. It is about what was there
// when the work began; what comes later is kept like everything else.
type Erasure struct {
	ID string // a UUID, version 7
	// Number is the number in E.164. It is forgotten when all is erased.
	Number string
	// Pseudonym is a keyed hash of the number: it tells that a later request
	// is about the same number, and not which.
	Pseudonym string
	State     ErasureState
	By        string
	Asked     time.Time
	Ended     time.Time
	// Counts say how many things of each store held the number.
	Counts []ErasedCount
	// Left says what is left for a person to do, and never holds the number.
	Left []string
	// Proof is the receipt of the end; empty: there is none yet.
	Proof string
}

// ErasedCount says what was found in one store.
type ErasedCount struct {
	Store string `json:"store"`
	Items int64  `json:"items"` // files, versions of reports or rows of the database
	Rows  int64  `json:"rows"`  // calls or cells in them that held the number
}

// ErasedItem is one thing that held the number. It is noted before the number
// is taken out of it, so that an erasure that was broken off knows what it did.
type ErasedItem struct {
	Store string
	Item  string // an id or a keyed hash; it never holds the number
	Rows  int64
}

// ErrNoErasure says that there is no such erasure.
var ErrNoErasure = errors.New("there is no such erasure")

// Erasures remembers what was asked to be erased, and what was.
type Erasures interface {
	// AskErasure records a request. While one with the same pseudonym is not
	// ended, that one is returned.
	AskErasure(ctx context.Context, e Erasure) (Erasure, error)
	// Erasures lists them, the latest first; Limit 0: all.
	Erasures(ctx context.Context, limit int) ([]Erasure, error)
	// Erasure returns one; ErrNoErasure.
	Erasure(ctx context.Context, id string) (Erasure, error)
	// Advance sets the state, and Left. While one is working, no run is
	// claimed. From scrub on the number is forgotten.
	AdvanceErasure(ctx context.Context, id string, state ErasureState, left []string) error
	// NoteErased notes what held the number; a second time it changes nothing.
	NoteErased(ctx context.Context, erasure string, items ...ErasedItem) error
	// ErasedItems lists what was noted, by store and item.
	ErasedItems(ctx context.Context, erasure, store string) ([]ErasedItem, error)
	// EraseContent marks a content: it is not to be kept any more, and is not
	// taken when it comes again.
	EraseContent(ctx context.Context, erasure, sha256 string) error
	// NeededContents lists the contents of which deliveries of calls are made,
	// and what is kept instead of such.
	NeededContents(ctx context.Context) ([]string, error)
	// KeepInstead records a content that is kept instead of an erased one: the
	// same without the number.
	KeepInstead(ctx context.Context, sha256, instead string) error
	// Instead returns what is kept instead of an erased content; empty: nothing,
	// or it is not erased.
	Instead(ctx context.Context, sha256 string) (string, error)
	// EndErasure ends an erasure that is being scrubbed.
	EndErasure(ctx context.Context, id string, now time.Time) (Erasure, error)

	// FindText counts the rows of each table that hold a text which is picks.
	FindText(ctx context.Context, is func(string) bool) ([]ErasedCount, error)
	// RewriteText changes every text of every table, and notes the rows that
	// it changed, both or neither.
	RewriteText(ctx context.Context, erasure string, change func(string) string) error
	// FindNumber counts what is known of a number's assignments, by carrier.
	FindNumber(ctx context.Context, digits uint64) (map[string]int64, error)
	// ReplaceNumber puts another number in the place of one in all that is
	// known of assignments, forgets whose it was, and notes how much that was:
	// all or nothing.
	ReplaceNumber(ctx context.Context, erasure string, digits, by uint64) error
	// Deliveries lists what was delivered to a carrier, the first one first.
	Deliveries(ctx context.Context, carrier string) ([]NumbersDelivery, error)
	// RemakeDelivery replaces what is said of the files of a delivery.
	RemakeDelivery(ctx context.Context, d NumbersDelivery) error
	// ReplaceReport records that the files of a version are others now, as the
	// erasure says: Basis and Manifest of r count, and events unless nil. The
	// folder is on its way to its place until SettleReport. A delivery of the
	// version that has not ended begins anew, and with again one that has, too.
	ReplaceReport(ctx context.Context, erasure string, r Report, events []CaseEvent, again bool) error
	// SettleReport records that the files of a version are in their place.
	SettleReport(ctx context.Context, report string) error
	// ReplacedReports lists the versions whose new files are on their way.
	ReplacedReports(ctx context.Context) ([]string, error)
	// ReportErasures lists the erasures that changed a version, the first one
	// first.
	ReportErasures(ctx context.Context, report string) ([]Erasure, error)
	// Scrub has the database forget what it keeps of rows that are gone.
	Scrub(ctx context.Context) error
}
