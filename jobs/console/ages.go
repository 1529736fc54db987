package console

import (
	"concord/jobs"
	"concord/jobs/control"
)

// ageTable counts cases by state and by the days that they have been open.
type ageTable struct {
	Rows []ageRow
	Sum  ageRow
}

type ageRow struct {
	State string
	Cells [len(ageFrom)]int64
	control.CaseSums
}

// ageFrom is the day with which each column begins.
var ageFrom = [...]int{0, 7, 30, 60, 90}

// ageTableOf has a row for each state that cases are in.
func ageTableOf(list []control.CaseAge) (t ageTable) {
	for _, s := range jobs.CaseStates {
		row := ageRow{State: string(s)}
		for i := range list {
			if list[i].State == row.State {
				row.add(&list[i])
			}
		}
		if row.Cases > 0 {
			t.Rows = append(t.Rows, row)
		}
	}
	for i := range list {
		t.Sum.add(&list[i])
	}
	return t
}

func (r *ageRow) add(a *control.CaseAge) {
	column := 0
	for i, from := range ageFrom {
		if a.OverDays >= from {
			column = i
		}
	}
	r.Cells[column] += a.Cases
	r.Cases += a.Cases
	r.MicrosoftMS += a.MicrosoftMS
	r.CarrierMS += a.CarrierMS
	r.DifferenceMS += a.DifferenceMS
	r.EffectMS += a.EffectMS
}

// passedOver are cases that work on many would leave as they are.
type passedOver struct {
	Cases int64
	State string // that they are in; empty: the newest version has them no more
	Why   string
}

// passedBy returns which of so many cases do not go to a state, and why.
func passedBy(to jobs.CaseState, rows []ageRow, left int64) (list []passedOver) {
	if to == "" {
		return nil
	}
	for _, r := range rows {
		s := jobs.CaseState(r.State)
		if s.May(to) || left <= 0 {
			continue
		}
		why := "open them first, with a reason"
		if s == to {
			why = "they are so already"
		}
		list = append(list, passedOver{min(r.Cases, left), r.State, why})
		left -= r.Cases
	}
	if left > 0 {
		list = append(list, passedOver{left, "", "the newest version has them no more"})
	}
	return list
}
