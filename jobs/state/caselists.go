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

// casesWhere selects cases of the register c. What comes before it in a
// statement may have arguments of its own.
func casesWhere(w *where, f *jobs.CasesFilter) {
	if f.Carrier != "" || f.Period != "" || !f.From.IsZero() || !f.To.IsZero() {
		var p where
		p.equal("carrier", f.Carrier)
		p.named("", f.Period)
		p.period(nil, f.From, f.To)
		w.add("c.period IN (SELECT seq FROM case_periods"+unnumbered(p.text())+")", p.args...)
	}
	if f.Here() {
		w.add("c.present")
	}
	w.among("c.class", f.Classes)
	w.among("c.case_id", f.Cases)
	w.equal("c.owner", f.Owner)
	if f.Owner != "" {
		w.add("c.owner <> ''")
	}
	if f.Unowned {
		w.add("c.owner = ''")
	}
	if len(f.States) > 0 {
		w.among("c.state", words(f.States))
		if !slices.Contains(f.States, jobs.CaseOpen) {
			w.add("c.state <> 'open'") // so that its index is found
		}
	}
	if !f.Before.IsZero() {
		w.add("c.since < ?", f.Before)
	}
}

// unnumbered writes the numbered arguments of a condition as places again.
func unnumbered(condition string) string {
	var b strings.Builder
	for i := 0; i < len(condition); i++ {
		b.WriteByte(condition[i])
		if condition[i] != '$' {
			continue
		}
		for i+1 < len(condition) && condition[i+1] >= '0' && condition[i+1] <= '9' {
			i++
		}
	}
	return strings.ReplaceAll(b.String(), "$", "?")
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

const caseColumns = "c.case_id, c.class, c.start, c.microsoft_ms, c.carrier_ms, c.diff_ms, c.present, c.since, c.state, c.was, c.owner, c.revision, c.changed, c.action"

// ListCases implements jobs.CaseBook.
func (s *Store) ListCases(ctx context.Context, f jobs.CasesFilter) (list []jobs.Case, next string, err error) {
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // to see whether there is more
	}
	list, periods, err := s.listCases(ctx, f)
	if err != nil || limit <= 0 || len(list) <= limit {
		return list, "", err
	}
	return list[:limit], fmt.Sprintf("%d-%s", periods[limit-1], list[limit-1].CaseID), nil
}

// listCases also returns the period of each case as the register has it.
func (s *Store) listCases(ctx context.Context, f jobs.CasesFilter) (list []jobs.Case, periods []int64, err error) {
	var w where
	casesWhere(&w, &f)
	if f.After != "" {
		period, id, ok := strings.Cut(f.After, "-")
		seq, err := strconv.ParseInt(period, 10, 64)
		if err != nil || !ok {
			return nil, nil, fmt.Errorf("%w to go on from", jobs.ErrNoCase)
		}
		w.add("(c.period, c.case_id) < (?, ?)", seq, text(id))
	}
	err = s.read(ctx, "list cases", func(t tx) error {
		list, periods = nil, nil
		return t.query(ctx, func(scan func(...any) error) error {
			var c registered
			var seq int64
			err := scan(append([]any{&seq, &c.Carrier, moment{&c.Period.From}, moment{&c.Period.To}, &c.Period.Text}, c.fields()...)...)
			c.Worked = c.action > 0
			list, periods = append(list, c.Case), append(periods, seq)
			return err
		}, "SELECT p.seq, p.carrier, p.period_from, p.period_to, p.period, "+caseColumns+" FROM case_register c JOIN case_periods p ON p.seq = c.period"+w.text()+
			" ORDER BY c.period DESC, c.case_id DESC"+w.limit(f.Limit), w.args...)
	})
	return list, periods, err
}

// CaseTrail implements jobs.CaseBook.
func (s *Store) CaseTrail(ctx context.Context, f jobs.CasesFilter) (c jobs.Case, notes []jobs.CaseNote, err error) {
	f.Limit = 2
	list, periods, err := s.listCases(ctx, f)
	switch {
	case err != nil:
		return c, nil, err
	case len(list) == 0:
		return c, nil, jobs.ErrNoCase
	case len(list) > 1:
		return c, nil, fmt.Errorf("%w: %s and %s", jobs.ErrAmbiguous, list[0].Period.Beside(list[1].Period), list[1].Period.Beside(list[0].Period))
	}
	c = list[0]
	err = s.read(ctx, "read the trail of a case", func(t tx) error {
		notes = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var n jobs.CaseNote
			err := scan(&n.Seq, moment{&n.At}, &n.By, &n.Action, (*string)(&n.Before), (*string)(&n.After), &n.Owner, &n.Comment, &n.Version)
			notes = append(notes, n)
			return err
		}, "SELECT a.seq, a.done, a.done_by, a.id, x.before, x.after, a.new_owner, a.comment, a.version FROM case_trail x JOIN case_actions a ON a.seq = x.action "+
			"WHERE x.period = $1 AND x.case_id = $2 ORDER BY a.seq", periods[0], text(c.CaseID))
	})
	return c, notes, err
}

// sums are columns that add up the cases of a selection.
const caseSums = "count(*), CAST(coalesce(sum(c.microsoft_ms), 0) AS BIGINT), CAST(coalesce(sum(c.carrier_ms), 0) AS BIGINT), CAST(coalesce(sum(c.diff_ms), 0) AS BIGINT)"

func sumFields(s *jobs.CaseSums) []any {
	return []any{&s.Cases, &s.MicrosoftMS, &s.CarrierMS, &s.DifferenceMS}
}

// AgeCases implements jobs.CaseBook.
func (s *Store) AgeCases(ctx context.Context, f jobs.CasesFilter, bounds []time.Time) (list []jobs.CaseAge, err error) {
	var w where
	bucket := strconv.Itoa(len(bounds))
	if len(bounds) > 0 {
		bucket = "CASE"
		for i, b := range bounds {
			w.args = append(w.args, b)
			bucket += fmt.Sprintf(" WHEN c.since > $%d THEN %d", len(w.args), i)
		}
		bucket += fmt.Sprintf(" ELSE %d END", len(bounds))
	}
	casesWhere(&w, &f)
	err = s.read(ctx, "count cases by age", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var a jobs.CaseAge
			err := scan(append([]any{(*string)(&a.State), &a.Bucket}, sumFields(&a.CaseSums)...)...)
			list = append(list, a)
			return err
		}, "SELECT c.state, "+bucket+" AS bucket, "+caseSums+" FROM case_register c"+w.text()+" GROUP BY c.state, bucket ORDER BY c.state, bucket", w.args...)
	})
	return list, err
}
