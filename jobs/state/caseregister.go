package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"concord/jobs"

	"github.com/google/uuid"
)

// newsAtOnce is how many cases are taken over in one step. Where only one may
// write at a time, others get their turn between two.
const newsAtOnce = 5000

// errMoved says that somebody else has gone on with what is being taken over, or
// has had it begun again.
var errMoved = errors.New("another program takes the version over")

// Register implements jobs.CaseBook. Within a program one takes over after the
// other; several programs go on where another one stands.
func (s *Store) Register(ctx context.Context, r jobs.Report, whole bool, news func() iter.Seq2[jobs.CaseNews, error], now time.Time) error {
	select {
	case s.taking <- struct{}{}:
		defer func() { <-s.taking }()
	case <-ctx.Done():
		return s.trouble(takeOver, ctx.Err())
	}
	for {
		g := &registering{report: r, whole: whole, now: micro(now)}
		if err := s.register(ctx, g, news); !errors.Is(err, errMoved) {
			return err
		}
	}
}

const takeOver = "take over what a version says of cases"

// register takes a version over: in one transaction where others can write
// beside it, else in one for each step.
func (s *Store) register(ctx context.Context, g *registering, news func() iter.Seq2[jobs.CaseNews, error]) error {
	if s.d.oneWriter {
		return g.run(ctx, news, func(do func(tx) error) error { return s.write(ctx, takeOver, do) })
	}
	var broken error // of the news: no trouble of the database
	err := s.write(ctx, takeOver, func(t tx) error {
		again := *g
		err := again.run(ctx, news, func(do func(tx) error) error { return do(t) })
		broken = again.broken
		return err
	})
	return firstOf(broken, err)
}

// registering is one version on its way into the register.
type registering struct {
	report jobs.Report
	whole  bool
	now    time.Time
	period int64 // seq
	first  bool  // nothing is known of the period
	since  time.Time
	taken  int64 // how many news are
	broken error // of the news
}

// run takes the news over, beginning with those that are not yet.
func (g *registering) run(ctx context.Context, news func() iter.Seq2[jobs.CaseNews, error], step func(func(tx) error) error) error {
	for begun := false; !begun; {
		known := false
		if err := step(func(t tx) (err error) {
			begun, known, err = g.begin(ctx, t)
			return err
		}); err != nil || known {
			return err
		}
	}
	next, stop := iter.Pull2(news())
	defer stop()
	for range g.taken {
		if _, err, _ := next(); err != nil {
			g.broken = err
			return err
		}
	}
	for chunk := make([]jobs.CaseNews, 0, newsAtOnce); ; chunk = chunk[:0] {
		for len(chunk) < newsAtOnce {
			n, err, ok := next()
			if err != nil {
				g.broken = err
				return err
			}
			if !ok {
				break
			}
			chunk = append(chunk, n)
		}
		if err := step(func(t tx) error { return g.take(ctx, t, chunk) }); err != nil {
			return err
		}
		if g.taken += int64(len(chunk)); len(chunk) < newsAtOnce {
			return nil
		}
	}
}

// standing is how far a period is known.
type standing struct {
	version int    // 0: nothing is to be seen of it
	taking  string // id of the version that is being taken over
	taken   int64
	action  int64 // seq of that of the version; 0: there is none yet
}

// stands returns how far the period is known, and keeps others from it.
func (g *registering) stands(ctx context.Context, t tx) (x standing, err error) {
	p := g.report.Period
	_, err = t.one(ctx, []any{&g.period, &x.version, &x.taking, &x.taken, &x.action}, "SELECT seq, version, taking, taken, action FROM case_periods "+
		"WHERE carrier = $1 AND period_from = $2 AND period_to = $3"+t.d.lockRow, text(g.report.Carrier), edge(p.From), edge(p.To))
	return x, err
}

