// Package casework keeps the register of cases beside the versions of reports,
// so that people can work on cases: CASES.md says how.
//
// A version is taken over after it was published, from its own files, as a whole
// or not at all, and each version of a period once and in its order. Until then
// the register says what the version before says. Memory does not grow with the
// number of cases, but for Since, which holds those that differ.
package casework

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
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
		err := c.State.Register(ctx, r, whole[i], func() iter.Seq2[jobs.CaseNews, error] { return c.news(&r, !whole[i]) }, c.Now())
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

func samePeriod(a, b *jobs.Report) bool {
	return a.Carrier == b.Carrier && a.Period.From.Equal(b.Period.From) && a.Period.To.Equal(b.Period.To)
}

// open opens one file of a version.
func (c *Clerk) open(r *jobs.Report, name string) (*atrest.File, error) {
	return c.Keys.Open(filepath.Join(c.Folder, filepath.FromSlash(r.Folder), name))
}

// rows are those of one file of a version, discrepancies.csv or changes.csv.
func (c *Clerk) rows(r *jobs.Report, changes bool) iter.Seq2[report.CaseRow, error] {
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
			if err != nil {
				err = fmt.Errorf("%s of version %d: %w", name, r.Version, err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// news are what a version says, as the register takes it.
func (c *Clerk) news(r *jobs.Report, changes bool) iter.Seq2[jobs.CaseNews, error] {
	return func(yield func(jobs.CaseNews, error) bool) {
		for row, err := range c.rows(r, changes) {
			f := row.Now
			if row.Event == report.Closed {
				f = row.Before
			}
			if !yield(jobs.CaseNews{CaseFacts: factsOf(row.CaseID, &f), Event: row.Event}, err) {
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

// Since returns how the cases of the newest version of a period differ from those
// of an older one, in the order of their ids. A case that came and went between
// the two differs in nothing.
func (c *Clerk) Since(ctx context.Context, old jobs.Report) (newest jobs.Report, list []Difference, err error) {
	versions, err := c.State.Reports(ctx, jobs.ReportFilter{Kind: old.Kind, Carrier: old.Carrier, Period: &old.Period})
	if err != nil {
		return old, nil, err
	}
	newest = old
	found := map[string]*Difference{}
	for _, v := range slices.Backward(versions) {
		if v.Version <= old.Version {
			continue
		}
		for row, err := range c.rows(&v, true) {
			if err = errors.Join(err, context.Cause(ctx)); err != nil {
				return newest, nil, err
			}
			merge(found, &row)
		}
		newest = v
	}
	for _, d := range found {
		if d.judge() {
			list = append(list, *d)
		}
	}
	slices.SortFunc(list, func(a, b Difference) int { return strings.Compare(a.CaseID, b.CaseID) })
	return newest, list, nil
}

// merge takes over what a later version says of a case.
func merge(found map[string]*Difference, row *report.CaseRow) {
	d := found[row.CaseID]
	if d == nil {
		d = &Difference{CaseID: row.CaseID, Before: factsOf(row.CaseID, &row.Before)}
		found[row.CaseID] = d
	}
	d.Now = factsOf(row.CaseID, &row.Now)
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
