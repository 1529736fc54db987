package state

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"concord/jobs"

	"github.com/google/uuid"
)

// newsAtOnce is how many cases are looked at and written in one statement.
const newsAtOnce = 50

// registerWidth is how many columns a case has in the register.
const registerWidth = 15

const registerColumns = "period, case_id, class, start, microsoft_ms, carrier_ms, diff_ms, present, since, state, was, owner, revision, changed, action"

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

// versionsSince returns the versions of a period that came after the one that is
// registered, up to the newest; first: none is, and the newest is enough.
func (t tx) versionsSince(ctx context.Context, newest *jobs.Report) (list []jobs.Report, first bool, err error) {
	var version int
	p := newest.Period
	found, err := t.one(ctx, []any{&version}, "SELECT version FROM case_periods WHERE carrier = $1 AND period_from = $2 AND period_to = $3", text(newest.Carrier), edge(p.From), edge(p.To))
	if err != nil || !found {
		return []jobs.Report{*newest}, true, err
	}
	list, err = t.reports(ctx, "WHERE carrier = $1 AND kind = $2 AND period_from = $3 AND period_to = $4 AND version > $5 ORDER BY version",
		text(newest.Carrier), jobs.ReportReconcile, edge(p.From), edge(p.To), version)
	return list, false, err
}

// Register implements jobs.CaseBook.
func (s *Store) Register(ctx context.Context, r jobs.Report, whole bool, news func() iter.Seq2[jobs.CaseNews, error], now time.Time) error {
	var broken error // of the news: no trouble of the database
	err := s.write(ctx, "take over what a version says of cases", func(t tx) error {
		broken = nil
		g, err := t.enter(ctx, r, whole, now)
		if err != nil || g == nil {
			return err
		}
		chunk := make([]jobs.CaseNews, 0, newsAtOnce)
		for n, err := range news() {
			if broken = err; err != nil {
				return err
			}
			if chunk = append(chunk, n); len(chunk) == newsAtOnce {
				if err := g.take(ctx, chunk); err != nil {
					return err
				}
				chunk = chunk[:0]
			}
		}
		if err := g.take(ctx, chunk); err != nil {
			return err
		}
		return g.close(ctx, whole)
	})
	return firstOf(broken, err)
}

// registering is one version on its way into the register.
type registering struct {
	tx
	report jobs.Report
	period int64 // seq
	fresh  bool  // nothing is known of the period
	since  time.Time
	now    time.Time
	action int64 // seq of that of the version; 0: there is none yet
	sums   jobs.CaseSums
}

// enter finds the period of a version, or makes it; nil: the version is
// registered, or Unregistered has another answer for it by now.
func (t tx) enter(ctx context.Context, r jobs.Report, whole bool, now time.Time) (*registering, error) {
	g := &registering{tx: t, report: r, since: r.Published, now: micro(now)}
	var err error
	if g.fresh, err = t.one(ctx, []any{&g.period}, "INSERT INTO case_periods (carrier, period_from, period_to, period, report, version) VALUES "+tuples(1, 6)+
		" ON CONFLICT DO NOTHING RETURNING seq", text(r.Carrier), edge(r.Period.From), edge(r.Period.To), text(r.Period.Text), r.ID, r.Version); err != nil {
		return nil, err
	}
	var version int
	if _, err := t.one(ctx, []any{&g.period, &version}, "SELECT seq, version FROM case_periods WHERE carrier = $1 AND period_from = $2 AND period_to = $3"+t.d.lockRow,
		text(r.Carrier), edge(r.Period.From), edge(r.Period.To)); err != nil {
		return nil, err
	}
	switch {
	case g.fresh && !whole:
		return nil, fmt.Errorf("version %d of %s of %s: nothing is known of the cases before", r.Version, r.Period.Text, r.Carrier)
	case !g.fresh && version >= r.Version:
		return nil, nil
	case !g.fresh && whole: // somebody has begun the period meanwhile: what became of its cases is to be read, and not all of them
		return nil, nil
	case !g.fresh && version != r.Version-1:
		return nil, fmt.Errorf("version %d of %s of %s: what became of cases is known up to version %d only", r.Version, r.Period.Text, r.Carrier, version)
	}
	if whole { // what has been so since the first version
		_, err = t.one(ctx, []any{moment{&g.since}}, "SELECT published FROM reports WHERE carrier = $1 AND kind = $2 AND period_from = $3 AND period_to = $4 ORDER BY version LIMIT 1",
			text(r.Carrier), jobs.ReportReconcile, edge(r.Period.From), edge(r.Period.To))
	}
	return g, err
}

