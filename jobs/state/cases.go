package state

import (
	"context"
	"slices"

	"concord/jobs"
)

// caseWidth is how many columns a case's event has, and casesAtOnce how many
// events go into one statement: SQLite takes longer for a parameter, the more
// there are.
const (
	caseWidth   = 8
	casesAtOnce = 50
)

// putCases records what became of cases in a version. What all of them share
// is kept with the report; the carrier also here, to find them by.
func (t tx) putCases(ctx context.Context, report int64, carrier string, events []jobs.CaseEvent) error {
	args := make([]any, 0, min(len(events), casesAtOnce)*caseWidth)
	for chunk := range slices.Chunk(events, casesAtOnce) {
		args = args[:0]
		for i := range chunk {
			e := &chunk[i]
			args = append(args, report, carrier, text(e.CaseID), text(e.Event), text(e.Class), text(e.Before), e.DiffMS, e.BeforeMS)
		}
		if _, err := t.exec(ctx, "INSERT INTO cases (report, carrier, case_id, event, class, before, diff_ms, before_ms) VALUES "+
			tuples(len(chunk), caseWidth), args...); err != nil {
			return err
		}
	}
	return nil
}

// Cases implements jobs.Reports.
func (s *Store) Cases(ctx context.Context, f jobs.CaseFilter) (list []jobs.CaseEvent, err error) {
	var w where
	w.add("c.report = r.seq")
	w.equal("c.carrier", f.Carrier)
	w.equal("c.case_id", f.CaseID)
	w.equal("c.event", f.Event)
	if f.Report != "" {
		w.add("c.report = (SELECT seq FROM reports WHERE id = ?)", text(f.Report))
	}
	if f.After != "" {
		w.add("c.case_id > ?", text(f.After))
	}
	err = s.read(ctx, "list what became of cases", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var e jobs.CaseEvent
			err := scan(&e.Carrier, moment{&e.Period.From}, moment{&e.Period.To}, &e.Period.Text, &e.Report, &e.Version,
				&e.CaseID, &e.Event, &e.Class, &e.Before, &e.DiffMS, &e.BeforeMS)
			list = append(list, e)
			return err
		}, "SELECT r.carrier, r.period_from, r.period_to, r.period, r.id, r.version, c.case_id, c.event, c.class, c.before, c.diff_ms, c.before_ms "+
			// SQLite goes through the tables in this order.
			"FROM cases c CROSS JOIN reports r"+w.text()+" ORDER BY c.report DESC, c.case_id"+w.limit(f.Limit), w.args...)
	})
	return list, err
}
