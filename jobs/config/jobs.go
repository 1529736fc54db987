package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"concord/formats/yamltree"
	"concord/jobs/schedule"
)

const (
	exampleJob      = `{kind: reconcile, schedule: "30 6 * * *", period: previous_day}`
	defaultAttempts = 5
	defaultDelay    = 5 * time.Minute
	defaultRemoved  = 50
)

func (r *reader) jobs(y *yamltree.Node) {
	r.names(y, exampleJob, func(name string, y *yamltree.Node) {
		r.c.Jobs = append(r.c.Jobs, r.job(name, y))
	})
	slices.SortFunc(r.c.Jobs, func(a, b *Job) int { return strings.Compare(a.Name, b.Name) })
}

func (r *reader) job(name string, y *yamltree.Node) *Job {
	j := &Job{Name: name, Zone: r.zone, CatchUpTo: schedule.DefaultWindow, Attempts: defaultAttempts, LateFiles: true, LateDelay: defaultDelay, MostRemoved: defaultRemoved}
	set := map[string]func(*yamltree.Node){
		"kind": func(y *yamltree.Node) {
			j.Kind = JobKind(y.OneOf(string(Calls), string(Collect), string(Numbers), string(Purge), string(Reconcile), string(Usage)))
		},
		"schedule": func(y *yamltree.Node) { j.Spec, _ = y.Word(`"30 6 * * *"`) },
		"zone":     func(y *yamltree.Node) { j.Zone = y.Zone() },
		"carriers": func(y *yamltree.Node) { j.Carriers = y.Texts("[fabrikam, litware]") },
		"period": func(y *yamltree.Node) {
			j.Period = schedule.Relative(y.OneOf(string(schedule.PreviousDay), string(schedule.PreviousMonth)))
		},
		"catch_up": func(y *yamltree.Node) {
			j.CatchUp = schedule.CatchUp(y.OneOf(string(schedule.All), string(schedule.Last), string(schedule.None)))
		},
		"catch_up_window": func(y *yamltree.Node) { j.CatchUpTo = lasting(y, "168h", 366*day) },
		"attempts":        func(y *yamltree.Node) { j.Attempts = int(y.Whole(1, 100)) },
		"deadline":        func(y *yamltree.Node) { j.Deadline = lasting(y, "2h", 31*day) },
	}
	reporting(j, set)
	set["most_removed"] = func(y *yamltree.Node) { j.MostRemoved = int(y.Whole(0, 100)) }
	y.Each(set)
	if !y.Has("kind") {
		y.ReportAt("kind", "required: write %s, %s, %s, %s, %s or %s", Calls, Collect, Numbers, Purge, Reconcile, Usage)
	}
	r.timing(j, y)
	return j
}

// reporting adds the settings of reports.
func reporting(j *Job, set map[string]func(*yamltree.Node)) {
	set["late_files"] = func(y *yamltree.Node) { j.LateFiles = y.OneOf(lateRerun, lateWait) == lateRerun }
	set["late_delay"] = func(y *yamltree.Node) { j.LateDelay = lasting(y, "5m", day) }
	set["verdicts"] = func(y *yamltree.Node) { j.Verdicts = y.Boolean() }
	set["users"] = func(y *yamltree.Node) { j.Users = y.Boolean() }
	set["deliver"] = func(y *yamltree.Node) { j.Deliver = y.Boolean() }
}

// What a file that changes a report leads to.
const (
	lateRerun = "rerun"
	lateWait  = "wait"
)

// onlyReconcile reports the settings of reports on a job that makes none, or
// others. What late files lead to can be said of deliveries, too.
func onlyReconcile(j *Job, y *yamltree.Node) {
	for _, name := range []string{"verdicts", "deliver"} {
		if j.Kind == Usage && y.Has(name) {
			y.ReportAt(name, "has no meaning for %s, which sums up reports; remove it", j.Kind)
		}
	}
	if j.Kind == Reconcile || j.Kind == Usage || j.Kind == "" {
		return
	}
	for _, name := range []string{"late_files", "late_delay", "verdicts", "users", "deliver"} {
		if y.Has(name) && !(j.Kind == Calls && strings.HasPrefix(name, "late_")) {
			y.ReportAt(name, "has no meaning for %s, which makes no reports; remove it", j.Kind)
		}
	}
}

