package usage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/dispatch"
)

// choice says which report each day of a period is taken from.
type choice struct {
	days    []report.UsageDay
	reports []jobs.Report // that some day is taken from, by their periods
	whole   []bool        // all of the report counts
	astray  int           // reports that have a part in the period and cover no day of it
}

// mostDays is how many days a period may have.
const mostDays = 3660

// Sources know the reports, and which of them are approved.
type Sources interface {
	Reports(ctx context.Context, f jobs.ReportFilter) ([]jobs.Report, error)
	SignOffs(ctx context.Context, f jobs.SignOffFilter) ([]jobs.SignOff, error)
}

// choose finds the report of each day: of the newest versions that cover all of
// it an approved one, else the one that was published last. What is signed off
// for a month is not changed by a draft of one of its days.
func choose(ctx context.Context, state Sources, carrier string, p jobs.Period, zone *time.Location) (*choice, error) {
	days, err := daysOf(p, zone)
	if err != nil {
		return nil, dispatch.Permanent(err)
	}
	list, err := state.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: carrier, From: p.From, To: p.To, Newest: true})
	if err != nil {
		return nil, err
	}
	approved, err := state.SignOffs(ctx, jobs.SignOffFilter{Carrier: carrier, State: jobs.SignOffApproved})
	if err != nil {
		return nil, err
	}
	is := map[string]int{}
	for _, s := range approved {
		is[s.Report] = 1
	}
	slices.SortStableFunc(list, func(a, b jobs.Report) int { return is[b.ID] - is[a.ID] })
	return pick(days, list, p), nil
}

// daysOf are the days of a period, of which it must be made.
func daysOf(p jobs.Period, zone *time.Location) (days []report.UsageDay, err error) {
	for from := p.From.In(zone); from.Before(p.To); {
		y, m, d := from.Date()
		if !time.Date(y, m, d, 0, 0, 0, 0, zone).Equal(from) || len(days) == mostDays {
			return nil, notDays(p, zone)
		}
		to := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
		days = append(days, report.UsageDay{Date: from.Format(time.DateOnly), From: from, To: to, Report: -1})
		from = to
	}
	if n := len(days); n == 0 || !days[n-1].To.Equal(p.To) {
		return nil, notDays(p, zone)
	}
	return days, nil
}

func notDays(p jobs.Period, zone *time.Location) error {
	return fmt.Errorf("the period %s is not made of whole days in %s, at most %d; ask for a day, a month, or FROM/TO from midnight to midnight in the zone of the job", p.Text, zone, mostDays)
}

// pick chooses among reports, the best first.
func pick(days []report.UsageDay, list []jobs.Report, p jobs.Period) *choice {
	c := &choice{days: days}
	chosen := make([]int, len(days)) // in list
	used := map[int]bool{}
	for i, d := range days {
		chosen[i] = slices.IndexFunc(list, func(r jobs.Report) bool { return !r.Period.From.After(d.From) && !r.Period.To.Before(d.To) })
		if chosen[i] >= 0 {
			used[chosen[i]] = true
		}
	}
	var order []int
	for i, r := range list {
		switch {
		case used[i]:
			order = append(order, i)
		case !slices.ContainsFunc(days, func(d report.UsageDay) bool { return !r.Period.From.After(d.From) && !r.Period.To.Before(d.To) }):
			c.astray++
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(list[a].Period.From.Compare(list[b].Period.From), list[a].Period.To.Compare(list[b].Period.To), strings.Compare(list[a].ID, list[b].ID))
	})
	for n, i := range order {
		whole := !list[i].Period.From.Before(p.From) && !list[i].Period.To.After(p.To)
		for k := range days {
			switch overlaps := list[i].Period.From.Before(days[k].To) && days[k].From.Before(list[i].Period.To); {
			case chosen[k] == i:
				days[k].Report = n
			case overlaps:
				whole = false
			}
		}
		c.reports, c.whole = append(c.reports, list[i]), append(c.whole, whole)
	}
	return c
}

// refusePurged refuses a usage that would lack what was purged.
func (t *task) refusePurged() error {
	gone := slices.DeleteFunc(slices.Clone(t.choice.reports), func(r jobs.Report) bool { return r.Purged == 0 })
	if l := t.latest; l != nil && l.Purged != 0 {
		gone = append(gone, *l)
	}
	if len(gone) == 0 {
		return nil
	}
	return dispatch.Permanent(fmt.Errorf("the usage of %s of %s cannot be summed up any more: version %d of %s was purged (proof %d), and it would lack that",
		t.run.Period.Text, t.run.Carrier, gone[0].Version, gone[0].Period.Text, gone[0].Purged))
}

func (c *choice) missing() (n int) {
	for _, d := range c.days {
		if d.Report < 0 {
			n++
		}
	}
	return n
}

// inputs are the reports, as inputs of the run.
func (c *choice) inputs() (list []jobs.RunInput) {
	for _, r := range c.reports {
		list = append(list, jobs.RunInput{Role: "report", File: r.ID, SHA256: r.Manifest})
	}
	return list
}

// asOf is from when the latest of the reports looks at the world.
func (c *choice) asOf(p jobs.Period) time.Time {
	at := p.From
	for i, r := range c.reports {
		if i == 0 || r.AsOf.After(at) {
			at = r.AsOf
		}
	}
	return at
}

// settings are what a run works with besides its reports. They are kept with
// the run as JSON.
type settings struct {
	Program string `json:"program"`
	From    string `json:"from_utc"`
	To      string `json:"to_utc"`
	Zone    string `json:"zone"`
	Users   bool   `json:"users,omitempty"`
}

func (s settings) json() json.RawMessage { return encode(s) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	return b
}

// basis is a hash of all that the version depends on.
func (t *task) basis() string {
	type used struct{ ID, Manifest, Period string }
	var reports []used
	var days []int
	for _, r := range t.choice.reports {
		reports = append(reports, used{r.ID, r.Manifest, r.Period.Text})
	}
	for _, d := range t.choice.days {
		days = append(days, d.Report)
	}
	sum := sha256.Sum256(encode([]any{t.settings, reports, days, t.choice.astray}))
	return hex.EncodeToString(sum[:])
}

// folder opens the files of a report. One that was published a moment ago may
// still wait for its place, whole.
func (t *task) folder(r jobs.Report) fs.FS {
	place := t.shelf().Place(r)
	if !t.shelf().InPlace(r) {
		if waiting, err := filepath.Glob(filepath.Join(filepath.Dir(t.shelf().Staging("", t.run)), r.ID+"~*")); err == nil && len(waiting) > 0 {
			place = waiting[0]
		}
	}
	return t.Keys.FS(place)
}
