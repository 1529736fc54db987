package landing

import (
	"context"
	"io"
	"time"
)

// Trust says how sure it is, from the outside, that a file is whole.
type Trust int

const (
	// Doubtful is an upload that ended where a broken-off one would: after a
	// whole number of blocks, or before the first. Only its content can tell.
	Doubtful Trust = iota
	// Closed is an upload that ended between two blocks, with a close.
	Closed
	// Vouched is a file that its sender has called whole: by renaming it, by
	// a done marker or by a checksum that agrees.
	Vouched
)

// Offer is one file that a carrier seems to have finished.
type Offer struct {
	Carrier  string
	Name     string // below inbox/, with slashes
	SHA256   string // of the content, in hex
	Size     int64  // bytes
	Received time.Time
	// Content is the path of the content in the spool. It is read-only and
	// stays there when the answer is Accept or Reject, unless Elsewhere.
	Content string
	Trust   Trust
	// Checked says that a checksum sent beside the file agrees.
	Checked bool
	// Final says that the deadline has passed: Wait is no answer any more.
	Final bool
	// Sealed says how a file arrived that was encrypted: SHA256, Size and Content
	// are then those of what was decrypted. Nil: it is as it arrived.
	Sealed *Sealed
	// Fault says why the file can only be rejected, whatever is in it.
	Fault string
}

// Sealed is a file that arrived encrypted.
type Sealed struct {
	SHA256 string // in hex
	Size   int64  // bytes
	Name   string // of the content, below inbox/
	Note   string // what a person should know of it; empty: nothing
}

// Verdict is what becomes of a file.
type Verdict int

const (
	// Wait leaves the file in the inbox: it is not whole yet.
	Wait Verdict = iota
	// Accept moves it to the archive: it is recorded, or known already.
	Accept
	// Reject moves it to the rejected ones.
	Reject
)

// Answer is what was decided of an offer.
type Answer struct {
	ID      string // of the claim, as recorded; empty with Wait
	Verdict Verdict
	Why     string // with Wait: what is missing
	Receipt Receipt
	// Elsewhere says that the content is kept in another form: the one that was
	// offered need not stay in the spool.
	Elsewhere bool
	// RejectedRows is the path of a CSV of the rows that could not be read;
	// empty: none.
	RejectedRows string
	// Discard says that the content is not to be kept, neither in the spool nor
	// in the home: it was removed before, and has come again.
	Discard bool
	// OpenRows opens RejectedRows; nil: it is read as it is.
	OpenRows func(path string) (io.ReadCloser, error)
}

// Taker decides of files and remembers what it decided.
type Taker interface {
	// Take decides of one file. It has recorded an Accept or Reject for good
	// when it returns. After an error nothing is recorded, or with ErrDoubt
	// perhaps, and the same file is offered again later. Offers of one carrier
	// come one at a time.
	Take(ctx context.Context, o Offer) (Answer, error)
	// Unsettled returns the answers whose receipt may not be written or whose
	// file may still be in the inbox, oldest first.
	Unsettled(ctx context.Context, carrier string) ([]Answer, error)
	// Settle remembers that receipt and file are where they belong.
	Settle(ctx context.Context, carrier, id string) error
	// Holds reports whether something recorded refers to this content.
	Holds(ctx context.Context, sha256 string) (bool, error)
}