// onlyNumbers reports the settings of numbers on a job of another kind.
func onlyNumbers(j *Job, y *yamltree.Node) {
	if j.Kind != Numbers && j.Kind != "" && y.Has("most_removed") {
		y.ReportAt("most_removed", "has no meaning for %s, which takes no listings of numbers; remove it", j.Kind)
	}
}

// timing judges what says when a job runs, and for which time.
func (r *reader) timing(j *Job, y *yamltree.Node) {
	if j.Spec != "" {
		r.needsZone(y)
	}
	if j.Spec != "" {
		zone := time.UTC // where there is none, which was reported
		if j.Zone != nil {
			zone = j.Zone
		}
		s, err := schedule.Parse(j.Spec, zone.String())
		if err != nil {
			reportSchedule(y, j.Spec, err)
		}
		j.Schedule = &s
	}
	onlyReconcile(j, y)
	onlyNumbers(j, y)
	if j.Schedule == nil && !y.Has("schedule") {
		for _, name := range []string{"catch_up", "catch_up_window", "deadline"} {
			if y.Has(name) {
				y.ReportAt(name, "has no meaning without a schedule; remove it")
			}
		}
	}
	if period, ok := y.Get("period"); ok && j.Kind != "" && !j.Kind.HasPeriod() {
		period.Report("has no meaning for %s, which takes what is there; remove it", j.Kind)
	}
	if j.Kind.HasPeriod() && j.Spec != "" && !y.Has("period") {
		y.ReportAt("period", "required: say what a scheduled run is about, %s or %s", schedule.PreviousDay, schedule.PreviousMonth)
	}
	if j.CatchUp == schedule.None && y.Has("catch_up_window") {
		y.ReportAt("catch_up_window", "has no meaning for catch_up: none; remove it")
	}
	if !y.Has("catch_up") {
		j.CatchUp = schedule.All
		if j.Kind != "" && !j.Kind.HasPeriod() { // one run takes all that is there
			j.CatchUp = schedule.Last
		}
	}
}

// reportSchedule reports every fault of a schedule.
func reportSchedule(y *yamltree.Node, spec string, err error) {
	at, _ := y.Get("schedule")
	for text := range strings.SplitSeq(err.Error(), "\n") {
		at.Report("%s", strings.TrimPrefix(text, fmt.Sprintf("schedule %q: ", spec)))
	}
}

// checkJobs sees that the carriers of jobs are there.
func (r *reader) checkJobs() {
	jobs, _ := r.root.Get("jobs")
	for _, j := range r.c.Jobs {
		y, _ := jobs.Get(j.Name)
		if list, ok := y.Get("carriers"); ok {
			r.checkCarriers(list)
		}
	}
}

func (r *reader) checkCarriers(list *yamltree.Node) {
	if list.Kind == yamltree.List && len(list.Items) == 0 {
		list.Report("is empty; list carriers, or remove it for all of them")
	}
	items := list.Items
	if list.Kind == yamltree.Text {
		items = []*yamltree.Node{list}
	}
	var names, seen []string
	if carriers, ok := r.root.Get("carriers"); ok {
		for _, k := range carriers.Keys {
			names = append(names, k.Name)
		}
	}
	for _, item := range items {
		switch like := yamltree.Nearest(item.Text, names); {
		case item.Kind == yamltree.Empty:
			item.Report("is empty; name a carrier")
		case item.Kind != yamltree.Text: // reported
		case slices.Contains(seen, item.Text):
			item.Report("%s is there twice; remove one", item.Text)
		case slices.Contains(names, item.Text):
		case like != "":
			item.Report("there is no carrier %q; did you mean %s?", item.Text, like)
		default:
			item.Report("there is no carrier %q; add it under carriers, or remove it here", item.Text)
		}
		seen = append(seen, item.Text)
	}
}
