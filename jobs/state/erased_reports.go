package state

import (
	"context"

	"concord/jobs"
)

// FindNumber implements jobs.Erasures.
func (s *Store) FindNumber(ctx context.Context, digits uint64) (found map[string]int64, err error) {
	err = s.read(ctx, "find a number's assignments", func(t tx) error {
		found = map[string]int64{}
		return t.query(ctx, func(scan func(...any) error) error {
			var carrier string
			var n int64
			err := scan(&carrier, &n)
			found[carrier] = n
			return err
		}, "SELECT carrier, count(*) FROM numbers WHERE digits = $1 GROUP BY carrier", int64(digits))
	})
	return found, err
}

// ReplaceNumber implements jobs.Erasures. Of what is known of the number nothing
// stays but from when to when it was assigned: runs ask for that.
func (s *Store) ReplaceNumber(ctx context.Context, erasure string, digits, by uint64) error {
	return s.write(ctx, "replace a number in its assignments", func(t tx) error {
		var carriers []string
		err := t.query(ctx, func(scan func(...any) error) error {
			var carrier string
			err := scan(&carrier)
			carriers = append(carriers, carrier)
			return err
		}, "SELECT DISTINCT carrier FROM numbers WHERE digits = $1", int64(digits))
		if err != nil {
			return err
		}
		for _, c := range carriers {
			n, err := t.exec(ctx, "UPDATE numbers SET digits = $1, facts = '{}' WHERE carrier = $2 AND digits = $3", int64(by), c, int64(digits))
			if err == nil {
				err = t.noteErased(ctx, erasure, jobs.ErasedItem{Store: "numbers", Item: c, Rows: n})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Deliveries implements jobs.Erasures.
func (s *Store) Deliveries(ctx context.Context, carrier string) (list []jobs.NumbersDelivery, err error) {
	err = s.read(ctx, "list deliveries of numbers", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var d jobs.NumbersDelivery
			err := scan(&d.Carrier, &d.Sequence, &d.Position, &d.Base, moment{&d.AsOf}, &d.Run, moment{&d.Begun}, moment{&d.Ended}, document{&d.Files}, &d.Added, &d.Removed, &d.Changed)
			list = append(list, d)
			return err
		}, "SELECT carrier, sequence, position, base, as_of, run, begun, ended, files, added, removed, changed FROM number_deliveries "+
			"WHERE carrier = $1 ORDER BY sequence", text(carrier))
	})
	return list, err
}

// RemakeDelivery implements jobs.Erasures.
func (s *Store) RemakeDelivery(ctx context.Context, d jobs.NumbersDelivery) error {
	return s.write(ctx, "note the files of a delivery", func(t tx) error {
		_, err := t.exec(ctx, "UPDATE number_deliveries SET files = $1, added = $2, removed = $3, changed = $4 WHERE carrier = $5 AND sequence = $6",
			document{d.Files}, d.Added, d.Removed, d.Changed, text(d.Carrier), d.Sequence)
		return err
	})
}

// ReplaceReport implements jobs.Erasures.
func (s *Store) ReplaceReport(ctx context.Context, erasure string, r jobs.Report, events []jobs.CaseEvent, again bool) error {
	return s.write(ctx, "note that a report is another one", func(t tx) error {
		var seq, purged int64
		found, err := t.one(ctx, []any{&seq, &purged}, "UPDATE reports SET basis = $1, manifest = $2 WHERE id = $3 RETURNING seq, cases_purged", r.Basis, r.Manifest, r.ID)
		if err != nil || !found {
			return firstOf(err, missing(false, jobs.ErrNoReport, r.ID))
		}
		if r.Kind == jobs.ReportReconcile { // who takes its cases over has read files of before
			if _, _, err := t.beginAgain(ctx, r.Carrier, r.Period); err != nil {
				return err
			}
		}
		if _, err := t.exec(ctx, "INSERT INTO erased_reports (report, erasure, settled) VALUES ($1, $2, $3) "+
			"ON CONFLICT (report, erasure) DO UPDATE SET settled = excluded.settled", r.ID, erasure, false); err != nil {
			return err
		}
		// What is recorded of its delivery are files of before.
		if _, err := t.exec(ctx, "UPDATE report_deliveries SET begun = NULL, ended = NULL, files = '[]', manifest = '' WHERE report = $1 AND (ended IS NULL OR $2)",
			r.ID, again); err != nil {
			return err
		}
		if events == nil || purged != 0 { // what was purged stays so
			return nil
		}
		if _, err := t.exec(ctx, "DELETE FROM cases WHERE report = $1", seq); err != nil {
			return err
		}
		return t.putCases(ctx, seq, text(r.Carrier), events)
	})
}

// SettleReport implements jobs.Erasures.
func (s *Store) SettleReport(ctx context.Context, report string) error {
	return s.write(ctx, "note that a report is in its place", func(t tx) error {
		_, err := t.exec(ctx, "UPDATE erased_reports SET settled = $1 WHERE report = $2", true, text(report))
		return err
	})
}

// ReplacedReports implements jobs.Erasures.
func (s *Store) ReplacedReports(ctx context.Context) (list []string, err error) {
	err = s.read(ctx, "list reports on their way", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			list = append(list, id)
			return err
		}, "SELECT DISTINCT report FROM erased_reports WHERE NOT settled ORDER BY report")
	})
	return list, err
}

// ReportErasures implements jobs.Erasures.
func (s *Store) ReportErasures(ctx context.Context, report string) (list []jobs.Erasure, err error) {
	err = s.read(ctx, "list the erasures of a report", func(t tx) (err error) {
		list, err = t.erasures(ctx, "WHERE id IN (SELECT erasure FROM erased_reports WHERE report = $1) ORDER BY id", text(report))
		return err
	})
	return list, err
}
