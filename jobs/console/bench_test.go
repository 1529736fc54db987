package console_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"

	"concord/engine"
)

// many is a match with more discrepancies than a person can read.
type many struct {
	*match
	cases int
}

func manyOf(n int) *many {
	m, side := &many{hostileMatch(), n}, [2]engine.Tally{}
	for i := range n {
		micro, carrier := durations(i)
		side[engine.Microsoft].Records++
		side[engine.Microsoft].MS += micro
		side[engine.Carrier].Records++
		side[engine.Carrier].MS += carrier
	}
	s := &m.sum
	s.Discrepancies[engine.DurationOver] = int64(n)
	s.Totals.Microsoft, s.Totals.Carrier = side[engine.Microsoft], side[engine.Carrier]
	s.Days[0].Balance, s.Countries[0].Balance = s.Totals, s.Totals
	for i := range side {
		s.Classes[i][engine.DurationOver] = side[i]
		s.Files[i] = []engine.FileTally{{Rows: int64(n), Accepted: int64(n), MS: side[i].MS}}
	}
	return m
}

// durations are those of both sides of one call.
func durations(i int) (micro, carrier int64) {
	micro = 1000 * int64(20+i*7919%1800)
	return micro, micro + 1000*int64(1+i*104_729%59)
}

// Cases implements report.Result.
func (m *many) Cases(context.Context) iter.Seq2[*engine.Case, error] {
	return func(yield func(*engine.Case, error) bool) {
		for i := range m.cases {
			micro := *m.match.cases[i%60].Microsoft
			micro.RecordID, micro.CorrelationID, micro.TenantID = fmt.Sprintf("cdr-%09d", i), fmt.Sprintf("%036d", i), "8e6f6b0c-0000-4000-8000-000000000001"
			micro.Start, micro.Row = october+int64(i)*2_000_000, int64(i+1)
			carrier := micro
			micro.DurationMS, carrier.DurationMS = durations(i)
			c := engine.Case{ID: caseID(i), Class: engine.DurationOver, Microsoft: &micro, Carrier: []engine.Leg{carrier}}
			if !yield(&c, nil) {
				return
			}
		}
	}
}

// BenchmarkPages asks for the pages of a report with a million discrepancies.
func BenchmarkPages(b *testing.B) {
	w := worldOf(b, manyOf(1_000_000))
	p, rep := w.as(b, "finance"), "/console/reports/"+w.report.ID
	if status, page := p.get("/console/cases"); status != http.StatusOK || !strings.Contains(page, "1,000,000") { // the register takes the version over, as a service does by itself
		b.Fatal(status)
	}
	for name, path := range map[string]string{
		"cases": "/console/cases", "cases of a class": "/console/cases?class=duration_over&state=open",
		"report": rep, "discrepancies": rep + "/cases", "last page": rep + "/cases?offset=999950", "class by effect": rep + "/cases?class=duration_over&order=effect",
		"case": rep + "/cases/" + caseID(777_777), "changes": rep + "/changes",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if status, _ := p.get(path); status != http.StatusOK {
					b.Fatal(status)
				}
			}
		})
	}
}
