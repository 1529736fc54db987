package report

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"concord/engine"
	"concord/engine/spill"
)

// UsageOptions say which reports the usage of a period is summed up from.
type UsageOptions struct {
	Carrier  string
	From, To time.Time
	Zone     *time.Location // of the days of the period
	Days     []UsageDay     // of the period, in order
	Reports  []UsageReport
	// Astray is how many reports have a part in the period and cover no day of
	// it, such as when they have days of another zone.
	Astray int
	// Users asks for usage_users.csv.
	Users bool
	// Version counts from 1; Previous and PreviousManifest are of the version
	// that it supersedes, 0 and empty of none.
	Version          int
	Previous         int
	PreviousManifest string
	Scratch          spill.Scratch
	Memory           int64 // bytes that sorting may hold
}

// ErrDays says that a report cannot be taken by days.
var ErrDays = errors.New("only some of its days count, and they cannot be told apart")

// UsageDay is one day of the period and the report that it is taken from.
type UsageDay struct {
	Date     string // 2026-10-01
	From, To time.Time
	Report   int // in Reports; negative: there is none
}

// UsageReport is one version of a report.
type UsageReport struct {
	ID       string
	Period   string // as people call it
	Version  int
	Manifest string // SHA-256 that its manifest.json must have, in hexadecimal
	Folder   fs.FS
	// Whole says that all of it counts; else only the days that name it do.
	Whole bool
}

// UsageTotal sums calls.
type UsageTotal struct {
	Calls       int64 `json:"calls"`
	MicrosoftMS int64 `json:"microsoft_milliseconds"`
	CarrierMS   int64 `json:"carrier_milliseconds"`
	UsedMS      int64 `json:"used_milliseconds"`
	Operator    int64 `json:"operator_sourced_calls"`
}

func (t *UsageTotal) add(u *engine.UsageRow) {
	t.Calls += u.Calls
	t.MicrosoftMS += u.MicrosoftMS
	t.CarrierMS += u.CarrierMS
	t.UsedMS += u.UsedMS
	t.Operator += u.OperatorSourcedCalls
}

// UsageWritten says what was written.
type UsageWritten struct {
	Manifest string // SHA-256 of manifest.json, in hexadecimal
	Total    UsageTotal
	Pending  int64    // calls of the reports whose partner may still come
	Findings []string // what a person should know
}

