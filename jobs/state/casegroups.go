package state

import (
	"context"
	"slices"
	"time"

	"concord/jobs"
)

// rowsAtOnce is how many cases are looked at and written in one statement.
const rowsAtOnce = 100

// alike is what the cases of a group have in common.
type alike struct {
	period  int64 // seq
	class   string
	state   jobs.CaseState
	owner   string
	since   int64 // in microseconds
	present bool
}

func alikeOf(period int64, c *jobs.Case) alike {
	return alike{period, text(c.Class), c.State, text(c.Owner), c.Since.UnixMicro(), c.Present}
}

// group is one of the groups of a period, which has at least one case. Several
// may be alike, but cases join the one that was never worked on as a whole.
type group struct {
	seq int64
	alike
	revision int64     // is added to that of each of its cases
	changed  time.Time // when it was worked on as a whole last
	jobs.CaseSums
	touched bool
}

// count adds a case, or takes one away.
func (g *group) count(f *jobs.CaseFacts, n int64) {
	g.Cases += n
	g.MicrosoftMS += n * f.MicrosoftMS
	g.CarrierMS += n * f.CarrierMS
	g.DifferenceMS += n * f.DiffMS
	g.touched = true
}

const groupColumns = "g.seq, g.period, g.class, g.state, g.owner, g.since, g.present, g.revision, g.changed, g.cases, g.microsoft_ms, g.carrier_ms, g.diff_ms"

// fields are where a group is scanned to; since has to go into it afterwards.
func (g *group) fields(since *time.Time) []any {
	return []any{
		&g.seq, &g.period, &g.class, (*string)(&g.state), &g.owner, moment{since}, &g.present, &g.revision, moment{&g.changed},
		&g.Cases, &g.MicrosoftMS, &g.CarrierMS, &g.DifferenceMS,
	}
}

// groups are those of some periods within one transaction, which keeps others
// from these periods.
type groups struct {
	tx
	bySeq map[int64]*group
	open  map[alike]*group // that cases may join
	moves moves
}

// moves are what becomes of cases, before it is written.
type moves struct {
	rows  []any // of the register
	gone  map[int64][]any
	left  map[*group][]any // cases that leave a group with a trail of its own
	trail []any
}

func (t tx) noGroups() *groups {
	return &groups{tx: t, bySeq: map[int64]*group{}, open: map[alike]*group{}}
}

// groupsOf loads the groups of one period.
func (t tx) groupsOf(ctx context.Context, period int64) (*groups, error) {
	s := t.noGroups()
	return s, s.load(ctx, " WHERE g.period = $1", period)
}

func (s *groups) load(ctx context.Context, condition string, args ...any) error {
	return s.query(ctx, func(scan func(...any) error) error {
		g := &group{}
		var since time.Time
		err := scan(g.fields(&since)...)
		g.since = since.UnixMicro()
		s.add(g)
		return err
	}, "SELECT "+groupColumns+" FROM case_groups g"+condition+" ORDER BY g.seq", args...)
}

func (s *groups) add(g *group) {
	s.bySeq[g.seq] = g
	if g.revision == 0 {
		s.open[g.alike] = g
	}
}

// join returns the group for cases that are so.
func (s *groups) join(ctx context.Context, a alike) (*group, error) {
	if g := s.open[a]; g != nil {
		return g, nil
	}
	g := &group{alike: a}
	_, err := s.one(ctx, []any{&g.seq}, "INSERT INTO case_groups (period, class, state, owner, since, present, revision, cases, microsoft_ms, carrier_ms, diff_ms) "+
		"VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0) RETURNING seq", a.period, a.class, string(a.state), a.owner, edge(time.UnixMicro(a.since).UTC()), a.present)
	if err == nil {
		s.add(g)
	}
	return g, err
}

// registered is a case in the register, as it and its group come to.
type registered struct {
	jobs.Case
	period int64
	group  *group // nil: it is not in the register yet
}

const rowColumns = "r.case_id, r.period, r.in_group, r.start, r.microsoft_ms, r.carrier_ms, r.diff_ms, r.revision, r.changed"

// scan reads a row with rowColumns; in finds its group.
func (c *registered) scan(scan func(...any) error, in func(seq int64) *group) error {
	var seq int64
	if err := scan(&c.CaseID, &c.period, &seq, moment{&c.Start}, &c.MicrosoftMS, &c.CarrierMS, &c.DiffMS, &c.Revision, moment{&c.Changed}); err != nil {
		return err
	}
	g := in(seq)
	c.group, c.Class, c.State, c.Owner, c.Present = g, g.class, g.state, g.owner, g.present
	c.Since = time.UnixMicro(g.since).UTC()
	c.Revision += g.revision
	if g.changed.After(c.Changed) {
		c.Changed = g.changed
	}
	c.Worked = !c.Changed.IsZero()
	return nil
}

