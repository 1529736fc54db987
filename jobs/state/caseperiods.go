package state

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"concord/jobs"
)

// Unregistered implements jobs.CaseBook.
func (s *Store) Unregistered(ctx context.Context, carrier string) (list []jobs.Report, whole []bool, err error) {
	err = s.read(ctx, "look for versions with news of cases", func(t tx) error {
		list, whole = nil, nil
		var w where
		w.add("superseded_by = ''")
		w.add("kind = ?", jobs.ReportReconcile)
		w.add("purged = 0 AND cases_purged = 0")
		w.equal("carrier", carrier)
		newest, err := t.reports(ctx, w.text()+" AND NOT EXISTS (SELECT 1 FROM case_periods p WHERE p.carrier = reports.carrier AND p.period_from = reports.period_from "+
			"AND p.period_to = reports.period_to AND p.version = reports.version) ORDER BY seq", w.args...)
		for i := 0; err == nil && i < len(newest); i++ {
			var since []jobs.Report
			var first bool
			since, first, err = t.versionsSince(ctx, &newest[i])
			for range since {
				whole = append(whole, first)
			}
			list = append(list, since...)
		}
		return err
	})
	return list, whole, err
}

// settled fails as long as an erasure makes a version again: its cases may have
// other ids than its files say.
func (t tx) settled(ctx context.Context, r *jobs.Report) error {
	var n int
	_, err := t.one(ctx, []any{&n}, "SELECT count(*) FROM erased_reports WHERE report = $1 AND NOT settled", r.ID)
	if err == nil && n > 0 {
		err = fmt.Errorf("version %d of %s of %s: an erasure is making it again; its cases are taken over after that", r.Version, r.Period.Text, r.Carrier)
	}
	return err
}

// beginAgain has what is being taken over of a period be begun again.
func (t tx) beginAgain(ctx context.Context, carrier string, p jobs.Period) (period int64, found bool, err error) {
	found, err = t.one(ctx, []any{&period}, "UPDATE case_periods SET taking = '', taken = 0 WHERE carrier = $1 AND period_from = $2 AND period_to = $3 RETURNING seq",
		text(carrier), edge(p.From), edge(p.To))
	return period, found, err
}

// versionsSince returns the versions of a period that came after the one that is
// registered, up to the newest; first: none is, and the newest is enough.
func (t tx) versionsSince(ctx context.Context, newest *jobs.Report) (list []jobs.Report, first bool, err error) {
	var version int
	p := newest.Period
	found, err := t.one(ctx, []any{&version}, "SELECT version FROM case_periods WHERE carrier = $1 AND period_from = $2 AND period_to = $3", text(newest.Carrier), edge(p.From), edge(p.To))
	if err != nil || !found || version == 0 {
		return []jobs.Report{*newest}, true, err
	}
	list, err = t.reports(ctx, "WHERE carrier = $1 AND kind = $2 AND period_from = $3 AND period_to = $4 AND version > $5 ORDER BY version",
		text(newest.Carrier), jobs.ReportReconcile, edge(p.From), edge(p.To), version)
	return list, false, err
}

// disputed are the periods with cases that are disputed, as holds: as long as one
// is, what it is about is kept.
func (t tx) disputed(ctx context.Context, carrier string) (list []jobs.Hold, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		h := jobs.Hold{Why: "cases are disputed"}
		err := scan(&h.ID, &h.Carrier, moment{&h.Period.From}, moment{&h.Period.To}, &h.Period.Text)
		h.ID = "disputed cases of report " + h.ID
		list = append(list, h)
		return err
	}, "SELECT report, carrier, period_from, period_to, period FROM case_periods WHERE (carrier = $1 OR $1 = '') "+
		"AND seq IN (SELECT period FROM case_groups WHERE state = 'disputed') ORDER BY seq", text(carrier))
	return list, err
}

// forgetCases removes the cases of a version that is purged, if no later one has
// them.
func (t tx) forgetCases(ctx context.Context, report string) error {
	const (
		of     = "(SELECT seq FROM case_periods WHERE report = $1)"
		groups = "(SELECT seq FROM case_groups WHERE period IN " + of + ")"
		others = "(SELECT seq FROM case_groups WHERE period NOT IN " + of + ")"
		only   = "SELECT action FROM case_trail WHERE period IN " + of + " UNION SELECT action FROM case_group_trail WHERE of_group IN " + groups
		rest   = "SELECT action FROM case_trail WHERE period NOT IN " + of + " UNION SELECT action FROM case_group_trail WHERE of_group IN " + others
	)
	for _, statement := range []string{
		"DELETE FROM case_actions WHERE seq IN (" + only + ") AND seq NOT IN (" + rest + ")",
		"DELETE FROM case_trail WHERE period IN " + of, "DELETE FROM case_group_trail WHERE of_group IN " + groups,
		"DELETE FROM case_register WHERE in_group IN " + groups, "DELETE FROM case_groups WHERE period IN " + of, "DELETE FROM case_periods WHERE report = $1",
	} {
		if _, err := t.exec(ctx, statement, report); err != nil {
			return err
		}
	}
	return nil
}

// RenameCases implements jobs.CaseBook. What is being taken over meanwhile has the
// ids of before, and is begun again.
func (s *Store) RenameCases(ctx context.Context, carrier string, p jobs.Period, ids map[string]string) error {
	return s.write(ctx, "give cases other ids", func(t tx) error {
		period, found, err := t.beginAgain(ctx, carrier, p)
		if err != nil || !found {
			return err
		}
		for _, from := range slices.Sorted(maps.Keys(ids)) {
			for _, table := range []string{"case_register", "case_trail"} {
				if _, err := t.exec(ctx, "UPDATE "+table+" SET case_id = $1 WHERE period = $2 AND case_id = $3", text(ids[from]), period, text(from)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
