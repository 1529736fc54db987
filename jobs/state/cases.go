package state

import (
	"context"
	"slices"

	"concord/jobs"
)

// caseWidth is how many columns a case's event has, and casesAtOnce how many
// events go into one statement.
const (
	caseWidth   = 7
	casesAtOnce = 200
)

// putCases records what became of cases in a version. What all of them share
// is kept with the report.
func (t tx) putCases(ctx context.Context, report int64, events []jobs.CaseEvent) error {
	args := make([]any, 0, min(len(events), casesAtOnce)*caseWidth)
	for chunk := range slices.Chunk(events, casesAtOnce) {
		args = args[:0]
		for i := range chunk {
			e := &chunk[i]
			args = append(args, report, text(e.CaseID), text(e.Event), text(e.Class), text(e.Before), e.DiffMS, e.BeforeMS)
		}
		if _, err := t.exec(ctx, "INSERT INTO cases (report, case_id, event, class, before, diff_ms, before_ms) VALUES "+
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
	w.equal("r.carrier", f.Carrier)
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
		}, "SELECT r.carrier, r.period_from, r.period_to, r.period, r.id, r.version, c.case_id, c.event, c.class, c.before, c.diff_ms, c.before_ms FROM "+
			casesFrom(f)+w.text()+" ORDER BY r.seq DESC, c.case_id"+w.limit(f.Limit), w.args...)
	})
	return list, err
}

// casesFrom says where to begin: SQLite goes through the tables in the order
// in which they are named, and PostgreSQL finds its own way.
func casesFrom(f jobs.CaseFilter) string {
	if f.Carrier != "" && f.CaseID == "" && f.Report == "" {
		return "reports r CROSS JOIN cases c"
	}
	return "cases c CROSS JOIN reports r"
}
