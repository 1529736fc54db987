// Package subject finds what is kept about one phone number, and erases it, in
// every store: received files and their records, reports, homes of carriers,
// numbers, the database. SUBJECTS.md beside this file says what becomes of each.
//
// An erasure is a recorded request. It is done by one service at a time, while no
// run is under way, step by step; every step notes what it found before it
// changes it, and can be done again, so that one that was broken off at any
// instant is gone on with. Where the number stood, a number stands that is
// nobody's and is the same everywhere: calls stay pairs, and totals what they
// were. Neither a log, an error nor an answer holds the number.
package subject

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/formats/trace"
	"concord/jobs"
	"concord/jobs/numbering"
	"concord/jobs/reconcile"
)

// State is what is remembered of files, runs, reports and erasures.
type State interface {
	jobs.Erasures
	ListFiles(ctx context.Context, f jobs.FileFilter) ([]jobs.Entry, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
	Run(ctx context.Context, id string) (jobs.Run, error)
	Report(ctx context.Context, id string) (jobs.Report, error)
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
	RenameCases(ctx context.Context, carrier string, p jobs.Period, ids map[string]string) error
}

// Spool is where received files are kept by their content.
type Spool interface {
	Contents() ([]string, error)
	Path(sum string) string
	Erase(sum string) error
	Add(ctx context.Context, r io.Reader) (landing.Content, error)
	Release(sum string, keep bool) error
}

// Home is where the files of a carrier lie.
type Home interface {
	Look(ctx context.Context) error
	Kept() ([]landing.Kept, error)
	Erase(k landing.Kept) error
	Rewrite(k landing.Kept, name string, fill func(io.Writer) error) error
	Deliver(ctx context.Context, name string, src io.Reader) error
}

// Folder is a folder with files of Microsoft's.
type Folder struct {
	Path string
	// Own says which files were put there by the service itself; nil: none.
	Own func(name string) bool
}

// Desk finds and erases. Every field is required.
type Desk struct {
	State State
	Spool Spool
	// Homes calls do with the home of every carrier, also of those that are
	// not in the configuration any more.
	Homes func(ctx context.Context, do func(carrier string, h Home) error) error
	// Records returns the path of the records of an entry.
	Records func(ctx context.Context, e jobs.Entry) (string, error)
	Reports *reconcile.Reconciler
	Numbers *numbering.Clerk
	// Search looks into files, whatever they are.
	Search func(ctx context.Context, n *trace.Number, paths []string) ([]trace.Found, error)
	// Rewrite writes a file without a number, or says why it cannot.
	Rewrite func(ctx context.Context, r jobs.Redaction, path, out string) (refused string, err error)
	Data    string       // the data folder
	Keys    *atrest.Keys // of what is in it; nil: it is in clear
	// Outbox returns how files get into the outbox of a carrier's home.
	Outbox func(carrier string, h Home) numbering.Outbox
	// Database begins the names of the files of the database in it, which are
	// looked into by their tables.
	Database string
	Foreign  func() []Folder
	// Key makes pseudonyms; empty: nothing can be erased.
	Key func() string
	Now func() time.Time
}

// leastKey is how long a key is at the least.
const leastKey = 16

// mac is a keyed hash of a text for one purpose.
func (d *Desk) mac(purpose, text string) []byte {
	h := hmac.New(sha256.New, []byte(d.Key()))
	h.Write([]byte(purpose + "\x00" + text))
	return h.Sum(nil)
}

// tag is what a text is noted by that may hold the number.
func (d *Desk) tag(purpose, text string) string { return hex.EncodeToString(d.mac(purpose, text)[:12]) }

// Pseudonym tells that two requests are about the same number, and not which;
// empty: there is no key.
func (d *Desk) Pseudonym(n *trace.Number) string {
	if len(d.Key()) < leastKey {
		return ""
	}
	return d.tag("subject", n.E164().Full())
}

// redaction is what takes the number out of texts and calls.
func (d *Desk) redaction(n *trace.Number) jobs.Redaction {
	code := binary.BigEndian.Uint64(d.mac("number", n.E164().Full()))
	return jobs.Redaction{Number: n, Erased: engine.ErasedNumber(n.E164(), code)}
}

// Stores of what is found and erased. Those of the database are named by their
// tables.
const (
	storeFiles   = "files"
	storeRecords = "records"
	storeReports = "reports"
	storeHomes   = "homes"
	storeNumbers = "numbers"
	storeOthers  = "other files"
	storeForeign = "microsoft's folders"
)

// pageOf is how many entries or reports are read at once.
const pageOf = 500

// entries calls do with every entry of the ledger, the newest first.
func (d *Desk) entries(ctx context.Context, do func(jobs.Entry) error) error {
	for before := ""; ; {
		list, err := d.State.ListFiles(ctx, jobs.FileFilter{Before: before, Limit: pageOf})
		if err != nil {
			return err
		}
		for _, e := range list {
			if err := do(e); err != nil {
				return err
			}
		}
		if len(list) < pageOf {
			return nil
		}
		before = list[len(list)-1].ID
	}
}

func side(e jobs.Entry) engine.Side {
	if e.Microsoft {
		return engine.Microsoft
	}
	return engine.Carrier
}
