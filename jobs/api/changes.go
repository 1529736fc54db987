package api

import (
	"net/http"

	"concord/jobs/control"
)

// The bodies of lists; Next is what to go on with, empty at the end.
type (
	jobList struct {
		Jobs []control.Job `json:"jobs"`
	}
	runList struct {
		Runs []control.Run `json:"runs"`
		Next string        `json:"next,omitempty"`
	}
	fileList struct {
		Files []control.File `json:"files"`
		Next  string         `json:"next,omitempty"`
	}
	reportList struct {
		Reports []control.Report `json:"reports"`
		Next    string           `json:"next,omitempty"`
	}
	changeList struct {
		Changes []control.Change `json:"changes"`
		Next    string           `json:"next,omitempty"`
	}
	alertList struct {
		Alerts []control.Alert `json:"alerts"`
		Next   string          `json:"next,omitempty"`
	}
	auditList struct {
		Rows []control.AuditRow `json:"rows"`
		Next string             `json:"next,omitempty"`
	}
	carrierList struct {
		Carriers []control.Carrier `json:"carriers"`
	}
	planList struct {
		Runs []control.Planned `json:"runs"`
	}
	reloaded struct {
		Changes []string `json:"changes"`
	}
)

// The bodies of requests.
type (
	startBody struct {
		Carriers []string `json:"carriers,omitempty"`
		Period   string   `json:"period,omitempty"`
		DryRun   bool     `json:"dry_run,omitempty"`
	}
	backfillBody struct {
		From     string       `json:"from"`
		To       string       `json:"to"`
		Only     control.Only `json:"only,omitempty"`
		Carriers []string     `json:"carriers,omitempty"`
		DryRun   bool         `json:"dry_run,omitempty"`
	}
	pauseBody struct {
		Why string `json:"why"`
	}
	emptyBody struct{}
)

func (c *call) start() error {
	var b startBody
	key, err := c.key()
	if err == nil {
		err = c.body(&b)
	}
	if err != nil {
		return err
	}
	list, err := c.Operations.Start(c.r.Context(), control.Start{
		Job: c.r.PathValue("job"), Carriers: b.Carriers, Period: b.Period, DryRun: b.DryRun, Key: key, By: c.by,
	})
	if err != nil {
		return err
	}
	return c.planned(list, b.DryRun)
}

func (c *call) backfill() error {
	var b backfillBody
	if err := c.body(&b); err != nil {
		return err
	}
	list, err := c.Operations.Backfill(c.r.Context(), control.Backfill{
		Job: c.r.PathValue("job"), From: b.From, To: b.To, Only: b.Only, Carriers: b.Carriers, DryRun: b.DryRun, By: c.by,
	})
	if err != nil {
		return err
	}
	return c.planned(list, b.DryRun || len(list) == 0)
}

func (c *call) rerun() error {
	if err := c.body(&emptyBody{}); err != nil {
		return err
	}
	p, err := c.Operations.Rerun(c.r.Context(), c.r.PathValue("id"), c.by)
	if err != nil {
		return err
	}
	return c.planned([]control.Planned{p}, false)
}

// planned answers with runs that were asked for. When each of them was active
// already, nothing has been done, which is a conflict.
func (c *call) planned(list []control.Planned, dry bool) error {
	if dry {
		return c.w.json(http.StatusOK, planList{list})
	}
	for _, p := range list {
		if p.Outcome != control.Active {
			return c.w.json(http.StatusAccepted, planList{list})
		}
	}
	c.w.problem(http.StatusConflict, problem{
		Kind: "active", Detail: "a run of this job, carrier and period is queued or running: it stands in for a new one",
		Run: list[0].Run, Runs: list,
	})
	return nil
}

func (c *call) cancel() error {
	if err := c.body(&emptyBody{}); err != nil {
		return err
	}
	r, err := c.Operations.Cancel(c.r.Context(), c.r.PathValue("id"), c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, r)
}

func (c *call) pause() error {
	var b pauseBody
	if err := c.body(&b); err != nil {
		return err
	}
	j, err := c.Operations.Pause(c.r.Context(), c.r.PathValue("job"), b.Why, c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, j)
}

func (c *call) resume() error {
	if err := c.body(&emptyBody{}); err != nil {
		return err
	}
	j, err := c.Operations.Resume(c.r.Context(), c.r.PathValue("job"), c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, j)
}

func (c *call) reload() error {
	if err := c.body(&emptyBody{}); err != nil {
		return err
	}
	list, err := c.Operations.Reload(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, reloaded{list})
}
