package report_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"concord/engine"
	"concord/formats/report"
)

// fakeResult is a run's result made by hand.
type fakeResult struct {
	sum      engine.Summary
	cases    iter.Seq[*engine.Case]
	usage    []engine.UsageRow
	users    []engine.UsageRow
	rejects  []sideReject
	verdicts []engine.Verdict
	fail     error // ends the discrepancies
}

type sideReject struct {
	side engine.Side
	err  engine.RowError
}

func (f *fakeResult) Summary() *engine.Summary { return &f.sum }

func (f *fakeResult) Cases(context.Context) iter.Seq2[*engine.Case, error] {
	return func(yield func(*engine.Case, error) bool) {
		for c := range f.cases {
			if !yield(c, nil) {
				return
			}
		}
		if f.fail != nil {
			yield(nil, f.fail)
		}
	}
}

func each[T any](list []T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

func (f *fakeResult) Usage() iter.Seq[*engine.UsageRow]     { return each(f.usage) }
func (f *fakeResult) UserUsage() iter.Seq[*engine.UsageRow] { return each(f.users) }

func (f *fakeResult) Rejects(context.Context) iter.Seq2[engine.Reject, error] {
	return func(yield func(engine.Reject, error) bool) {
		for i := range f.rejects {
			if !yield(engine.Reject{Side: f.rejects[i].side, RowError: &f.rejects[i].err}, nil) {
				return
			}
		}
	}
}

func (f *fakeResult) Verdicts(context.Context) iter.Seq2[*engine.Verdict, error] {
	return func(yield func(*engine.Verdict, error) bool) {
		for v := range each(f.verdicts) {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// A day of calls in which each kind of row occurs.
const noon = 1790856000_000000 // 2026-10-01T12:00:00Z

func leg(id string, startUS, ms int64, file int, row int64) engine.Leg {
	return engine.Leg{File: file, Call: engine.Call{
		RecordID: id, CorrelationID: "corr " + id, TenantID: "9c1f0d5e", Direction: engine.Out,
		Caller: engine.E164(4930123456), Callee: engine.E164(33145678900),
		Start: startUS, DurationMS: ms, Row: row,
	}}
}

func sampleCases() []engine.Case {
	over, late := leg("m1", noon, 60_000, 0, 1), leg("c1", noon+1_500_000, 63_250, 0, 2)
	first, second := leg("c2", noon+60_000_000, 10_000, 0, 3), leg("c3", noon+71_000_001, 20_000, 1, 1)
	call := leg("m2", noon+60_000_000, 50_001, 0, 2)
	call.Callee = engine.OtherNumber("+331456789**")
	evil := leg(`=cmd|' /C calc'!A0`, noon+120_000_000, 1_010, 0, 3)
	evil.Caller, evil.Callee = engine.OtherNumber("+44,20\"x"), engine.Number{}
	evil.TenantID, evil.CorrelationID = "@SUM(A1)", "-1+2"
	return []engine.Case{
		{ID: "a1", Class: engine.DurationOver, Pass: engine.PassID, Microsoft: &over, Carrier: []engine.Leg{late}},
		{ID: "a2", Class: engine.DurationUnder, Flags: engine.CutOff | engine.TimeDiffers, Microsoft: &call, Carrier: []engine.Leg{first, second}},
		{ID: "a3", Class: engine.MissingAtMicrosoft, Carrier: []engine.Leg{evil}},
		{ID: "a4", Class: engine.Invalid, Microsoft: &engine.Leg{File: 0, Call: engine.Call{Row: 4}}, Reject: &engine.RowError{Row: 4, Line: 5, Field: "start", Reason: "is no time"}},
	}
}

func sampleResult() *fakeResult {
	f := &fakeResult{cases: each(sampleCases())}
	s := &f.sum
	s.Carrier = "fabrikam"
	s.From, s.To = time.UnixMicro(noon).UTC(), time.UnixMicro(noon).UTC().Add(24*time.Hour)
	s.ClockOffset, s.OffsetPairs = 37*time.Second, 120
	s.Findings = []engine.Finding{{Code: "clock_offset", Text: "carrier clock +37 s"}}
	s.Files[engine.Microsoft] = []engine.FileTally{{Rows: 4, Accepted: 3, Rejected: 1, MS: 110_002}}
	s.Files[engine.Carrier] = []engine.FileTally{{Rows: 3, Accepted: 3, MS: 74_260}, {Rows: 1, Accepted: 1, MS: 20_000}}
	s.Classes[engine.Microsoft][engine.DurationOver] = engine.Tally{Records: 1, MS: 60_000}
	s.Classes[engine.Microsoft][engine.DurationUnder] = engine.Tally{Records: 1, MS: 50_001}
	s.Classes[engine.Microsoft][engine.Superseded] = engine.Tally{Records: 1, MS: 1}
	s.Classes[engine.Microsoft][engine.Invalid] = engine.Tally{Records: 1}
	s.Classes[engine.Carrier][engine.DurationOver] = engine.Tally{Records: 1, MS: 63_250}
	s.Classes[engine.Carrier][engine.DurationUnder] = engine.Tally{Records: 2, MS: 30_000}
	s.Classes[engine.Carrier][engine.MissingAtMicrosoft] = engine.Tally{Records: 1, MS: 1_010}
	s.Discrepancies[engine.DurationOver], s.Discrepancies[engine.DurationUnder] = 1, 1
	s.Discrepancies[engine.MissingAtMicrosoft], s.Discrepancies[engine.Invalid] = 1, 1
	s.Totals = engine.Balance{Microsoft: engine.Tally{Records: 2, MS: 110_001}, Carrier: engine.Tally{Records: 4, MS: 94_260}, Verdict: engine.TotalsDispute}
	s.Days = []engine.Named{{Name: "2026-10-01", Balance: s.Totals}}
	s.Countries = []engine.Named{{Name: "FR", Balance: s.Totals}}
	f.usage = []engine.UsageRow{{TenantID: "9c1f0d5e", Date: "2026-10-01", Direction: engine.Out, CallType: "user_out", Country: "FR",
		Calls: 2, MicrosoftMS: 110_001, CarrierMS: 93_250, UsedMS: 110_001, OperatorSourcedCalls: 1}}
	f.users = []engine.UsageRow{{TenantID: "9c1f0d5e", UserID: "u1", Date: "2026-10", Direction: engine.Out, Calls: 2, MicrosoftMS: 500}}
	f.rejects = []sideReject{{engine.Microsoft, engine.RowError{Row: 4, Line: 5, Field: "start", Reason: "is no time"}}}
	f.verdicts = sampleVerdicts()
	return f
}

// tie makes the figures what the cases come to.
func (f *fakeResult) tie() {
	s := &f.sum
	for c := range f.cases {
		legs := [2][]engine.Leg{engine.Carrier: c.Carrier}
		if c.Microsoft != nil {
			legs[engine.Microsoft] = []engine.Leg{*c.Microsoft}
		}
		for side := range legs {
			for _, l := range legs[side] {
				if c.Reject == nil {
					s.Classes[side][c.Class].MS += l.DurationMS
					s.Files[side][0].MS += l.DurationMS
				}
			}
		}
	}
	f.balance()
}

// balance makes the totals what the classes come to.
func (f *fakeResult) balance() {
	s := &f.sum
	s.Totals.Microsoft.MS, s.Totals.Carrier.MS = 0, 0
	for i := range engine.NumClasses {
		if c := engine.Class(i); c.Paired() || c == engine.MissingAtCarrier || c == engine.MissingAtMicrosoft {
			s.Totals.Microsoft.MS += s.Classes[engine.Microsoft][i].MS
			s.Totals.Carrier.MS += s.Classes[engine.Carrier][i].MS
		}
	}
	s.Days = []engine.Named{{Name: "2026-10-01", Balance: s.Totals}}
	s.Countries = []engine.Named{{Name: "FR", Balance: s.Totals}}
}

func sampleVerdicts() (list []engine.Verdict) {
	for i := range 4 {
		list = append(list, engine.Verdict{Side: engine.Microsoft, Row: int64(i + 1), RecordID: fmt.Sprint("m", i), Class: engine.Matched})
	}
	for i := range 3 {
		list = append(list, engine.Verdict{Side: engine.Carrier, Row: int64(i + 1), Class: engine.MissingAtMicrosoft})
	}
	return append(list, engine.Verdict{Side: engine.Carrier, File: 1, Row: 1, RecordID: "c3", Class: engine.DurationUnder, CaseID: "a2",
		Pass: engine.PassSplit, HasPartner: true, PartnerFile: 0, PartnerRow: 2})
}

func sampleOptions() report.Options {
	return report.Options{
		Inputs: [2][]report.Input{
			{{Name: "calls.csv", SHA256: "aa", Bytes: 10, Format: "csv", Rows: 4}},
			{{Name: "-one.csv", SHA256: "bb", Bytes: 20, Format: "csv", Rows: 5, Filtered: 2}, {Name: "two.parquet", SHA256: "cc", Bytes: 30, Format: "parquet", Rows: 1, Verified: true}},
		},
		Rules: engine.DefaultRules(), Verdicts: true, Users: true,
	}
}
