package console

import (
	"fmt"
	"net/http"
	"net/url"

	"concord/jobs"
	"concord/jobs/control"
)

func (v *visit) jobs() error {
	list, err := v.Desk.Jobs(v.r.Context())
	if err != nil {
		return err
	}
	return v.page("jobs", "Jobs", list)
}

// jobData is the page of one job, and of what was asked of it.
type jobData struct {
	control.Job
	Runs    []control.Run
	Problem string // why what was asked for was not done
	Said    string // what was done
	Form    url.Values
	// Plan is what a dry run found; Asked says of what.
	Asked string // run or backfill; empty: nothing was asked for
	Plan  []control.Planned
}

func (v *visit) job() error {
	return v.showJob(http.StatusOK, jobData{Said: said[v.r.URL.Query().Get("done")]})
}

// said is what a page says of what was done just before.
var said = map[string]string{
	"paused":  "The job is paused. Its schedule goes on, and its runs wait.",
	"resumed": "The job goes on.",
}

const latestRuns = 15

func (v *visit) showJob(status int, d jobData) (err error) {
	ctx, name := v.r.Context(), v.r.PathValue("job")
	if d.Job, err = v.Desk.Job(ctx, name); err != nil {
		return err
	}
	if d.Runs, err = v.Desk.Runs(ctx, jobs.RunFilter{Job: name, Limit: latestRuns}); err != nil {
		return err
	}
	if d.Form == nil {
		d.Form = url.Values{}
	}
	return v.show(status, "job", "Job "+name, d)
}

// refused shows the job again with what was typed, and why it was not done.
func (v *visit) refused(err error) error {
	r, is := err.(*control.Refusal)
	if !is || r.Kind == control.NotFound {
		return err
	}
	return v.showJob(statuses[r.Kind], jobData{Problem: r.Text, Form: v.r.PostForm})
}

// start shows what runs would read, and starts them when told to after that.
func (v *visit) start() error {
	if err := v.form(); err != nil {
		return err
	}
	f := v.r.PostForm
	if err := chosen(f); err != nil {
		return v.refused(err)
	}
	s := control.Start{
		Job: v.r.PathValue("job"), Carriers: some(f["carrier"]), Period: f.Get("period"),
		DryRun: f.Get("sure") == "", Key: f.Get("key"), By: v.by(),
	}
	list, err := v.Desk.Start(v.r.Context(), s)
	return v.planned("run", s.DryRun, list, err)
}

// backfill shows which runs it would be, and starts them when told to after that.
func (v *visit) backfill() error {
	if err := v.form(); err != nil {
		return err
	}
	f := v.r.PostForm
	if err := chosen(f); err != nil {
		return v.refused(err)
	}
	b := control.Backfill{
		Job: v.r.PathValue("job"), From: f.Get("from"), To: f.Get("to"), Only: control.Only(f.Get("only")),
		Carriers: some(f["carrier"]), DryRun: f.Get("sure") == "", By: v.by(),
	}
	list, err := v.Desk.Backfill(v.r.Context(), b)
	return v.planned("backfill", b.DryRun, list, err)
}

// planned shows a plan, or goes to what was started.
func (v *visit) planned(asked string, dry bool, list []control.Planned, err error) error {
	switch {
	case err != nil:
		return v.refused(err)
	case dry:
		return v.showJob(http.StatusOK, jobData{Asked: asked, Plan: list, Form: v.r.PostForm})
	case len(list) == 1 && list[0].Run != "":
		return v.to(Root + "runs/" + list[0].Run)
	}
	return v.to(Root + "runs?" + url.Values{"job": {v.r.PathValue("job")}}.Encode())
}

// chosen refuses a form with boxes for carriers of which none is checked: no
// name at all would mean every carrier.
func chosen(f url.Values) error {
	if boxes := f["carrier"]; len(boxes) > 0 && len(some(boxes)) == 0 {
		return &control.Refusal{Kind: control.Invalid, Text: "No carrier is checked, and nothing was started: check those that are meant."}
	}
	return nil
}

// some are the values that are not empty.
func some(list []string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// form reads the form of the request.
func (v *visit) form() error {
	if err := v.r.ParseForm(); err != nil {
		return &control.Refusal{Kind: control.Invalid, Text: "The form is longer than it may be, or none.", Err: err}
	}
	return nil
}

func (v *visit) pause() error {
	if err := v.form(); err != nil {
		return err
	}
	j, err := v.Desk.Pause(v.r.Context(), v.r.PathValue("job"), v.r.PostForm.Get("why"), v.by())
	if err != nil {
		return v.refused(err)
	}
	return v.to(Root + "jobs/" + j.Name + "?done=paused")
}

func (v *visit) resume() error {
	j, err := v.Desk.Resume(v.r.Context(), v.r.PathValue("job"), v.by())
	if err != nil {
		return v.refused(err)
	}
	return v.to(Root + "jobs/" + j.Name + "?done=resumed")
}

func (v *visit) rerun() error {
	p, err := v.Desk.Rerun(v.r.Context(), v.r.PathValue("id"), v.by())
	if err != nil {
		return err
	}
	return v.to(fmt.Sprintf("%sruns/%s", Root, p.Run))
}

func (v *visit) cancel() error {
	r, err := v.Desk.Cancel(v.r.Context(), v.r.PathValue("id"), v.by())
	if err != nil {
		return err
	}
	return v.to(Root + "runs/" + r.ID)
}
