package jobs

import (
	"context"
	"encoding/json"
	"time"

	"concord/exchange/landing"

	"github.com/shopspring/decimal"
)

// Ledger remembers what was decided of every file that arrived. jobstest has
// its contract as a suite of tests.
type Ledger interface {
	// Record decides of one file and remembers the entry, both or neither, as
	// one transaction: calls about one carrier come one after the other. An
	// upload that is recorded and not settled is not recorded again, and a
	// file of Microsoft's never is: its entry is returned, and decide is not
	// called. decide does nothing but decide, may be called more than once,
	// and its entry is of the arrival.
	Record(ctx context.Context, a Arrival, decide func(Known) Entry) (Entry, error)
	// Unsettled returns the entries of a carrier that were not settled, in
	// the order of their recording. Microsoft's are not among them.
	Unsettled(ctx context.Context, carrier string) ([]Entry, error)
	// Settle marks an entry; a second time it changes nothing. An id that is
	// not the carrier's is an error.
	Settle(ctx context.Context, carrier, id string) error
	// Holds reports whether an entry of any carrier refers to this content,
	// whatever was decided of it, and it was neither erased nor purged of it.
	Holds(ctx context.Context, sha256 string) (bool, error)
	// Files returns every entry of a carrier, of both sides, in the order of
	// their recording.
	Files(ctx context.Context, carrier string) ([]Entry, error)
}

// Arrival is one upload, and what to look for among those before it.
type Arrival struct {
	Carrier  string
	Name     string    // below inbox/, with slashes
	SHA256   string    // in hex; empty: it has none, and repeats nothing
	Received time.Time // together with name and content it tells one upload from another
	Sequence *int64    // nil: the name has none
	// Microsoft says that it is a file of Microsoft's about the carrier.
	// Files of one side know nothing of those of the other.
	Microsoft bool
}

// Known is what a ledger knows of a carrier's files when one more arrives.
// Only accepted entries count; duplicates and rejected ones do not.
type Known struct {
	// Content is the entry of the same content; nil: there is none. Of
	// several it is one of the same sequence number, or else the same name,
	// or else the earliest.
	Content *Entry
	// Number is the latest entry of the same sequence number; nil: there is
	// none, or the arrival has no number.
	Number *Entry
	// Highest is the highest sequence number; nil: there is none.
	Highest *int64
	// Erased is the erasure by which this content was removed, which is not to
	// come back; empty: there was none.
	Erased string
}

// Entry is what a ledger remembers of one file. Rows is the sum of Accepted,
// Rejected and Filtered, but for a duplicate: of its rows none is counted.
type Entry struct {
	ID      string // a UUID, version 7
	Carrier string
	// Microsoft says that it is a file of Microsoft's about the carrier. It is
	// settled from the beginning.
	Microsoft bool
	Name      string // below inbox/, or the carrier's folder of Microsoft's files; with slashes
	SHA256    string // in hex; empty when the content was not offered
	Bytes     int64
	// Sealed is how the file arrived when it was encrypted: SHA256 and Bytes are
	// those of what was decrypted. Empty: as it was.
	Sealed   Sealed
	Format   string // such as "csv+gzip"; empty when it was not found out
	Proof    string // how it is known to be whole: content, vouched, closed; empty: it is not
	Verified bool   // control totals or checksums agree
	Sequence *int64 // of the name
	Date     string // of the name, such as 2026-10-01; empty: it has none

	Status     landing.Status
	Rows       int64
	Accepted   int64
	Rejected   int64
	Filtered   int64 // left out by the profile
	DurationMS int64 // of the accepted rows
	// BadRows counts the rows that could not be read and of which there is a
	// CSV. The first are among Reasons.
	BadRows     int64
	Reasons     []landing.Reason
	MoreReasons int64 // bad rows that are not among Reasons

	Missing                    []landing.Range // sequence numbers just before this one
	Replaces, ReplacesID       string          // the file that this one corrects
	DuplicateOf, DuplicateOfID string
	Notes                      []string

	// Days are the days of its accepted rows, each once and in order; none
	// unless it is ingested.
	Days []Day
	// Profile is the SHA-256 of the profile that it was read with; empty:
	// none.
	Profile string

	// RawPurged and RecordsPurged are the numbers of the proofs that what
	// arrived and its records were removed; 0: they are kept. Purges sets
	// them, no one else. With the last of both the name goes, too, where it
	// may hold a number: it is masked then.
	RawPurged, RecordsPurged int64

	Received time.Time // UTC
	Decided  time.Time // UTC
	Run      string
	// Erased is the erasure by which the content was removed; empty: it is
	// there. A ledger sets it, no one else.
	Erased string
	// Settled says that receipt and file are where they belong. A ledger sets
	// it, no one else.
	Settled bool
}