// begin finds the period of a version, or makes it, and where to go on; known:
// the version is registered. What was taken over of another first version is
// removed, step by step.
func (g *registering) begin(ctx context.Context, t tx) (begun, known bool, err error) {
	r := &g.report
	if _, err := t.exec(ctx, "INSERT INTO case_periods (carrier, period_from, period_to, period, report, version) VALUES "+tuples(1, 6)+" ON CONFLICT DO NOTHING",
		text(r.Carrier), edge(r.Period.From), edge(r.Period.To), text(r.Period.Text), r.ID, 0); err != nil {
		return false, false, err
	}
	x, err := g.stands(ctx, t)
	g.first, g.since, g.taken = x.version == 0, r.Published, x.taken
	switch {
	case err != nil:
		return false, false, err
	case x.version >= r.Version:
		return true, true, nil
	case g.first && !g.whole:
		return false, false, fmt.Errorf("version %d of %s of %s: nothing is known of the cases before", r.Version, r.Period.Text, r.Carrier)
	case !g.first && g.whole: // what became of its cases is to be read, and not all of them
		return true, true, nil
	case !g.first && x.version != r.Version-1:
		return false, false, fmt.Errorf("version %d of %s of %s: what became of cases is known up to version %d only", r.Version, r.Period.Text, r.Carrier, x.version)
	}
	if g.first { // what has been so since the first version
		if _, err := t.one(ctx, []any{moment{&g.since}}, "SELECT published FROM reports WHERE carrier = $1 AND kind = $2 AND period_from = $3 AND period_to = $4 ORDER BY version LIMIT 1",
			text(r.Carrier), jobs.ReportReconcile, edge(r.Period.From), edge(r.Period.To)); err != nil {
			return false, false, err
		}
	}
	if err := t.settled(ctx, r); err != nil || x.taking == r.ID {
		return true, false, err
	}
	begun, err = g.anew(ctx, t)
	return begun, false, err
}

// anew has the version be taken over from its beginning; false: there was more to
// remove than in one step.
func (g *registering) anew(ctx context.Context, t tx) (begun bool, err error) {
	report := ""
	if g.first {
		n, err := t.exec(ctx, "DELETE FROM case_register WHERE (case_id, period) IN (SELECT case_id, period FROM case_register "+
			"WHERE in_group IN (SELECT seq FROM case_groups WHERE period = $1) LIMIT $2)", g.period, newsAtOnce)
		if err != nil || n == newsAtOnce {
			return false, err
		}
		if _, err := t.exec(ctx, "DELETE FROM case_groups WHERE period = $1", g.period); err != nil {
			return false, err
		}
		report = g.report.ID
	}
	g.taken = 0
	_, err = t.exec(ctx, "UPDATE case_periods SET taking = $1, taken = 0, action = 0, report = CASE WHEN $2 = '' THEN report ELSE $2 END WHERE seq = $3", g.report.ID, report, g.period)
	return true, err
}

// take writes what became of some cases, and how far the version is known with
// that. Fewer than could be are the last ones.
func (g *registering) take(ctx context.Context, t tx, news []jobs.CaseNews) error {
	x, err := g.stands(ctx, t)
	if err != nil {
		return err
	}
	if x.taking != g.report.ID || x.taken != g.taken {
		return errMoved
	}
	all, err := t.groupsOf(ctx, g.period)
	if err != nil {
		return err
	}
	s := &taking{registering: g, groups: all, action: x.action}
	for chunk := range slices.Chunk(news, rowsAtOnce) {
		if err := s.take(ctx, chunk); err != nil {
			return err
		}
	}
	if err := s.save(ctx); err != nil {
		return err
	}
	if err := s.addUp(ctx); err != nil {
		return err
	}
	if len(news) == newsAtOnce {
		_, err = t.exec(ctx, "UPDATE case_periods SET taken = taken + $1, action = $2 WHERE seq = $3", len(news), s.action, g.period)
		return err
	}
	_, err = t.exec(ctx, "UPDATE case_periods SET report = $1, version = $2, period = $3, taking = '', taken = 0, action = 0 WHERE seq = $4",
		g.report.ID, g.report.Version, text(g.report.Period.Text), g.period)
	return err
}

// taking is one step of a registering.
type taking struct {
	*registering
	*groups
	action int64 // seq of that of the version; 0: there is none yet
	sums   jobs.CaseSums
}

