package console

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// How far the overview looks back.
const (
	shownMonths = 6
	shownDays   = 31
	lookBack    = 200 * 24 * time.Hour
	maxReports  = 5000
	maxRuns     = 500
	mostUrgent  = 8
)

// overviewData is the first page.
type overviewData struct {
	Urgent []control.Report // newest versions in dispute or with a warning
	Open   []control.Alert
	Active []control.Run
	Paused []control.Job // whose runs wait
	Grids  []grid
}

// grid is carriers by periods of one length.
type grid struct {
	Name    string
	Wide    bool // cells say how much the sides differ
	Periods []string
	Rows    []gridRow
}

type gridRow struct {
	Carrier string
	Cells   []cell
}

// cell is how a carrier's period stands.
type cell struct {
	Period string
	Report *control.Report
	Run    *control.Run // that is under way, or is the latest and has failed since
}

// State names the cell for its colour and its words.
func (c cell) State() string {
	switch {
	case c.Run != nil && c.Run.State == string(jobs.RunFailed):
		return "failed"
	case c.Run != nil:
		return c.Run.State
	case c.Report == nil:
		return "none"
	}
	return c.Report.Standing()
}

// begins is when the period does.
func (c cell) begins() time.Time {
	if c.Report != nil {
		return c.Report.Period.From
	}
	return c.Run.Period.From
}

func (v *visit) overview() error {
	ctx, since := v.r.Context(), v.Now().Add(-lookBack)
	reports, err := v.Desk.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Newest: true, From: since, Limit: maxReports})
	if err != nil {
		return err
	}
	alerts, err := v.Desk.Alerts(ctx, jobs.AlertFilter{Open: true, Limit: 100})
	if err != nil {
		return err
	}
	carriers, err := v.Desk.Carriers(ctx)
	if err != nil {
		return err
	}
	d := overviewData{Open: alerts, Urgent: urgent(reports)}
	active, failed, err := v.underWay(ctx, since)
	if err != nil {
		return err
	}
	d.Active = active
	if d.Paused, err = v.Desk.Jobs(ctx); err != nil {
		return err
	}
	d.Paused = slices.DeleteFunc(d.Paused, func(j control.Job) bool { return j.Paused == nil })
	if failed, err = v.stand(ctx, failed); err != nil {
		return err
	}
	cells := cellsOf(reports, append(failed, active...))
	maps.DeleteFunc(cells, func(_ spot, c cell) bool { return c.begins().After(v.Now()) })
	d.Grids = append(d.Grids, gridOf("Months", true, shownMonths, carriers, cells), gridOf("Days", false, shownDays, carriers, cells))
	d.Grids = slices.DeleteFunc(d.Grids, func(g grid) bool { return len(g.Periods) == 0 })
	return v.page("overview", "Overview", d)
}

// underWay returns the runs that are queued or running, and those that failed.
func (v *visit) underWay(ctx context.Context, since time.Time) (active, failed []control.Run, err error) {
	for _, state := range []jobs.RunState{jobs.RunRunning, jobs.RunQueued} {
		list, err := v.Desk.Runs(ctx, jobs.RunFilter{State: state, Limit: maxRuns})
		if err != nil {
			return nil, nil, err
		}
		active = append(active, list...)
	}
	failed, err = v.Desk.Runs(ctx, jobs.RunFilter{State: jobs.RunFailed, From: since, Limit: maxRuns})
	return active, failed, err
}

// stand returns those of the failed runs that are the latest of their job,
// carrier and period: a later one may have found nothing new to publish. A
// backfill of what failed judges in the same way.
func (v *visit) stand(ctx context.Context, failed []control.Run) (list []control.Run, err error) {
	type about struct {
		job, carrier string
		from, to     int64
	}
	seen := map[about]bool{}
	for _, r := range failed { // the newest first
		if r.Period == nil || r.Kind != jobs.ReportReconcile {
			continue
		}
		at := about{r.Job, r.Carrier, r.Period.From.UnixMicro(), r.Period.To.UnixMicro()}
		if seen[at] {
			continue
		}
		seen[at] = true
		latest, err := v.latest(ctx, &r)
		if err != nil {
			return nil, err
		}
		if latest == r.ID {
			list = append(list, r)
		}
	}
	return list, nil
}

// latest returns the latest run of the same job, carrier and period.
func (v *visit) latest(ctx context.Context, r *control.Run) (string, error) {
	list, err := v.Desk.Runs(ctx, jobs.RunFilter{Job: r.Job, Carrier: r.Carrier, From: r.Period.From, To: r.Period.To})
	for _, x := range list {
		if x.Period != nil && x.Period.From.Equal(r.Period.From) && x.Period.To.Equal(r.Period.To) {
			return x.ID, err
		}
	}
	return "", err
}

// urgent returns the reports that a person should look at, those with the
// latest periods first and of these those that differ most.
func urgent(reports []control.Report) (list []control.Report) {
	for _, r := range reports {
		if r.Verdict == "dispute" || r.Verdict == "warning" {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b control.Report) int {
		return cmp.Or(b.Period.To.Compare(a.Period.To), cmp.Compare(size(b), size(a)))
	})
	return list[:min(len(list), mostUrgent)]
}

// size is how much the sides differ: any difference is more than any share of
// nothing.
func size(r control.Report) int64 {
	if r.Microsoft.DurationMS == 0 && r.CarrierSide.DurationMS != 0 {
		return math.MaxInt64
	}
	return max(r.DifferencePPM, -r.DifferencePPM)
}

// spot is a period of a carrier.
type spot struct{ carrier, period string }

func cellsOf(reports []control.Report, runs []control.Run) map[spot]cell {
	cells := map[spot]cell{}
	for i := range reports {
		r := &reports[i]
		cells[spot{r.Carrier, r.Period.Text}] = cell{Period: r.Period.Text, Report: r}
	}
	for i := range runs {
		r := &runs[i]
		if r.Period == nil || r.Kind != jobs.ReportReconcile {
			continue
		}
		at := spot{r.Carrier, r.Period.Text}
		c := cells[at]
		over := r.State == string(jobs.RunFailed)
		if over && c.Report != nil && c.Report.Published.After(r.Finished) {
			continue // it has been made good
		}
		c.Period, c.Run = r.Period.Text, r
		cells[at] = c
	}
	return cells
}

// gridOf arranges the periods of one length, the latest last.
func gridOf(name string, months bool, most int, carriers []control.Carrier, cells map[spot]cell) grid {
	g := grid{Name: name, Wide: months}
	layout := time.DateOnly
	if months {
		layout = "2006-01"
	}
	for at := range cells {
		if _, err := time.Parse(layout, at.period); err == nil && !slices.Contains(g.Periods, at.period) {
			g.Periods = append(g.Periods, at.period)
		}
	}
	slices.Sort(g.Periods)
	g.Periods = g.Periods[max(0, len(g.Periods)-most):]
	for _, c := range carriers {
		row := gridRow{Carrier: c.Name}
		for _, p := range g.Periods {
			x := cells[spot{c.Name, p}]
			x.Period = p
			row.Cells = append(row.Cells, x)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