// Sealed is a file that arrived encrypted.
type Sealed struct {
	SHA256 string // in hex
	Bytes  int64
}

// Day is what a file holds of one day.
type Day struct {
	Date       string `json:"date"` // in UTC, by the starts of the calls, such as 2026-10-01
	Rows       int64  `json:"rows"`
	DurationMS int64  `json:"duration_ms"`
}

// Coverage knows which files hold what of which days, and which of them were
// not yet looked at for what they change.
type Coverage interface {
	// Covering returns the ingested entries of a carrier, of both sides, with
	// rows on days that have a part in [from, to), in the order of their
	// recording and with all their days. Those that a later ingested one
	// replaces are left out, whatever days that one has.
	Covering(ctx context.Context, carrier string, from, to time.Time) ([]Entry, error)
	// Unfollowed returns the ingested entries of all carriers and both sides
	// that were not followed, in the order of their recording: those after
	// the entry of an id, if one is given. Limit 0: all.
	Unfollowed(ctx context.Context, after string, limit int) ([]Followup, error)
	// Follow marks an entry; a second time it changes nothing. ErrNoFile.
	Follow(ctx context.Context, id string) error
}

// Followup is a new entry whose days may have been reported already.
type Followup struct {
	Entry
	// Touched are the days of the entry, of the one that it replaces, of the
	// one that that replaces, and so on, each day once and in order.
	Touched []string
}

// Ingested reports whether the rows of the file count.
func (e *Entry) Ingested() bool {
	return e.Status == landing.StatusAccepted || e.Status == landing.StatusPartly
}

// Arrived reports whether the entry is of this upload.
func (e *Entry) Arrived(a Arrival) bool {
	same := e.Name == a.Name || e.RawPurged != 0 && e.Name == Mask(a.Name)
	return same && e.Carrier == a.Carrier && e.Microsoft == a.Microsoft && e.SHA256 == a.SHA256 && e.Received.Equal(a.Received)
}

// Receipt is what the carrier is told.
func (e *Entry) Receipt() landing.Receipt {
	integrity := "unverified"
	if e.Verified {
		integrity = "verified"
	}
	run := e.Run
	if run == "" {
		run = e.ID
	}
	r := landing.Receipt{
		File: e.Name, Status: e.Status, SHA256: e.SHA256, Bytes: e.Bytes,
		Rows: e.Rows, Accepted: e.Accepted, Rejected: e.Rejected, Filtered: e.Filtered, Seconds: seconds(e.DurationMS),
		Reasons: e.Reasons, MoreReasons: e.MoreReasons, Integrity: integrity,
		Sequence: e.Sequence, Missing: e.Missing, Replaces: e.Replaces, DuplicateOf: e.DuplicateOf, Notes: e.Notes,
		Received: e.Received, Time: e.Decided, Run: run,
	}
	if e.Sealed.SHA256 != "" {
		r.SHA256, r.Bytes, r.ContentSHA256, r.ContentBytes = e.Sealed.SHA256, e.Sealed.Bytes, e.SHA256, e.Bytes
	}
	return r
}

// seconds writes milliseconds as a decimal number of seconds.
func seconds(ms int64) json.Number { return json.Number(decimal.New(ms, -3).String()) }
