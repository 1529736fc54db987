package engine

import (
	"context"
	"iter"
	"maps"
	"math/bits"
	"slices"
	"time"

	"concord/engine/spill"
)

// Result is a finished run. Close releases its scratch files.
type Result struct {
	r       *run
	summary Summary
	usage   *usageSums
	users   *usageSums // nil unless asked for; by month, the day being its first
	cases   []*spill.Sorter
	records []*spill.Sorter
}

// result resolves what was logged and adds the figures up.
func (r *run) result(ctx context.Context) (*Result, error) {
	all, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if err := all[0].addRejects(ctx); err != nil {
		return nil, err
	}
	if r.task.Verdicts {
		if err := all[0].addInvalid(ctx); err != nil {
			return nil, err
		}
	}
	res := &Result{r: r}
	for _, v := range all {
		res.cases = append(res.cases, v.cases)
		res.records = append(res.records, v.verdicts)
	}
	res.sumUp()
	return res, nil
}

func (res *Result) sumUp() {
	r, s := res.r, &res.summary
	*s = Summary{
		Carrier: r.task.Carrier, From: r.task.From, To: r.task.To, AsOf: r.task.AsOf,
		ClockOffset: r.clock.offset, OffsetPairs: r.clock.pairs, Findings: r.findings.all,
	}
	for side, d := range r.sides {
		s.Files[side] = d.files
		for _, f := range d.files {
			s.Classes[side][Invalid].Records += f.Rejected
			s.Discrepancies[Invalid] += f.Rejected
		}
	}
	for _, t := range r.tallies {
		for side := range t.classes {
			for c := range t.classes[side] {
				s.Classes[side][c].merge(t.classes[side][c])
			}
		}
		for c, n := range t.cases {
			if Class(c).Discrepancy() {
				s.Discrepancies[c] += n
			}
		}
		s.RoundingExplainedMS += t.rounding
	}
	res.gather()
	res.balances()
	res.findUnassigned()
	res.findEmpty()
}

// gather adds up the usage that the workers counted.
func (res *Result) gather() {
	res.usage = newUsageSums()
	if res.r.task.Users {
		res.users = newUsageSums()
	}
	for _, t := range res.r.tallies {
		t.usage.each(func(c *usageCell) {
			d := res.r.dimension(c.dim())
			if res.users != nil {
				res.users.add(d, month(c.day()), c)
			}
			d.user = ""
			res.usage.add(d, c.day(), c)
		})
		t.usage = usageTable{}
	}
}

// balances sums the balances of all workers per day, per destination and in
// all.
func (res *Result) balances() {
	s, rules := &res.summary, &res.r.task.Rules
	byDay, byCountry := map[string]*Named{}, map[string]*Named{}
	for _, t := range res.r.tallies {
		for day, b := range t.byDay {
			addBalance(byDay, dayName(day), b)
			s.Totals.merge(b)
		}
		for i := range t.byCountry {
			addBalance(byCountry, countryName(uint16(i)), &t.byCountry[i])
		}
	}
	s.Totals.judge(rules)
	s.Days, s.Countries = named(byDay, rules), named(byCountry, rules)
}

func addBalance(to map[string]*Named, name string, b *Balance) {
	if b.Microsoft.Records+b.Carrier.Records == 0 {
		return
	}
	n := to[name]
	if n == nil {
		n = &Named{Name: name}
		to[name] = n
	}
	n.merge(b)
}

func (b *Balance) merge(o *Balance) {
	b.Microsoft.merge(o.Microsoft)
	b.Carrier.merge(o.Carrier)
}

func named(of map[string]*Named, rules *Rules) (out []Named) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		n := of[name]
		n.judge(rules)
		out = append(out, *n)
	}
	return out
}

// judge compares the difference with the limits, in parts per million of
// Microsoft's time.
func (b *Balance) judge(rules *Rules) {
	diff := abs(b.DifferenceMS())
	reaches := func(ppm int64) bool {
		// diff/m >= ppm/1e6, in whole numbers; any difference reaches any
		// share of nothing.
		hi, lo := bits.Mul64(uint64(diff), 1_000_000)
		mhi, mlo := bits.Mul64(uint64(b.Microsoft.MS), uint64(ppm))
		return diff > 0 && (hi > mhi || hi == mhi && lo >= mlo)
	}
	switch {
	case reaches(rules.DisputeAt):
		b.Verdict = TotalsDispute
	case reaches(rules.WarnAt):
		b.Verdict = TotalsWarning
	default:
		b.Verdict = TotalsOK
	}
}

// Summary returns the figures of the run.
func (res *Result) Summary() *Summary { return &res.summary }

// Cases yields every discrepancy, by Microsoft start (else carrier start),
// then id; rejected rows, which have none, first. The Case is valid until the
// next one.
func (res *Result) Cases(ctx context.Context) iter.Seq2[*Case, error] {
	return func(yield func(*Case, error) bool) {
		var k Case
		for e, err := range spill.Sorted(res.cases...) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			res.r.decodeCase(e, &k)
			if !yield(&k, nil) {
				return
			}
		}
	}
}

// Usage yields the usage per tenant, day, direction, call type and country,
// in that order.
func (res *Result) Usage() iter.Seq[*UsageRow] { return res.usage.rows(len(time.DateOnly)) }

// UserUsage yields the usage per tenant, user, month, direction, call type
// and country. It needs Task.Users.
func (res *Result) UserUsage() iter.Seq[*UsageRow] { return res.users.rows(len("2006-01")) }

// Rejects yields the invalid rows of both sides: Microsoft's first, then by
// file and row.
func (res *Result) Rejects(ctx context.Context) iter.Seq2[Reject, error] {
	return func(yield func(Reject, error) bool) {
		for side, d := range res.r.sides {
			for e, err := range d.allRejects(ctx) {
				if !yield(Reject{Side(side), e}, err) || err != nil {
					return
				}
			}
		}
	}
}

// Reject is an invalid row and the side it was sent by.
type Reject struct {
	Side Side
	*RowError
}

// Verdicts yields the verdict on every record: Microsoft's first, then by
// file and row. It needs Task.Verdicts.
func (res *Result) Verdicts(ctx context.Context) iter.Seq2[*Verdict, error] {
	return res.r.verdicts(ctx, res.records)
}

// Close releases what the result holds.
func (res *Result) Close() error { return res.r.close() }
