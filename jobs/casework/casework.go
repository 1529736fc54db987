// Package casework keeps the register of cases beside the versions of reports,
// so that people can work on cases: CASES.md says how.
//
// A version is taken over after it was published, from its own files, which are
// read to their end before, and each version of a period once and in its order. A
// first version is seen as a whole or not at all, and one that was broken off goes
// on where it stopped. Memory does not grow with the number of cases.
package casework

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"concord/exchange/atrest"
	"concord/formats/report"
	"concord/jobs"
)

// State is what a Clerk needs of what is remembered.
type State interface {
	Unregistered(ctx context.Context, carrier string) (list []jobs.Report, whole []bool, err error)
	Register(ctx context.Context, r jobs.Report, whole bool, news func() iter.Seq2[jobs.CaseNews, error], now time.Time) error
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
}

// Clerk takes versions over. Every field but Keys is required. It is safe for concurrent
// use, in several processes, too.
type Clerk struct {
	State  State
	Folder string       // of all reports
	Keys   *atrest.Keys // of its files; nil: they are in clear
	Now    func() time.Time
}

// Waiting is a version that the register does not know yet.
type Waiting struct {
	jobs.Report
	Err error // why it cannot be taken over; nil: its files are not in their place yet
}

// CatchUp takes over what a carrier's versions say that the register does not
// know yet; without a carrier that of all. It returns of each period the first
// version that waits. One that is damaged keeps no other period back: err is about
// all of them.
func (c *Clerk) CatchUp(ctx context.Context, carrier string) (waiting []Waiting, err error) {
	list, whole, err := c.State.Unregistered(ctx, carrier)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		if slices.ContainsFunc(waiting, func(w Waiting) bool { return samePeriod(&w.Report, &r) }) {
			continue // the one before is missing
		}
		err := c.takeOver(ctx, &r, whole[i])
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return waiting, context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist):
			err = nil
		default:
			err = fmt.Errorf("cases of version %d of %s of %s: %w", r.Version, r.Period.Text, r.Carrier, err)
		}
		waiting = append(waiting, Waiting{r, err})
	}
	return waiting, nil
}

// takeOver has the register know what a version says. Its files are read when
// nobody else has been quicker, and again when the register asks again: an erasure
// may have put others into their place.
func (c *Clerk) takeOver(ctx context.Context, r *jobs.Report, whole bool) error {
	return c.State.Register(ctx, *r, whole, func() iter.Seq2[jobs.CaseNews, error] { return c.news(ctx, r, !whole) }, c.Now())
}

// news are what a version says, as the register takes it, in the order of the ids.
func (c *Clerk) news(ctx context.Context, r *jobs.Report, changes bool) iter.Seq2[jobs.CaseNews, error] {
	return func(yield func(jobs.CaseNews, error) bool) {
		all := c.sorted()
		defer func() { _ = all.close() }() // nothing of it is needed any more
		if err := all.add(r.Version, c.rows(ctx, r, changes)); err != nil {
			yield(jobs.CaseNews{}, err)
			return
		}
		for row, err := range unique(all.rows()) {
			if !yield(newsOf(&row), err) || err != nil {
				return
			}
		}
	}
}

// newsOf is what a version says of a case, as the register takes it.
func newsOf(row *report.CaseRow) jobs.CaseNews {
	f := &row.Now
	if row.Event == report.Closed {
		f = &row.Before
	}
	return jobs.CaseNews{CaseFacts: factsOf(row.CaseID, f), Event: row.Event}
}

func samePeriod(a, b *jobs.Report) bool {
	return a.Carrier == b.Carrier && a.Period.From.Equal(b.Period.From) && a.Period.To.Equal(b.Period.To)
}

// open opens one file of a version.
func (c *Clerk) open(r *jobs.Report, name string) (*atrest.File, error) {
	return c.Keys.Open(filepath.Join(c.Folder, filepath.FromSlash(r.Folder), name))
}

// rows are those of one file of a version, discrepancies.csv or changes.csv.
func (c *Clerk) rows(ctx context.Context, r *jobs.Report, changes bool) iter.Seq2[report.CaseRow, error] {
	return func(yield func(report.CaseRow, error) bool) {
		name := "discrepancies.csv"
		if changes {
			name = "changes.csv"
		}
		f, err := c.open(r, name)
		if err != nil {
			yield(report.CaseRow{}, fmt.Errorf("%s of version %d: %w", name, r.Version, err))
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for row, err := range report.ReadCases(f, changes) {
			if err = errors.Join(err, context.Cause(ctx)); err != nil {
				err = fmt.Errorf("%s of version %d: %w", name, r.Version, err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func factsOf(id string, f *report.CaseFigures) jobs.CaseFacts {
	return jobs.CaseFacts{CaseID: id, Class: f.Class, Start: f.Start, MicrosoftMS: f.MicrosoftMS, CarrierMS: f.CarrierMS, DiffMS: f.DiffMS}
}

// Difference is what became of one case between two versions that need not
// follow on each other.
type Difference struct {
	CaseID      string
	Event       string // opened, changed or closed
	Before, Now jobs.CaseFacts
}

// Since calls do for each case of the newest version of a period that differs from
// an older one, in the order of their ids. A case that came and went between the
// two differs in nothing.
func (c *Clerk) Since(ctx context.Context, old jobs.Report, do func(*Difference)) (newest jobs.Report, err error) {
	versions, err := c.State.Reports(ctx, jobs.ReportFilter{Kind: old.Kind, Carrier: old.Carrier, Period: &old.Period})
	if err != nil {
		return old, err
	}
	all := c.sorted()
	defer func() { err = errors.Join(err, all.close()) }()
	newest = old
	for _, v := range slices.Backward(versions) {
		if v.Version <= old.Version {
			continue
		}
		if err := all.add(v.Version, c.rows(ctx, &v, true)); err != nil {
			return newest, err
		}
		newest = v
	}
	return newest, differences(all.rows(), do)
}

// differences puts together what versions, one after the other, say of each case.
func differences(rows iter.Seq2[report.CaseRow, error], do func(*Difference)) error {
	var d *Difference
	told := func() {
		if d != nil && d.judge() {
			do(d)
		}
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if d == nil || d.CaseID != row.CaseID {
			told()
			d = &Difference{CaseID: row.CaseID, Before: factsOf(row.CaseID, &row.Before)}
		}
		d.Now = factsOf(row.CaseID, &row.Now)
	}
	told()
	return nil
}

// judge says what the case came to; false: nothing.
func (d *Difference) judge() bool {
	switch was, is := d.Before.Class != "", d.Now.Class != ""; {
	case !was && !is:
		return false
	case !was:
		d.Event = report.Opened
	case !is:
		d.Event = report.Closed
	default:
		d.Event = report.Changed
		was := d.Before
		was.Start = d.Now.Start // when it began decides nothing, and each version tells its own
		return was != d.Now
	}
	return true
}