// move notes what a case has become. It stays in its group as long as it is like
// the others; else it takes along what was done to the group.
func (s *groups) move(ctx context.Context, c *registered, next *jobs.Case) error {
	a, to := alikeOf(c.period, next), c.group
	if to == nil || to.alike != a {
		var err error
		if to, err = s.join(ctx, a); err != nil {
			return err
		}
	}
	if from := c.group; from != nil {
		from.count(&c.CaseFacts, -1)
		if from != to && from.revision > 0 {
			put(&s.moves.left, from, text(c.CaseID))
		}
	}
	to.count(&next.CaseFacts, 1)
	s.moves.rows = append(s.moves.rows, text(next.CaseID), c.period, to.seq, next.Start, next.MicrosoftMS, next.CarrierMS, next.DiffMS, next.Revision-to.revision, next.Changed)
	return nil
}

func put[K comparable](lists *map[K][]any, key K, value any) {
	if *lists == nil {
		*lists = map[K][]any{}
	}
	(*lists)[key] = append((*lists)[key], value)
}

// forget notes that a case is not to be in the register any more.
func (s *groups) forget(c *registered) {
	c.group.count(&c.CaseFacts, -1)
	put(&s.moves.gone, c.period, text(c.CaseID))
}

// tell notes an entry in the trail of a case.
func (s *groups) tell(c *registered, action int64, after jobs.CaseState) {
	s.moves.trail = append(s.moves.trail, c.period, text(c.CaseID), action, string(c.State), string(after))
}

// Columns of the rows of the register, and of the trail.
const (
	rowWidth   = 9
	trailWidth = 5
)

// write writes the moves.
func (s *groups) write(ctx context.Context) error {
	m := s.moves
	s.moves = moves{}
	for g, ids := range m.left {
		if err := s.takeAlong(ctx, g, ids); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(m.rows, rowsAtOnce*rowWidth) {
		if _, err := s.exec(ctx, "INSERT INTO case_register (case_id, period, in_group, start, microsoft_ms, carrier_ms, diff_ms, revision, changed) VALUES "+
			tuples(len(rows)/rowWidth, rowWidth)+" ON CONFLICT (case_id, period) DO UPDATE SET in_group = excluded.in_group, start = excluded.start, "+
			"microsoft_ms = excluded.microsoft_ms, carrier_ms = excluded.carrier_ms, diff_ms = excluded.diff_ms, revision = excluded.revision, changed = excluded.changed", rows...); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(m.trail, rowsAtOnce*trailWidth) {
		if _, err := s.exec(ctx, "INSERT INTO case_trail (period, case_id, action, before, after) VALUES "+tuples(len(rows)/trailWidth, trailWidth), rows...); err != nil {
			return err
		}
	}
	for period, ids := range m.gone {
		w := where{}
		w.add("period = ?", period)
		w.add("case_id IN "+marks(len(ids)), ids...)
		if _, err := s.exec(ctx, "DELETE FROM case_register"+w.text(), w.args...); err != nil {
			return err
		}
	}
	return nil
}

// takeAlong gives cases that leave a group what is in its trail.
func (s *groups) takeAlong(ctx context.Context, g *group, ids []any) error {
	w := where{}
	w.add("r.period = ?", g.period)
	w.add("r.in_group = ?", g.seq)
	w.add("r.case_id IN "+marks(len(ids)), ids...)
	_, err := s.exec(ctx, "INSERT INTO case_trail (period, case_id, action, before, after) SELECT r.period, r.case_id, t.action, t.before, t.after "+
		"FROM case_register r JOIN case_group_trail t ON t.of_group = r.in_group"+w.text(), w.args...)
	return err
}

// save writes what the groups have come to; one without a case is gone.
func (s *groups) save(ctx context.Context) error {
	for _, g := range s.bySeq {
		if !g.touched {
			continue
		}
		statements := []string{"DELETE FROM case_groups WHERE seq = $1", "DELETE FROM case_group_trail WHERE of_group = $1"}
		args := []any{g.seq}
		if g.Cases > 0 {
			statements = []string{"UPDATE case_groups SET cases = $2, microsoft_ms = $3, carrier_ms = $4, diff_ms = $5 WHERE seq = $1"}
			args = append(args, g.Cases, g.MicrosoftMS, g.CarrierMS, g.DifferenceMS)
		}
		for _, statement := range statements {
			if _, err := s.exec(ctx, statement, args...); err != nil {
				return err
			}
		}
	}
	return nil
}