// registered is a case in the register, with what only the register knows.
type registered struct {
	jobs.Case
	was    jobs.CaseState
	action int64
}

func (c *registered) fields() []any {
	return []any{&c.CaseID, &c.Class, moment{&c.Start}, &c.MicrosoftMS, &c.CarrierMS, &c.DiffMS, &c.Present, moment{&c.Since},
		(*string)(&c.State), (*string)(&c.was), &c.Owner, &c.Revision, moment{&c.Changed}, &c.action}
}

func (c *registered) values(period int64) []any {
	return []any{period, text(c.CaseID), text(c.Class), c.Start, c.MicrosoftMS, c.CarrierMS, c.DiffMS, c.Present, edge(c.Since),
		string(c.State), string(c.was), text(c.Owner), c.Revision, c.Changed, c.action}
}

// take writes what became of some cases.
func (g *registering) take(ctx context.Context, chunk []jobs.CaseNews) error {
	known, err := g.known(ctx, chunk)
	if err != nil {
		return err
	}
	var put []registered
	var gone, trail []any
	for i := range chunk {
		c, ok := known[chunk[i].CaseID]
		if !ok && chunk[i].Event == "closed" {
			continue
		}
		before := c.State
		if c = g.follow(c, ok, &chunk[i]); !c.Present && c.action == 0 && c.Owner == "" { // nobody has ever worked on it
			gone = append(gone, text(c.CaseID))
			continue
		}
		if ok && before != c.State {
			if err := g.act(ctx); err != nil {
				return err
			}
			c.was, c.Changed, c.action = before, g.now, g.action
			trail = append(trail, g.period, text(c.CaseID), g.action, string(before), string(c.State))
			g.sums.Add(&c.CaseFacts)
		}
		put = append(put, c)
	}
	if err := g.put(ctx, put); err != nil {
		return err
	}
	if err := g.note(ctx, trail); err != nil {
		return err
	}
	return g.forget(ctx, gone)
}

// follow is a case after the news.
func (g *registering) follow(c registered, known bool, n *jobs.CaseNews) registered {
	if known {
		c.Case = c.Follow(n, g.report.Published)
		return c
	}
	c.Case = jobs.Case{CaseFacts: n.CaseFacts, Present: true, Since: g.since, State: jobs.CaseOpen, Revision: 1}
	return c
}

// known returns those of some cases that are in the register, and keeps others
// from them.
func (g *registering) known(ctx context.Context, chunk []jobs.CaseNews) (map[string]registered, error) {
	if g.fresh || len(chunk) == 0 {
		return nil, nil
	}
	known := map[string]registered{}
	var w where
	w.add("period = ?", g.period)
	ids := make([]string, len(chunk))
	for i := range chunk {
		ids[i] = chunk[i].CaseID
	}
	w.among("case_id", ids)
	return known, g.query(ctx, func(scan func(...any) error) error {
		var c registered
		err := scan(c.fields()...)
		known[c.CaseID] = c
		return err
	}, "SELECT "+registerColumns[len("period, "):]+" FROM case_register"+w.text()+" ORDER BY case_id"+g.d.lockRow, w.args...)
}

// note records which states the version has changed.
func (g *registering) note(ctx context.Context, trail []any) error {
	if len(trail) == 0 {
		return nil
	}
	_, err := g.exec(ctx, "INSERT INTO case_trail (period, case_id, action, before, after) VALUES "+tuples(len(trail)/5, 5), trail...)
	return err
}

// act begins the action of the version.
func (g *registering) act(ctx context.Context) error {
	if g.action != 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = g.one(ctx, []any{&g.action}, "INSERT INTO case_actions (id, done_by, done, request, comment, version, matched, cases, microsoft_ms, carrier_ms, diff_ms) "+
		"VALUES ($1, '', $2, $3, '', $4, 0, 0, 0, 0, 0) RETURNING seq", id.String(), edge(g.now), g.report.ID, g.report.Version)
	return err
}

