// Package report encodes what a run found as the files of one report.
//
// It writes to files that its caller makes and publishes: they must appear all
// together or not at all. What is written depends on the run's result and settings only, never on the clock,
// the machine or the number of goroutines. Rows are streamed: memory does not
// grow with them. A run whose figures do not tie out is an error.
//
// REPORTS.md beside this file describes every file and every column.
package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"concord/engine"
)

// Result is what is read of a run; an *engine.Result is one. Every sequence
// is read once, in the order of the methods.
type Result interface {
	Summary() *engine.Summary
	Cases(ctx context.Context) iter.Seq2[*engine.Case, error]
	Usage() iter.Seq[*engine.UsageRow]
	UserUsage() iter.Seq[*engine.UsageRow]
	Rejects(ctx context.Context) iter.Seq2[engine.Reject, error]
	Verdicts(ctx context.Context) iter.Seq2[*engine.Verdict, error]
}

// Input describes one file that was read.
type Input struct {
	Name   string // base name
	SHA256 string // hexadecimal
	Bytes  int64
	Format string // csv, csv+gzip, parquet, …
	// Rows are the data rows of the file that were read; Filtered of them the
	// profile leaves out.
	Rows, Filtered int64
	// FileRows are all data rows of the file, when only those of some days
	// were read; nil: Rows are all.
	FileRows *int64
	// Verified says that control totals or checksums in the file agree with
	// what was read.
	Verified bool
	// Incomplete says that the file itself tells of more that is not in it.
	Incomplete bool
	Notes      []string // what a person should know of the file
}

// Options say what to write about a run besides its result.
type Options struct {
	Inputs [2][]Input // by engine.Side, in the order given
	Rules  engine.Rules
	// Profile names the profile that was used; empty when there was none.
	Profile string
	// Numbers says what was known of the carrier's numbers; nil: it was not
	// asked for.
	Numbers *Numbers
	// Verdicts and Users ask for verdicts.csv and .parquet, and for
	// usage_users.csv.
	Verdicts, Users bool
	// Release asks for version.json and changes.csv; nil: the report is no
	// version.
	Release *Release
}

// Numbers is what was known of the numbers that were assigned to the carrier
// in the period.
type Numbers struct {
	// KnownFrom is from when on a number that no listing names is known not to
	// be assigned; zero: of no time in the period.
	KnownFrom time.Time
	Count     int64  // numbers of which something is known
	SHA256    string // of what is known; empty: nothing is
	Listings  []NumbersListing
}

// NumbersListing is a listing of numbers that was read for this report.
type NumbersListing struct {
	Name     string
	SHA256   string // hexadecimal
	AsOf     time.Time
	Rows     int64 // that were taken
	Rejected int64
}

// Written says what was written.
type Written struct {
	Manifest string   // SHA-256 of manifest.json, in hexadecimal
	Changes  *Changes // nil without a Release
}

// Write writes the files of the report of a run. It fails, and the files must
// not be published, when the figures do not tie out. Every file that was made
// is synced and closed when it succeeds, and closed when it does not.
func Write(ctx context.Context, create Create, r Result, o Options) (*Written, error) {
	s := r.Summary()
	if err := errors.Join(TieOut(s), tieInputs(s, o.Inputs)); err != nil {
		return nil, err
	}
	w := &writer{folder: &files{create: create}, opts: o, sum: s}
	w.shown.folder, w.shown.doc = w.folder, &w.doc
	if err := w.write(ctx, r); err != nil {
		return nil, w.shown.abandon(err)
	}
	w.written.Manifest = w.folder.done[len(w.folder.done)-1].SHA256
	return &w.written, nil
}

// writer holds what the steps share.
type writer struct {
	folder *files
	opts   Options
	sum    *engine.Summary

	doc     summaryDoc
	shown   shown
	written Written
}

func (w *writer) write(ctx context.Context, r Result) error {
	for _, step := range []func(context.Context, Result) error{
		w.summary, w.discrepancies, w.usage, w.users, w.rejected, w.verdicts, w.release, w.people,
	} {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := step(ctx, r); err != nil {
			return err
		}
	}
	return w.folder.manifest()
}

// file returns the base name of a file.
func (w *writer) file(side engine.Side, i int) string {
	if names := w.opts.Inputs[side]; i >= 0 && i < len(names) {
		return names[i].Name
	}
	return ""
}

func (w *writer) discrepancies(ctx context.Context, r Result) (err error) {
	if err := w.shown.begin(); err != nil {
		return err
	}
	t, err := w.folder.table("discrepancies", discrepancyColumns, true)
	if err != nil {
		return err
	}
	t.grids = []*grid{w.shown.office.cases, w.shown.office.disputes}
	rows := caseRows{w: w, rule: w.opts.Rules.Words()}
	var listed [engine.NumClasses]int64
	for c, err := range r.Cases(ctx) {
		if err != nil {
			return t.abandon(fmt.Errorf("read discrepancies: %w", err))
		}
		listed[c.Class]++
		w.shown.look(c)
		rows.write(t, c)
		t.besides(c)
		if err := t.end(ctx); err != nil {
			return t.abandon(err)
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	return errors.Join(sameListed(listed, w.sum.Discrepancies), w.shown.office.tie(&w.doc))
}

func (w *writer) usage(ctx context.Context, r Result) error {
	t, err := w.folder.table("usage", usageColumns, true)
	if err != nil {
		return err
	}
	t.grids = []*grid{w.shown.office.usage}
	return w.usageRows(ctx, t, r.Usage(), false)
}

func (w *writer) users(ctx context.Context, r Result) error {
	if !w.opts.Users {
		return nil
	}
	t, err := w.folder.table("usage_users", userColumns, false)
	if err != nil {
		return err
	}
	return w.usageRows(ctx, t, r.UserUsage(), true)
}

func (w *writer) usageRows(ctx context.Context, t *table, rows iter.Seq[*engine.UsageRow], users bool) error {
	for u := range rows {
		writeUsage(t, w.sum.Carrier, u, users)
		if err := t.end(ctx); err != nil {
			return t.abandon(err)
		}
	}
	return t.close()
}

func (w *writer) rejected(ctx context.Context, r Result) error {
	t, err := w.folder.table("rejected", rejectedColumns, false)
	if err != nil {
		return err
	}
	for e, err := range r.Rejects(ctx) {
		if err != nil {
			return t.abandon(err)
		}
		w.writeReject(t, e.Side, e.RowError)
		if err := t.end(ctx); err != nil {
			return t.abandon(err)
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	return sameCount("rejected rows", t.rows, rejectedRows(w.sum))
}

func (w *writer) verdicts(ctx context.Context, r Result) error {
	if !w.opts.Verdicts {
		return nil
	}
	t, err := w.folder.table("verdicts", verdictColumns, true)
	if err != nil {
		return err
	}
	for v, err := range r.Verdicts(ctx) {
		if err != nil {
			return t.abandon(fmt.Errorf("read verdicts: %w", err))
		}
		w.writeVerdict(t, v)
		if err := t.end(ctx); err != nil {
			return t.abandon(err)
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	return sameCount("verdicts", t.rows, allRows(w.sum))
}

// people writes what people read.
func (w *writer) people(context.Context, Result) error { return w.shown.write() }
