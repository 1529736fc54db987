package control

import (
	"context"
	"slices"
	"time"

	"concord/formats/report"
	"concord/jobs"
)

// CaseSums count cases, and add up what both sides have and what that comes to.
type CaseSums struct {
	jobs.CaseSums
	EffectMS int64 `json:"effect_ms"` // on the difference of the totals
}

func (s *CaseSums) add(f *jobs.CaseFacts) {
	s.Add(f)
	s.EffectMS += effectOf(f)
}

// effectOf returns what a case adds to the difference of its report's totals,
// carrier less Microsoft: a call that one side lacks counts whole, and what is no
// part of the totals, such as a row that is there twice, counts for nothing.
func effectOf(f *jobs.CaseFacts) int64 {
	if !report.Counts(f.Class) {
		return 0
	}
	return f.CarrierMS - f.MicrosoftMS
}

// counted narrows a filter to cases that have an effect; none: it selects no such.
func counted(f jobs.CasesFilter) (_ jobs.CasesFilter, none bool) {
	list := report.CountedClasses()
	if len(f.Classes) > 0 {
		list = slices.DeleteFunc(list, func(c string) bool { return !slices.Contains(f.Classes, c) })
	}
	f.Classes = list
	return f, len(list) == 0
}

// ageSpot is one count of cases by state and age.
type ageSpot struct {
	state  jobs.CaseState
	bucket int
}

// effectsByAge returns the effects of what AgeCases counts.
func (d *Desk) effectsByAge(ctx context.Context, f jobs.CasesFilter, bounds []time.Time) (map[ageSpot]int64, error) {
	f, none := counted(f)
	if none {
		return nil, nil
	}
	list, err := d.Book.AgeCases(ctx, f, bounds)
	effects := map[ageSpot]int64{}
	for _, x := range list {
		effects[ageSpot{x.State, x.Bucket}] = x.CarrierMS - x.MicrosoftMS
	}
	return effects, err
}

// effectOfWork returns the effect of the cases that work would change.
func (d *Desk) effectOfWork(ctx context.Context, w jobs.CaseWork) (*int64, error) {
	effect, none := int64(0), false
	if w.Filter, none = counted(w.Filter); none || w.Revision > 0 {
		return &effect, nil
	}
	w.Key, w.Expect, w.DryRun = "", nil, true
	done, err := d.Book.WorkOnCases(ctx, w, d.now())
	effect = done.Applied.CarrierMS - done.Applied.MicrosoftMS
	return &effect, err
}
