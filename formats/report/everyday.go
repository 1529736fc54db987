package report

import (
	"fmt"
	"strings"
	"time"

	"concord/formats/report/page"
)

const (
	// maxDays is up to how many days of a period are shown, each.
	maxDays = 400
	// maxNamedDays is how many of them a finding names.
	maxNamedDays = 10
	// noRecords is what is said of a day in the place of a verdict.
	noRecords = "no records"
)

// everyDay are the days of the period, those without records, too: a day on
// which nobody had a call is what an outage looks like. summary.json lists the
// days with records only.
func (d *summaryDoc) everyDay() []page.Named {
	known := pageNamed(d.Days)
	days := d.Period.days()
	if len(days) == 0 {
		return known
	}
	by := make(map[string]page.Named, len(known))
	for _, n := range known {
		by[n.Name] = n
	}
	list := make([]page.Named, 0, len(days))
	for _, name := range days {
		n, ok := by[name]
		if !ok {
			n = page.Named{Name: name, Balance: page.Balance{Verdict: noRecords}}
		}
		delete(by, name)
		list = append(list, n)
	}
	if len(by) > 0 { // days of another zone than the period's
		return known
	}
	return list
}

// days names the days that a period touches; none when there is no period, or
// one of more days than are shown.
func (d *periodDoc) days() (names []string) {
	if d == nil {
		return nil
	}
	from, err1 := time.Parse(time.RFC3339Nano, d.From)
	to, err2 := time.Parse(time.RFC3339Nano, d.To)
	zone, err3 := time.LoadLocation(d.Zone)
	if err1 != nil || err2 != nil || err3 != nil {
		return nil
	}
	from, to = from.In(zone), to.In(zone).Add(-1)
	last := to.Format(time.DateOnly)
	for day := time.Date(from.Year(), from.Month(), from.Day(), 12, 0, 0, 0, time.UTC); ; day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		switch {
		case name > last:
			return names
		case len(names) == maxDays:
			return nil
		}
		names = append(names, name)
	}
}

// emptyDays says which days have no records; "" if there is none, or nothing at
// all.
func (d *summaryDoc) emptyDays() string {
	var names []string
	all := d.everyDay()
	for _, n := range all {
		if n.Verdict == noRecords {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 || len(names) == len(all) {
		return ""
	}
	more := ""
	if n := len(names) - maxNamedDays; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s of %d without any record of either side: %s%s", page.Counted(int64(len(names)), "day", "days"), len(all),
		strings.Join(names[:min(len(names), maxNamedDays)], ", "), more)
}
