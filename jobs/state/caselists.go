package state

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/jobs"
)

// marks are n places of a condition's arguments, in brackets.
func marks(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

// selection is what a filter selects: cases that it names, else groups as a
// whole.
type selection struct {
	where
	rows bool
	from string
}

// cases selects groups g of periods p, or with rows also the cases r in them. What
// comes before it in a statement may have arguments of its own.
func cases(f *jobs.CasesFilter, rows bool, args ...any) *selection {
	s := &selection{rows: rows || len(f.Cases) > 0, from: "case_groups g JOIN case_periods p ON p.seq = g.period"}
	s.args = args
	if s.rows {
		s.from = "case_register r CROSS JOIN case_groups g CROSS JOIN case_periods p" // SQLite goes through the tables in this order
		s.add("g.seq = r.in_group")
		s.add("p.seq = g.period")
		s.among("r.case_id", f.Cases)
	}
	s.ofPeriods(f)
	s.alike(f)
	return s
}

// ofPeriods selects periods p. Those of which the first version is being taken
// over are not to be seen.
func (w *where) ofPeriods(f *jobs.CasesFilter) {
	w.add("p.version > 0")
	w.equal("p.carrier", f.Carrier)
	w.named("p.", f.Period)
	w.period(nil, f.From, f.To)
}

// alike selects groups g.
func (w *where) alike(f *jobs.CasesFilter) {
	if f.Here() {
		w.add("g.present")
	}
	w.among("g.class", f.Classes)
	w.among("g.state", words(f.States))
	w.equal("g.owner", f.Owner)
	if f.Unowned {
		w.add("g.owner = ''")
	}
	if !f.Before.IsZero() {
		w.add("g.since < ?", f.Before)
	}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// sums are columns that add up what is selected.
func (s *selection) sums() string {
	count, of := "CAST(coalesce(sum(g.cases), 0) AS BIGINT)", "g"
	if s.rows {
		count, of = "count(*)", "r"
	}
	for _, c := range []string{"microsoft_ms", "carrier_ms", "diff_ms"} {
		count += ", CAST(coalesce(sum(" + of + "." + c + "), 0) AS BIGINT)"
	}
	return count
}

func sumFields(s *jobs.CaseSums) []any {
	return []any{&s.Cases, &s.MicrosoftMS, &s.CarrierMS, &s.DifferenceMS}
}

// ListCases implements jobs.CaseBook.
func (s *Store) ListCases(ctx context.Context, f jobs.CasesFilter) (list []jobs.Case, next string, err error) {
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // to see whether there is more
	}
	var found []registered
	err = s.snapshot(ctx, "list cases", func(t tx) error {
		found, err = t.cases(ctx, &f)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if limit > 0 && len(found) > limit {
		found = found[:limit]
		next = fmt.Sprintf("%d-%s", found[limit-1].period, found[limit-1].CaseID)
	}
	for i := range found {
		list = append(list, found[i].Case)
	}
	return list, next, nil
}

// cursor is the case behind which a list goes on.
type cursor struct {
	period int64 // 0: it begins
	id     string
}

func cursorOf(s string) (c cursor, err error) {
	if s == "" {
		return c, nil
	}
	period, id, ok := strings.Cut(s, "-")
	if c.period, err = strconv.ParseInt(period, 10, 64); err != nil || !ok || c.period < 1 {
		return c, fmt.Errorf("%w to go on from", jobs.ErrNoCase)
	}
	c.id = text(id)
	return c, nil
}

// cases lists cases, of the latest periods first.
func (t tx) cases(ctx context.Context, f *jobs.CasesFilter) (list []registered, err error) {
	after, err := cursorOf(f.After)
	if err != nil {
		return nil, err
	}
	if len(f.Cases) > 0 {
		return t.namedCases(ctx, f, after)
	}
	below := after.period + 1 // seq of the period that comes before
	for n := 50; ; n = min(2*n, 2000) {
		periods, err := t.periodsBelow(ctx, f, below, n)
		if err != nil || len(periods) == 0 {
			return list, err
		}
		if list, err = t.casesOf(ctx, f, after, periods, list); err != nil || f.Limit > 0 && len(list) == f.Limit || len(periods) < n {
			return list, err
		}
		below = periods[len(periods)-1].seq
	}
}

// casePeriod is a period of the register.
type casePeriod struct {
	seq     int64
	carrier string
	jobs.Period
}

func (p *casePeriod) fields() []any {
	return []any{&p.seq, &p.carrier, moment{&p.From}, moment{&p.To}, &p.Text}
}

const periodColumns = "p.seq, p.carrier, p.period_from, p.period_to, p.period"

// periodsBelow returns up to n periods that came before one, the latest first.
func (t tx) periodsBelow(ctx context.Context, f *jobs.CasesFilter, below int64, n int) (list []casePeriod, err error) {
	var w where
	w.ofPeriods(f)
	if below > 1 {
		w.add("p.seq < ?", below)
	}
	return list, t.query(ctx, func(scan func(...any) error) error {
		var p casePeriod
		err := scan(p.fields()...)
		list = append(list, p)
		return err
	}, "SELECT "+periodColumns+" FROM case_periods p"+w.text()+" ORDER BY p.seq DESC"+w.limit(n), w.args...)
}

// casesOf appends cases of some periods to a list, up to its limit.
func (t tx) casesOf(ctx context.Context, f *jobs.CasesFilter, after cursor, periods []casePeriod, list []registered) ([]registered, error) {
	var w where
	seqs := make([]any, len(periods))
	for i := range periods {
		seqs[i] = periods[i].seq
	}
	w.add("g.period IN "+marks(len(seqs)), seqs...)
	w.alike(f)
	all := t.noGroups()
	if err := all.load(ctx, w.text(), w.args...); err != nil {
		return nil, err
	}
	in := map[int64][]*group{}
	for _, g := range all.bySeq {
		in[g.period] = append(in[g.period], g)
	}
	for i := range periods {
		p := &periods[i]
		rest := f.Limit - len(list)
		if f.Limit > 0 && rest == 0 {
			break
		}
		id := ""
		if p.seq == after.period {
			id = after.id
		}
		found, err := all.list(ctx, in[p.seq], id, max(rest, 0))
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.Carrier, c.Period = p.carrier, p.Period
			list = append(list, c)
		}
	}
	return list, nil
}

// namedCases lists the cases that a filter names.
func (t tx) namedCases(ctx context.Context, f *jobs.CasesFilter, after cursor) (list []registered, err error) {
	s := cases(f, true)
	if after.period > 0 {
		s.add("(r.period, r.case_id) < (?, ?)", after.period, after.id)
	}
	return list, t.query(ctx, func(scan func(...any) error) error {
		var c registered
		var p casePeriod
		g := &group{}
		var since time.Time
		err := c.scan(func(dest ...any) error {
			err := scan(slices.Concat(dest, g.fields(&since), p.fields())...)
			g.since = since.UnixMicro()
			return err
		}, func(int64) *group { return g })
		c.Carrier, c.Period.From, c.Period.To, c.Period.Text = p.carrier, p.From, p.To, p.Text
		list = append(list, c)
		return err
	}, "SELECT "+rowColumns+", "+groupColumns+", "+periodColumns+" FROM "+s.from+s.text()+" ORDER BY r.period DESC, r.case_id DESC"+s.limit(f.Limit), s.args...)
}

// CaseTrail implements jobs.CaseBook.
func (s *Store) CaseTrail(ctx context.Context, f jobs.CasesFilter) (c jobs.Case, notes []jobs.CaseNote, err error) {
	f.Limit = 2
	var list []registered
	err = s.snapshot(ctx, "read the trail of a case", func(t tx) error {
		if list, err = t.cases(ctx, &f); err != nil || len(list) != 1 {
			return err
		}
		notes, err = t.trail(ctx, &list[0])
		return err
	})
	switch {
	case err != nil:
		return c, nil, err
	case len(list) == 0:
		return c, nil, jobs.ErrNoCase
	case len(list) > 1:
		return c, nil, fmt.Errorf("%w: %s and %s", jobs.ErrAmbiguous, list[0].Period.Beside(list[1].Period), list[1].Period.Beside(list[0].Period))
	}
	return list[0].Case, notes, nil
}

// trail is what happened to a case, alone and as one of its group.
func (t tx) trail(ctx context.Context, c *registered) (notes []jobs.CaseNote, err error) {
	return notes, t.query(ctx, func(scan func(...any) error) error {
		var n jobs.CaseNote
		err := scan(&n.Seq, moment{&n.At}, &n.By, &n.Action, (*string)(&n.Before), (*string)(&n.After), &n.Owner, &n.Comment, &n.Version)
		notes = append(notes, n)
		return err
	}, "SELECT a.seq, a.done, a.done_by, a.id, x.before, x.after, a.new_owner, a.comment, a.version FROM ("+
		"SELECT action, before, after FROM case_trail WHERE period = $1 AND case_id = $2 UNION ALL SELECT action, before, after FROM case_group_trail WHERE of_group = $3) x "+
		"JOIN case_actions a ON a.seq = x.action ORDER BY a.seq", c.period, text(c.CaseID), c.group.seq)
}

// AgeCases implements jobs.CaseBook.
func (s *Store) AgeCases(ctx context.Context, f jobs.CasesFilter, bounds []time.Time) (list []jobs.CaseAge, err error) {
	bucket, args := strconv.Itoa(len(bounds)), []any(nil)
	if len(bounds) > 0 {
		bucket = "CASE"
		for i, b := range bounds {
			args = append(args, b)
			bucket += fmt.Sprintf(" WHEN g.since > $%d THEN %d", len(args), i)
		}
		bucket += fmt.Sprintf(" ELSE %d END", len(bounds))
	}
	x := cases(&f, false, args...)
	err = s.read(ctx, "count cases by age", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var a jobs.CaseAge
			err := scan(append([]any{(*string)(&a.State), &a.Bucket}, sumFields(&a.CaseSums)...)...)
			list = append(list, a)
			return err
		}, "SELECT g.state, "+bucket+" AS bucket, "+x.sums()+" FROM "+x.from+x.text()+" GROUP BY g.state, bucket ORDER BY g.state, bucket", x.args...)
	})
	return list, err
}