// take writes what became of some cases.
func (s *taking) take(ctx context.Context, news []jobs.CaseNews) error {
	known, err := s.known(ctx, news)
	if err != nil {
		return err
	}
	opened, err := s.opened(ctx, news)
	if err != nil {
		return err
	}
	for i := range news {
		n := &news[i]
		c, ok := known[n.CaseID]
		if !ok && n.Event == "closed" {
			continue
		}
		if !ok {
			c = &registered{period: s.period}
			c.CaseFacts = n.CaseFacts
			next := jobs.Case{CaseFacts: n.CaseFacts, Present: true, Since: s.since, State: jobs.CaseOpen, Revision: 1}
			if at, later := opened[n.CaseID]; later {
				next.Since = at
			}
			if err := s.move(ctx, c, &next); err != nil {
				return err
			}
			continue
		}
		if err := s.follow(ctx, c, n); err != nil {
			return err
		}
	}
	return s.write(ctx)
}

// follow notes what a case of the register has become.
func (s *taking) follow(ctx context.Context, c *registered, n *jobs.CaseNews) error {
	next := c.Follow(n, s.report.Published)
	if !next.Present && !c.Worked && next.Owner == "" { // nobody has ever worked on it
		s.forget(c)
		return nil
	}
	if c.State != next.State {
		if err := s.act(ctx); err != nil {
			return err
		}
		next.Changed = s.now
		s.tell(c, s.action, next.State)
		s.sums.Add(&next.CaseFacts)
	}
	return s.move(ctx, c, &next)
}

// known returns those of some cases that are in the register.
func (s *taking) known(ctx context.Context, news []jobs.CaseNews) (map[string]*registered, error) {
	if s.first || len(news) == 0 {
		return nil, nil
	}
	known := map[string]*registered{}
	var w where
	w.add("r.period = ?", s.period)
	w.among("r.case_id", idsOf(news))
	return known, s.query(ctx, func(scan func(...any) error) error {
		c := &registered{}
		err := c.scan(scan, func(seq int64) *group { return s.bySeq[seq] })
		known[c.CaseID] = c
		return err
	}, "SELECT "+rowColumns+" FROM case_register r"+w.text(), w.args...)
}

// opened returns when cases of a version, before which nothing is known, were
// opened by a version after the first one: these are younger.
func (s *taking) opened(ctx context.Context, news []jobs.CaseNews) (map[string]time.Time, error) {
	if !s.first || s.report.Version == 1 || len(news) == 0 {
		return nil, nil
	}
	opened := map[string]time.Time{}
	p := s.report.Period
	var w where
	w.add("c.event = 'opened'")
	w.add("r.carrier = ?", text(s.report.Carrier))
	w.add("r.period_from = ?", edge(p.From))
	w.add("r.period_to = ?", edge(p.To))
	w.among("c.case_id", idsOf(news))
	return opened, s.query(ctx, func(scan func(...any) error) error {
		var id string
		var at time.Time
		err := scan(&id, moment{&at})
		opened[id] = at
		return err
	}, "SELECT c.case_id, max(r.published) FROM cases c JOIN reports r ON r.seq = c.report"+w.text()+" GROUP BY c.case_id", w.args...)
}

func idsOf(news []jobs.CaseNews) []string {
	ids := make([]string, len(news))
	for i := range news {
		ids[i] = news[i].CaseID
	}
	return ids
}

// act begins the action of the version.
func (s *taking) act(ctx context.Context) error {
	if s.action != 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = s.one(ctx, []any{&s.action}, "INSERT INTO case_actions (id, done_by, done, request, comment, version, matched, cases, microsoft_ms, carrier_ms, diff_ms) "+
		"VALUES ($1, '', $2, $3, '', $4, 0, 0, 0, 0, 0) RETURNING seq", id.String(), edge(s.now), s.report.ID, s.report.Version)
	return err
}

// addUp adds to the action what it has done in this step.
func (s *taking) addUp(ctx context.Context) error {
	if s.sums.Cases == 0 {
		return nil
	}
	x := &s.sums
	_, err := s.exec(ctx, "UPDATE case_actions SET matched = matched + $1, cases = cases + $1, microsoft_ms = microsoft_ms + $2, carrier_ms = carrier_ms + $3, diff_ms = diff_ms + $4 WHERE seq = $5",
		x.Cases, x.MicrosoftMS, x.CarrierMS, x.DifferenceMS, s.action)
	return err
}
