package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"concord/engine"
)

// origin names one record of a run.
type origin struct {
	side engine.Side
	place
}

// collect turns a result of the engine into an answer, and checks on the way
// what must hold of every result.
func collect(ctx context.Context, res *engine.Result) (*answer, error) {
	s := res.Summary()
	a := &answer{
		offset: s.ClockOffset, offsetPairs: s.OffsetPairs, classes: s.Classes, discrepancies: s.Discrepancies,
		roundingMS: s.RoundingExplainedMS, files: s.Files, totals: s.Totals, unassigned: s.Unassigned, days: named(s.Days), countries: named(s.Countries),
		usage: map[usageKey]engine.UsageRow{},
	}
	cases, err := collectCases(ctx, res, s)
	if err != nil {
		return nil, err
	}
	if err := a.collectVerdicts(ctx, res, cases); err != nil {
		return nil, err
	}
	if len(cases) > 0 {
		return nil, fmt.Errorf("%d legs of cases are not discrepancies by their verdicts", len(cases))
	}
	a.collectUsage(res)
	return a, checkResult(ctx, res, s, a)
}

func named(list []engine.Named) map[string]engine.Balance {
	m := map[string]engine.Balance{}
	for _, n := range list {
		m[n.Name] = n.Balance
	}
	return m
}

// collectCases returns the case of every record that is in one. The strings
// in them are not valid any more.
func collectCases(ctx context.Context, res *engine.Result, s *engine.Summary) (map[origin]engine.Case, error) {
	cases := map[origin]engine.Case{}
	var counts [engine.NumClasses]int64
	ids := map[string]bool{}
	var before engine.Case
	for c, err := range res.Cases(ctx) {
		if err != nil {
			return nil, err
		}
		if ids[c.ID] || c.ID == "" {
			return nil, fmt.Errorf("case id %q of %v is empty or used twice", c.ID, c.Class)
		}
		ids[c.ID] = true
		if caseOrder(&before, c) > 0 {
			return nil, fmt.Errorf("case %s of %v comes too late", c.ID, c.Class)
		}
		counts[c.Class]++
		kept := *c
		kept.Carrier = append([]engine.Leg(nil), c.Carrier...)
		if c.Microsoft != nil {
			m := *c.Microsoft
			kept.Microsoft = &m
		}
		before = engine.Case{ID: c.ID, Reject: c.Reject, Microsoft: kept.Microsoft, Carrier: kept.Carrier}
		for _, o := range legs(c) {
			if _, twice := cases[o]; twice {
				return nil, fmt.Errorf("%v is in two cases", o)
			}
			cases[o] = kept
		}
	}
	if counts != s.Discrepancies {
		return nil, fmt.Errorf("cases by class %v, the summary says %v", counts, s.Discrepancies)
	}
	return cases, nil
}

// caseOrder is the order in which cases are listed: unreadable rows, which
// have no start, then by start, then by id.
func caseOrder(a, b *engine.Case) int {
	start := func(c *engine.Case) int64 {
		switch {
		case c.Reject != nil || c.ID == "":
			return engine.MinStart
		case c.Microsoft != nil:
			return c.Microsoft.Start
		}
		return c.Carrier[0].Start
	}
	return cmp.Or(cmp.Compare(start(a), start(b)), cmp.Compare(a.ID, b.ID))
}

func legs(c *engine.Case) (out []origin) {
	if c.Microsoft != nil {
		out = append(out, origin{engine.Microsoft, place{c.Microsoft.File, c.Microsoft.Row}})
	}
	for _, l := range c.Carrier {
		out = append(out, origin{engine.Carrier, place{l.File, l.Row}})
	}
	return out
}

// collectVerdicts takes each case that it meets out of cases.
func (a *answer) collectVerdicts(ctx context.Context, res *engine.Result, cases map[origin]engine.Case) error {
	for v, err := range res.Verdicts(ctx) {
		if err != nil {
			return err
		}
		got := verdict{side: v.Side, place: place{v.File, v.Row}, id: v.RecordID, class: v.Class, pass: v.Pass}
		if v.HasPartner {
			got.partner = &place{v.PartnerFile, v.PartnerRow}
		}
		if v.Class == engine.OutsidePeriod {
			got.pass, got.partner = engine.PassNone, nil
		}
		o := origin{v.Side, got.place}
		c, listed := cases[o]
		if listed != v.Class.Discrepancy() || listed && (c.ID != v.CaseID || c.Class != v.Class) {
			return fmt.Errorf("%v: verdict %v of case %q, listed as %v of case %q", o, v.Class, v.CaseID, c.Class, c.ID)
		}
		delete(cases, o)
		got.flags = c.Flags
		if v.Class.Paired() && listed {
			for _, l := range c.Carrier {
				got.carrier = append(got.carrier, place{l.File, l.Row})
			}
		}
		a.verdicts = append(a.verdicts, got)
	}
	return nil
}

func (a *answer) collectUsage(res *engine.Result) {
	for u := range res.Usage() {
		a.usageRows = append(a.usageRows, *u)
		key := usageKey{u.TenantID, u.Date, u.CallType, u.Direction}
		sum := a.usage[key]
		sum.Calls += u.Calls
		sum.MicrosoftMS += u.MicrosoftMS
		sum.CarrierMS += u.CarrierMS
		sum.UsedMS += u.UsedMS
		sum.OperatorSourcedCalls += u.OperatorSourcedCalls
		a.usage[key] = sum
	}
	for u := range res.UserUsage() {
		a.userRows = append(a.userRows, *u)
	}
}

// checkResult checks that the parts of a result agree with each other.
func checkResult(ctx context.Context, res *engine.Result, s *engine.Summary, a *answer) error {
	if err := tiesOut(s); err != nil {
		return err
	}
	var invalid, users int64
	for e, err := range res.Rejects(ctx) {
		if err != nil {
			return err
		}
		if e.Reason == "" {
			return fmt.Errorf("rejects row %d without a reason", e.Row)
		}
		invalid++
	}
	if want := s.Classes[0][engine.Invalid].Records + s.Classes[1][engine.Invalid].Records; invalid != want {
		return fmt.Errorf("%d rejects, the summary says %d", invalid, want)
	}
	for _, u := range a.userRows {
		users += u.UsedMS
	}
	for _, u := range a.usage {
		users -= u.UsedMS
	}
	if users != 0 {
		return fmt.Errorf("usage by user and by tenant differ by %d ms", users)
	}
	a.findings = s.Findings
	found := slices.ContainsFunc(s.Findings, func(f engine.Finding) bool { return f.Code == "clock_offset" })
	if found != (s.ClockOffset != 0) {
		return fmt.Errorf("clock offset %v, findings %v", s.ClockOffset, s.Findings)
	}
	return nil
}

// tiesOut checks that each side's classes hold what its files held.
func tiesOut(s *engine.Summary) error {
	for side := range s.Classes {
		var records, ms int64
		for _, t := range s.Classes[side] {
			records, ms = records+t.Records, ms+t.MS
		}
		for _, f := range s.Files[side] {
			records, ms = records-f.Rows, ms-f.MS
		}
		if records != 0 || ms != 0 {
			return fmt.Errorf("%v does not tie out by %d records, %d ms", engine.Side(side), records, ms)
		}
	}
	return nil
}
