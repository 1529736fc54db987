package api

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/control"
)

//go:embed openapi.yaml
var openAPI []byte

func (c *call) document() error {
	c.w.body(http.StatusOK, "application/yaml", openAPI)
	return nil
}

// health is what /healthz and /readyz answer.
type health struct {
	Status string `json:"status"`
}

func (c *call) healthy() error { return c.w.json(http.StatusOK, health{"alive"}) }

func (c *call) ready() error {
	if c.Ready != nil {
		if err := c.Ready(c.r.Context()); err != nil {
			c.Log.Warn("not ready", "error", err.Error())
			return &control.Refusal{Kind: control.Unavailable, Text: "the service cannot do its work; its log says why"}
		}
	}
	return c.w.json(http.StatusOK, health{"ready"})
}

func (c *call) metrics() error {
	if c.Metrics == nil {
		return &control.Refusal{Kind: control.NotFound, Text: "this service has no metrics"}
	}
	c.Metrics.ServeHTTP(c.w, c.r)
	return nil
}

func (c *call) jobs() error {
	list, err := c.Operations.Jobs(c.r.Context())
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, jobList{list})
}

func (c *call) job() error {
	j, err := c.Operations.Job(c.r.Context(), c.r.PathValue("job"))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, j)
}

func (c *call) runs() error {
	q, n := c.q, c.q.limit()
	f := jobs.RunFilter{
		Job: q.text("job"), Carrier: q.text("carrier"), From: q.time("from"), To: q.time("to"),
		State: jobs.RunState(q.oneOf("state", "queued", "running", "succeeded", "failed", "cancelled")),
		File:  q.text("file"), Report: q.text("report"), Before: q.text("before"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Runs(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(r control.Run) string { return r.ID })
	return c.w.json(http.StatusOK, runList{items, next})
}

func (c *call) run() error {
	r, err := c.Operations.Run(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, r)
}

func (c *call) files() error {
	q, n := c.q, c.q.limit()
	f := jobs.FileFilter{
		Carrier: q.text("carrier"), Side: q.oneOf("side", "carrier", "microsoft"), Name: q.text("name"),
		Status: landing.Status(q.oneOf("status", string(landing.StatusAccepted), string(landing.StatusPartly), string(landing.StatusDuplicate), string(landing.StatusRejected))),
		Since:  q.time("since"), Before: q.text("before"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Files(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(f control.File) string { return f.ID })
	return c.w.json(http.StatusOK, fileList{items, next})
}

func (c *call) file() error {
	unmask := c.q.boolean("unmask")
	if err := c.q.err(); err != nil {
		return err
	}
	if unmask && !unmaskers.admits(c.role) {
		c.deny("file "+c.r.PathValue("id")+" unmask", fmt.Sprintf("names may hold phone numbers, which the role %s does not see; use a token of %s", c.role, unmaskers))
		return nil
	}
	f, err := c.look(c.r.PathValue("id"), unmask)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, f)
}

func (c *call) look(id string, unmask bool) (control.FileDetail, error) {
	if unmask {
		return c.Operations.UnmaskedFile(c.r.Context(), id, c.by)
	}
	return c.Operations.File(c.r.Context(), id)
}

func (c *call) reports() error {
	q, n := c.q, c.q.limit()
	f := jobs.ReportFilter{
		Kind:    q.oneOf("kind", jobs.ReportReconcile, jobs.ReportUsage),
		Carrier: q.text("carrier"), Job: q.text("job"), From: q.time("from"), To: q.time("to"),
		Verdict: q.oneOf("verdict", "ok", "warning", "dispute"), Newest: q.boolean("newest"),
		File: q.text("file"), Before: q.text("before"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Reports(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(r control.Report) string { return r.ID })
	return c.w.json(http.StatusOK, reportList{items, next})
}

func (c *call) report() error {
	r, err := c.Operations.Report(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, r)
}

func (c *call) changes() error {
	n := c.q.limit()
	if err := c.q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Changes(c.r.Context(), c.r.PathValue("id"), c.q.text("after"), n+1)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(x control.Change) string { return x.Case })
	return c.w.json(http.StatusOK, changeList{items, next})
}

func (c *call) alerts() error {
	q, n := c.q, c.q.limit()
	f := jobs.AlertFilter{
		Open: q.boolean("open"), Kind: jobs.AlertKind(q.text("kind")), Carrier: q.text("carrier"), Key: q.text("key"),
		Before: q.text("before"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Alerts(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(a control.Alert) string { return a.ID })
	return c.w.json(http.StatusOK, alertList{items, next})
}

func (c *call) audit() error {
	q, n := c.q, c.q.limit()
	f := jobs.AuditFilter{
		Who: q.text("who"), What: q.text("what"), Object: q.text("object"), Since: q.time("since"),
		Before: q.number("before"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Audit(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(r control.AuditRow) string { return strconv.FormatInt(r.ID, 10) })
	return c.w.json(http.StatusOK, auditList{items, next})
}

func (c *call) carriers() error {
	list, err := c.Operations.Carriers(c.r.Context())
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, carrierList{list})
}

// fileTypes are those of the files of a report, by the end of their names.
var fileTypes = map[string]string{".csv": "text/csv; charset=utf-8", ".json": "application/json", ".html": "text/html; charset=utf-8"}

// reportFile sends a file of a report. A browser keeps it and does not show
// it: what is inside came from outside.
func (c *call) reportFile() (err error) {
	name := c.r.PathValue("name")
	hidden, err := c.hidden(name)
	if err != nil {
		return err
	}
	if hidden {
		c.deny("report "+c.r.PathValue("id")+" evidence", "evidence holds phone numbers, which the role ops does not see; use a token of finance or admin")
		return nil
	}
	f, size, err := c.Operations.OpenReportFile(c.r.Context(), c.r.PathValue("id"), name, c.by)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	kind, ok := fileTypes[path.Ext(name)]
	if !ok {
		kind = "application/octet-stream"
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name)) // it is in the manifest, so it is a plain name
	h.Set("Content-Security-Policy", "sandbox")
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	return c.send(f, size)
}

// hidden reports whether a file of a report is not for this role: evidence is
// not, nor are the files that name inputs when those names may hold numbers.
func (c *call) hidden(name string) (bool, error) {
	if control.Numbers.Has(c.role) || control.Evidence(name) {
		return !control.Numbers.Has(c.role), nil
	}
	r, err := c.Operations.Report(c.r.Context(), c.r.PathValue("id"))
	return slices.ContainsFunc(r.Inputs, func(i control.Input) bool { return jobs.Masked(i.Name) }), err
}

// send copies a file to a client that takes some of it in time.
func (c *call) send(f io.Reader, size int64) error {
	for size > 0 {
		c.w.hurry()
		n, err := io.CopyN(c.w, f, min(size, 256<<10))
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
}