func (g *registering) put(ctx context.Context, list []registered) error {
	if len(list) == 0 {
		return nil
	}
	args := make([]any, 0, len(list)*registerWidth)
	for i := range list {
		args = append(args, list[i].values(g.period)...)
	}
	_, err := g.exec(ctx, "INSERT INTO case_register ("+registerColumns+") VALUES "+tuples(len(list), registerWidth)+
		" ON CONFLICT (period, case_id) DO UPDATE SET class = excluded.class, start = excluded.start, microsoft_ms = excluded.microsoft_ms, carrier_ms = excluded.carrier_ms, "+
		"diff_ms = excluded.diff_ms, present = excluded.present, since = excluded.since, state = excluded.state, was = excluded.was, revision = excluded.revision, "+
		"changed = excluded.changed, action = excluded.action", args...)
	return err
}

func (g *registering) forget(ctx context.Context, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	var w where
	w.add("period = ?", g.period)
	w.add("case_id IN "+marks(len(ids)), ids...)
	_, err := g.exec(ctx, "DELETE FROM case_register"+w.text(), w.args...)
	return err
}

// close notes that the version is registered.
func (g *registering) close(ctx context.Context, whole bool) error {
	if whole { // cases that a later version has opened are younger than the first one
		if _, err := g.exec(ctx, "UPDATE case_register SET since = (SELECT max(r.published) FROM cases c JOIN reports r ON r.seq = c.report WHERE c.case_id = case_register.case_id "+
			"AND c.event = 'opened' AND r.carrier = $1 AND r.period_from = $2 AND r.period_to = $3) WHERE period = $4 AND case_id IN "+
			"(SELECT c.case_id FROM cases c JOIN reports r ON r.seq = c.report WHERE c.event = 'opened' AND r.carrier = $1 AND r.period_from = $2 AND r.period_to = $3)",
			text(g.report.Carrier), edge(g.report.Period.From), edge(g.report.Period.To), g.period); err != nil {
			return err
		}
	}
	if g.action != 0 {
		if _, err := g.exec(ctx, "UPDATE case_actions SET matched = $1, cases = $1, microsoft_ms = $2, carrier_ms = $3, diff_ms = $4 WHERE seq = $5",
			g.sums.Cases, g.sums.MicrosoftMS, g.sums.CarrierMS, g.sums.DifferenceMS, g.action); err != nil {
			return err
		}
	}
	_, err := g.exec(ctx, "UPDATE case_periods SET report = $1, version = $2, period = $3 WHERE seq = $4", g.report.ID, g.report.Version, text(g.report.Period.Text), g.period)
	return err
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
		"AND seq IN (SELECT period FROM case_register WHERE state = 'disputed' AND state <> 'open') ORDER BY seq", text(carrier))
	return list, err
}

// forgetCases removes the cases of a version that is purged, if no later one has
// them.
func (t tx) forgetCases(ctx context.Context, report string) error {
	const of = "(SELECT seq FROM case_periods WHERE report = $1)"
	const done = "SELECT action FROM case_trail WHERE period %s UNION SELECT action FROM case_register WHERE period %s"
	only := strings.ReplaceAll(done, "%s", "IN "+of)
	others := strings.ReplaceAll(done, "%s", "NOT IN "+of)
	for _, statement := range []string{
		"DELETE FROM case_actions WHERE seq IN (" + only + ") AND seq NOT IN (" + others + ")",
		"DELETE FROM case_trail WHERE period IN " + of, "DELETE FROM case_register WHERE period IN " + of, "DELETE FROM case_periods WHERE report = $1",
	} {
		if _, err := t.exec(ctx, statement, report); err != nil {
			return err
		}
	}
	return nil
}

// RenameCases implements jobs.CaseBook.
func (s *Store) RenameCases(ctx context.Context, carrier string, p jobs.Period, ids map[string]string) error {
	return s.write(ctx, "give cases other ids", func(t tx) error {
		var period int64
		found, err := t.one(ctx, []any{&period}, "SELECT seq FROM case_periods WHERE carrier = $1 AND period_from = $2 AND period_to = $3"+t.d.lockRow,
			text(carrier), edge(p.From), edge(p.To))
		if err != nil || !found {
			return err
		}
		for from, to := range ids {
			for _, table := range []string{"case_register", "case_trail"} {
				if _, err := t.exec(ctx, "UPDATE "+table+" SET case_id = $1 WHERE period = $2 AND case_id = $3", text(to), period, text(from)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