// WriteUsage sums the usage of reports up and writes it. It fails, and the
// files must not be published, when a report is not as it was written, or when
// what is written does not add up to what the reports say. Every file that was
// made is synced and closed when it succeeds, and closed when it does not. Rows
// are sorted in the memory that is given and in scratch files.
func WriteUsage(ctx context.Context, create Create, o UsageOptions) (*UsageWritten, error) {
	w := &usageWriter{folder: &files{create: create}, opts: o, doc: newUsageDoc(&o)}
	for i := range o.Reports {
		if err := w.openReport(ctx, i); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(context.Context) error{w.usage, w.users, w.summary} {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.folder.manifest(); err != nil {
		return nil, err
	}
	out := &UsageWritten{Manifest: w.folder.done[len(w.folder.done)-1].SHA256, Total: w.doc.Totals, Pending: w.pending}
	for _, f := range w.doc.Findings {
		out.Findings = append(out.Findings, f.Text)
	}
	return out, nil
}

// usageWriter holds what the steps share.
type usageWriter struct {
	folder  *files
	opts    UsageOptions
	doc     *usageDoc
	sources []usageSource
	pending int64
}

// usageSource is one report that is read.
type usageSource struct {
	*UsageReport
	archive *archive
	dates   map[string]bool // that count; nil: all
	classed tallyDoc        // what its classes say of Microsoft's calls
	lists   bool            // it has usage_users.csv
}

// about says which report an error is about.
func (s *usageSource) about(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("report of %s: %w", s.Period, err)
}

// openReport reads what a report says of itself.
func (w *usageWriter) openReport(ctx context.Context, i int) (err error) {
	s := usageSource{UsageReport: &w.opts.Reports[i]}
	defer func() { err = s.about(err) }()
	if s.archive, err = openArchive(ctx, &Release{Previous: s.Folder, PreviousVersion: s.Version, PreviousManifest: s.Manifest}); err != nil {
		return err
	}
	var sum struct {
		Carrier string     `json:"carrier"`
		Period  *periodDoc `json:"period"`
		Classes []classDoc `json:"classes"`
	}
	if err := s.archive.readJSON(ctx, summaryFile, &sum); err != nil {
		return err
	}
	if sum.Carrier != w.opts.Carrier || sum.Period == nil {
		return fmt.Errorf("summary.json of version %d is not about a period of %s", s.Version, w.opts.Carrier)
	}
	for _, c := range sum.Classes {
		if usedClass(c.Class) {
			s.classed.Records += c.Microsoft.Records
			s.classed.MS += c.Microsoft.MS
		}
		if c.Class == engine.PendingLate.String() {
			w.pending += c.Microsoft.Records + c.Carrier.Records
		}
	}
	if !s.Whole {
		if s.dates, err = w.datesOf(i, sum.Period.Zone); err != nil {
			return err
		}
	}
	s.lists = slices.ContainsFunc(s.archive.files, func(e entry) bool { return e.Name == usersName })
	w.sources = append(w.sources, s)
	return nil
}

// usedClass reports whether Microsoft's records of a class are in the usage:
// all that are calls of their own inside the period.
func usedClass(name string) bool {
	for _, c := range []engine.Class{engine.Invalid, engine.Duplicate, engine.ConflictingDuplicate, engine.Superseded, engine.OutsidePeriod} {
		if c.String() == name {
			return false
		}
	}
	return true
}

// datesOf returns the dates of a report that count, when not all do. They are
// those of its own zone, and must be the days of the period.
func (w *usageWriter) datesOf(report int, zone string) (map[string]bool, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("its zone %s: %w", zone, err)
	}
	dates := map[string]bool{}
	for _, d := range w.opts.Days {
		if d.Report != report {
			continue
		}
		from, err := time.ParseInLocation(time.DateOnly, d.Date, loc)
		if err != nil {
			return nil, err
		}
		if to := time.Date(from.Year(), from.Month(), from.Day()+1, 0, 0, 0, 0, loc); !from.Equal(d.From) || !to.Equal(d.To) {
			return nil, fmt.Errorf("%w: it counts them in %s, and this job in %s; give the job that zone, or the carrier's profile the job's as period_zone", ErrDays, zone, w.opts.Zone)
		}
		dates[d.Date] = true
	}
	return dates, nil
}

// usage writes usage.csv, usage.parquet and customers.csv.
func (w *usageWriter) usage(ctx context.Context) (err error) {
	s := spill.NewSorter(w.opts.Scratch, w.sorting())
	defer func() { err = errors.Join(err, s.Close()) }()
	for i := range w.sources {
		total, err := w.sources[i].read(ctx, "usage.csv", s, false)
		if err != nil {
			return w.sources[i].about(err)
		}
		w.doc.Reports[i].UsageTotal = total
		w.doc.TieOut.Reports.merge(total)
	}
	rows, err := w.folder.table("usage", usageColumns, true)
	if err != nil {
		return err
	}
	customers, err := w.folder.table("customers", customerColumns, false)
	if err != nil {
		return rows.abandon(err)
	}
	sum := customerSums{w: w, t: customers}
	for u, err := range summed(s) {
		if err == nil {
			writeUsage(rows, w.opts.Carrier, u, false)
			if err = rows.end(ctx); err == nil {
				err = sum.add(ctx, u)
			}
		}
		if err != nil {
			return errors.Join(rows.abandon(err), customers.abandon(errStopped))
		}
		w.doc.Totals.add(u)
	}
	if err := sum.end(ctx); err != nil {
		return errors.Join(rows.abandon(errStopped), customers.abandon(err))
	}
	w.doc.Customers, w.doc.TieOut.Customers = customers.rows, sum.all
	if err := rows.close(); err != nil {
		return errors.Join(err, customers.abandon(errStopped))
	}
	return customers.close()
}

func (t *UsageTotal) merge(o UsageTotal) {
	t.add(&engine.UsageRow{Calls: o.Calls, MicrosoftMS: o.MicrosoftMS, CarrierMS: o.CarrierMS, UsedMS: o.UsedMS, OperatorSourcedCalls: o.Operator})
}

const (
	usersName       = "usage_users.csv"
	minUsageSorting = 1 << 20
)

func (w *usageWriter) sorting() int { return int(min(max(w.opts.Memory/2, minUsageSorting), 256<<20)) }

// users writes usage_users.csv. The reports have months in it and no days, so
// there is none when a report counts for some of its days only.
func (w *usageWriter) users(ctx context.Context) (err error) {
	if !w.opts.Users {
		return nil
	}
	for i := range w.sources {
		switch s := &w.sources[i]; {
		case !s.Whole:
			w.doc.find("users_missing", fmt.Sprintf("there is no usage per user: the report of %s counts for some of its days only, and its usage per user is by month", s.Period))
			return nil
		case !s.lists:
			w.doc.find("users_missing", fmt.Sprintf("there is no usage per user: the report of %s has none; set users: true on the job that makes it, and run it again", s.Period))
			return nil
		}
	}
	s := spill.NewSorter(w.opts.Scratch, w.sorting())
	defer func() { err = errors.Join(err, s.Close()) }()
	var read, written UsageTotal
	for i := range w.sources {
		total, err := w.sources[i].read(ctx, usersName, s, true)
		if err != nil {
			return w.sources[i].about(err)
		}
		read.merge(total)
	}
	t, err := w.folder.table("usage_users", userColumns, false)
	if err != nil {
		return err
	}
	for u, err := range summed(s) {
		if err == nil {
			writeUsage(t, w.opts.Carrier, u, true)
			written.add(u)
			err = t.end(ctx)
		}
		if err != nil {
			return t.abandon(err)
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	if read != w.doc.Totals || written != read {
		return fmt.Errorf("%w: the usage per user comes to %+v in the reports and %+v written, that per day to %+v", ErrTieOut, read, written, w.doc.Totals)
	}
	return nil
}
