package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"concord/engine"
)

// shreds is a call of four hours that the carrier reports in n pieces of a
// millisecond, all of which start within the split gap.
func shreds(n int) (m engine.Call, cs []engine.Call) {
	start := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC).UnixMicro()
	m = engine.Call{
		RecordID: "m", CorrelationID: "one", Row: 1, Start: start, DurationMS: 4 * 3600_000,
		Caller: engine.E164(49301000), Callee: engine.E164(33140000),
	}
	for i := range n {
		c := m
		c.RecordID, c.Row = fmt.Sprint("c", i), int64(i+1)
		c.Start, c.DurationMS = start+int64(i), 1
		cs = append(cs, c)
	}
	return m, cs
}

// A carrier must not be able to stop a run by cutting one call to shreds: the
// search for the next segment has to step over those already taken.
func TestACallInManyPiecesTakesNoAges(t *testing.T) {
	m, cs := shreds(200_000)
	res, err := matchCalls(t, []engine.Call{m}, cs, 0, &memoryScratch{})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	s := res.Summary()
	if got := s.Classes[engine.Carrier][engine.DurationUnder].Records; got < 2 {
		t.Fatalf("%d segments were attached", got)
	}
}

// Daily exports often have one name in folders of their own. Their bad rows
// and repeats are cases of their own all the same.
func TestFilesOfOneNameHaveCasesOfTheirOwn(t *testing.T) {
	w := storyWorld(t, nil, `m 12:00:00 60`, `
		c 12:00:00 60
		x 12:00:00 60 bad
		---
		c 12:00:00 60
		x 12:00:00 60 bad
		---
		c 12:00:00 60
		x 12:00:00 60 bad`)
	task := engine.Task{Carrier: "fabrikam", Rules: w.rules, Verdicts: true, Scratch: &memoryScratch{}}
	for side, files := range w.sides {
		task.Sources[side] = &memorySource{files: files, partRows: 2}
		for range files {
			task.Files[side] = append(task.Files[side], "cdr.csv")
		}
	}
	res, err := engine.Run(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	seen := map[string]bool{}
	for c, err := range res.Cases(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[c.ID] {
			t.Errorf("the id of a case, %s, is that of another", c.Class)
		}
		seen[c.ID] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d cases have ids of their own, want 5: two duplicates and three bad rows", len(seen))
	}
}

// A period that ends before it begins holds nothing. It is a slip, and a
// report without a single call would hide it.
func TestAPeriodThatEndsBeforeItBeginsIsRefused(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for name, period := range map[string][2]time.Time{
		"the wrong way round": {at, at.Add(-time.Hour)},
		"empty":               {at, at},
		"without an end":      {at, {}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := engine.Run(t.Context(), engine.Task{
				Rules: engine.DefaultRules(), From: period[0], To: period[1], Scratch: &memoryScratch{},
				Sources: [2]engine.Source{&memorySource{}, &memorySource{}},
			})
			if err == nil || !strings.HasPrefix(err.Error(), "period: ") {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestNothingToCompareIsNoFault(t *testing.T) {
	res, err := engine.Run(t.Context(), engine.Task{
		Carrier: "fabrikam", Scratch: &memoryScratch{}, Verdicts: true, Users: true,
		Sources: [2]engine.Source{&memorySource{}, &memorySource{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range res.Verdicts(t.Context()) {
		t.Errorf("a verdict on nothing: %v", err)
	}
	if err := res.Close(); err != nil {
		t.Fatal(err)
	}
}
