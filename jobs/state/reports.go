package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

// reportColumns are those of a report, in the order of reportValues and
// scanReport.
const reportColumns = "id, carrier, period_from, period_to, period, version, job, run, supersedes, superseded_by, folder, basis, manifest, " +
	"as_of, published, verdict, microsoft_records, microsoft_duration_ms, carrier_records, carrier_duration_ms, difference_ppm, " +
	"discrepancies, pending, opened, changed, closed, kind"

const selectReport = "SELECT " + reportColumns + ", purged, cases_purged FROM reports "

// insertReport adds nothing when another run has published the version, or one of
// another period in its folder.
var insertReport = "INSERT INTO reports (" + reportColumns + ") VALUES " + tuples(1, 27) +
	" ON CONFLICT DO NOTHING RETURNING seq"

// Publish implements jobs.Reports.
func (s *Store) Publish(ctx context.Context, l jobs.Lease, r jobs.Report, events []jobs.CaseEvent, now time.Time) (out jobs.Report, err error) {
	if r.Version < 1 {
		return out, fmt.Errorf("publish a report of %s: version %d: the first one is 1", r.Carrier, r.Version)
	}
	r.Kind = cmp.Or(r.Kind, jobs.ReportReconcile)
	err = s.write(ctx, "publish a report", func(t tx) (err error) {
		out, err = t.publish(ctx, l, r, events, now)
		return err
	})
	if err != nil {
		return jobs.Report{}, err
	}
	return out, nil
}

func (t tx) publish(ctx context.Context, l jobs.Lease, r jobs.Report, events []jobs.CaseEvent, now time.Time) (jobs.Report, error) {
	run, err := t.locked(ctx, l.Run)
	if err != nil {
		return r, err
	}
	gone := fmt.Errorf("%w: %s", jobs.ErrLost, l.Run)
	if run.Lease() != l {
		return r, gone
	}
	before, err := t.report(ctx, "WHERE run = $1", run.ID)
	switch {
	case err != nil:
		return r, err
	case before.ID != "": // done before, and the answer was lost
		return before, nil
	case run.State != jobs.RunRunning:
		return r, gone
	}
	r.Run = run.ID
	seq, err := t.putReport(ctx, &r, now)
	if err != nil {
		return r, err
	}
	if err := t.putCases(ctx, seq, text(r.Carrier), events); err != nil {
		return r, err
	}
	if r.Deliver {
		r.Deliver = false
		if err := t.askDelivery(ctx, &r); err != nil {
			return r, err
		}
	}
	return r, t.end(ctx, &run, jobs.Ending{State: jobs.RunSucceeded, Report: r.ID}, now)
}

// putReport adds the version that comes after the newest one, and returns its
// number among all reports.
func (t tx) putReport(ctx context.Context, r *jobs.Report, now time.Time) (seq int64, err error) {
	r.Period.From, r.Period.To, r.AsOf, r.Published = micro(r.Period.From), micro(r.Period.To), micro(r.AsOf), micro(now)
	newest, err := t.report(ctx, "WHERE carrier = $1 AND kind = $2 AND period_from = $3 AND period_to = $4 ORDER BY version DESC LIMIT 1"+t.d.lockRow,
		text(r.Carrier), r.Kind, edge(r.Period.From), edge(r.Period.To))
	if err != nil {
		return 0, err
	}
	meanwhile := fmt.Errorf("%w: version %d of %s cannot follow version %d", jobs.ErrVersion, r.Version, r.Carrier, newest.Version)
	if newest.Version+1 != r.Version || r.Supersedes != "" && r.Supersedes != newest.ID {
		return 0, meanwhile
	}
	if err := t.unlocked(ctx, r); err != nil {
		return 0, err
	}
	r.Supersedes, r.SupersededBy = newest.ID, ""
	found, err := t.one(ctx, []any{&seq}, insertReport, reportValues(r)...)
	if err != nil || !found {
		return 0, firstOf(err, meanwhile)
	}
	if r.Kind == jobs.ReportReconcile { // nothing is held back any more
		if _, err := t.resolve(ctx, jobs.LockedKey(r.Carrier, r.Period), r.Published); err != nil {
			return 0, err
		}
	}
	_, err = t.exec(ctx, "UPDATE reports SET superseded_by = $1 WHERE id = $2", r.ID, newest.ID)
	return seq, err
}

// Report implements jobs.Reports.
func (s *Store) Report(ctx context.Context, id string) (r jobs.Report, err error) {
	err = s.read(ctx, "read a report", func(t tx) (err error) {
		if r, err = t.report(ctx, "WHERE id = $1", text(id)); err == nil {
			err = missing(r.ID != "", jobs.ErrNoReport, id)
		}
		return err
	})
	return r, err
}

// Reports implements jobs.Reports.
func (s *Store) Reports(ctx context.Context, f jobs.ReportFilter) (list []jobs.Report, err error) {
	w := reportsWhere(f)
	err = s.read(ctx, "list reports", func(t tx) error {
		if f.Before != "" {
			var seq int64
			found, err := t.one(ctx, []any{&seq}, "SELECT seq FROM reports WHERE id = $1", text(f.Before))
			if err != nil || !found {
				return errors.Join(err, missing(found || err != nil, jobs.ErrNoReport, f.Before))
			}
			w.add("seq < ?", seq)
		}
		// The rows are wide: those of the page are read after it was chosen.
		list, err = t.reports(ctx, "WHERE seq IN (SELECT seq FROM reports"+w.text()+" ORDER BY seq DESC"+w.limit(f.Limit)+") ORDER BY seq DESC", w.args...)
		return err
	})
	return list, err
}

func reportsWhere(f jobs.ReportFilter) (w where) {
	w.equal("kind", f.Kind)
	w.equal("carrier", f.Carrier)
	w.equal("job", f.Job)
	w.equal("verdict", f.Verdict)
	w.period(f.Period, f.From, f.To)
	if f.Pending {
		w.add("pending > 0")
	}
	if f.Newest {
		w.add("superseded_by = ''")
	}
	if f.File != "" {
		w.add("run IN (SELECT run FROM run_inputs WHERE file = ? UNION SELECT run FROM run_inputs WHERE sha256 = ?)", text(f.File), text(f.File))
	}
	return w
}

// report returns the first report, or one without an ID.
func (t tx) report(ctx context.Context, rest string, args ...any) (jobs.Report, error) {
	list, err := t.reports(ctx, rest, args...)
	if err != nil || len(list) == 0 {
		return jobs.Report{}, err
	}
	return list[0], nil
}

func (t tx) reports(ctx context.Context, rest string, args ...any) (list []jobs.Report, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var r jobs.Report
		err := scanReport(&r, scan)
		list = append(list, r)
		return err
	}, selectReport+rest, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

func reportValues(r *jobs.Report) []any {
	f, c := &r.Figures, &r.Changes
	return []any{
		r.ID, text(r.Carrier), edge(r.Period.From), edge(r.Period.To), text(r.Period.Text), r.Version, text(r.Job), r.Run, r.Supersedes, r.SupersededBy,
		text(r.Folder), r.Basis, r.Manifest, edge(r.AsOf), edge(r.Published), text(f.Verdict), f.Microsoft.Records, f.Microsoft.DurationMS,
		f.Carrier.Records, f.Carrier.DurationMS, f.DifferencePPM, f.Discrepancies, f.Pending, c.Opened, c.Changed, c.Closed, r.Kind,
	}
}

func scanReport(r *jobs.Report, scan func(...any) error) error {
	f, c := &r.Figures, &r.Changes
	return scan(
		&r.ID, &r.Carrier, moment{&r.Period.From}, moment{&r.Period.To}, &r.Period.Text, &r.Version, &r.Job, &r.Run, &r.Supersedes, &r.SupersededBy,
		&r.Folder, &r.Basis, &r.Manifest, moment{&r.AsOf}, moment{&r.Published}, &f.Verdict, &f.Microsoft.Records, &f.Microsoft.DurationMS,
		&f.Carrier.Records, &f.Carrier.DurationMS, &f.DifferencePPM, &f.Discrepancies, &f.Pending, &c.Opened, &c.Changed, &c.Closed, &r.Kind, &r.Purged, &r.CasesPurged,
	)
}
