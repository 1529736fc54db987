package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// Jobs implements control.Operations.
func (c *Client) Jobs(ctx context.Context) ([]control.Job, error) {
	var list jobList
	err := c.get(ctx, "/v1/jobs", &list)
	return list.Jobs, err
}

// Job implements control.Operations.
func (c *Client) Job(ctx context.Context, name string) (j control.Job, err error) {
	return j, c.get(ctx, at("/v1/jobs/%s", name), &j)
}

// Start implements control.Operations.
func (c *Client) Start(ctx context.Context, s control.Start) ([]control.Planned, error) {
	return c.plan(ctx, request{
		method: http.MethodPost, path: at("/v1/jobs/%s/runs", s.Job), key: s.Key,
		body: startBody{Carriers: s.Carriers, Period: s.Period, DryRun: s.DryRun},
	})
}

// Rerun implements control.Operations.
func (c *Client) Rerun(ctx context.Context, run string, _ control.By) (control.Planned, error) {
	list, err := c.plan(ctx, request{method: http.MethodPost, path: at("/v1/runs/%s/rerun", run)})
	if err != nil {
		return control.Planned{}, err
	}
	if len(list) != 1 {
		return control.Planned{}, fmt.Errorf("%s answered with %d runs instead of one", c.where, len(list))
	}
	return list[0], nil
}

// Backfill implements control.Operations.
func (c *Client) Backfill(ctx context.Context, b control.Backfill) ([]control.Planned, error) {
	return c.plan(ctx, request{
		method: http.MethodPost, path: at("/v1/jobs/%s/backfill", b.Job),
		body: backfillBody{From: b.From, To: b.To, Only: b.Only, Carriers: b.Carriers, DryRun: b.DryRun},
	})
}

// Cancel implements control.Operations.
func (c *Client) Cancel(ctx context.Context, run string, _ control.By) (r control.Run, err error) {
	return r, c.post(ctx, at("/v1/runs/%s/cancel", run), nil, &r)
}

// Pause implements control.Operations.
func (c *Client) Pause(ctx context.Context, job, why string, _ control.By) (j control.Job, err error) {
	return j, c.post(ctx, at("/v1/jobs/%s/pause", job), pauseBody{why}, &j)
}

// Resume implements control.Operations.
func (c *Client) Resume(ctx context.Context, job string, _ control.By) (j control.Job, err error) {
	return j, c.post(ctx, at("/v1/jobs/%s/resume", job), nil, &j)
}

// Reload implements control.Operations.
func (c *Client) Reload(ctx context.Context, _ control.By) ([]string, error) {
	var r reloaded
	err := c.post(ctx, "/v1/reload", nil, &r)
	return r.Changes, err
}

// Carriers implements control.Operations.
func (c *Client) Carriers(ctx context.Context) ([]control.Carrier, error) {
	var list carrierList
	err := c.get(ctx, "/v1/carriers", &list)
	return list.Carriers, err
}

// Run implements control.Operations.
func (c *Client) Run(ctx context.Context, id string) (r control.RunDetail, err error) {
	return r, c.get(ctx, at("/v1/runs/%s", id), &r)
}

// File implements control.Operations.
func (c *Client) File(ctx context.Context, id string) (f control.FileDetail, err error) {
	return f, c.get(ctx, at("/v1/files/%s", id), &f)
}

// Report implements control.Operations.
func (c *Client) Report(ctx context.Context, id string) (r control.ReportDetail, err error) {
	return r, c.get(ctx, at("/v1/reports/%s", id), &r)
}

// OpenReportFile implements control.Operations. Reading fails when the file
// does not come whole.
func (c *Client) OpenReportFile(ctx context.Context, report, name string, _ control.By) (io.ReadCloser, int64, error) {
	resp, err := c.open(ctx, request{method: http.MethodGet, path: at("/v1/reports/%s/files/%s", report, name)})
	if err != nil {
		return nil, 0, err
	}
	return resp.Body, resp.ContentLength, nil
}

// params makes a query of what is not empty.
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// pages gets a list page by page until there are limit items, or all of them.
// step gets one page.
func pages[T any](limit int, query url.Values, from string, step func(url.Values) ([]T, string, error)) (all []T, err error) {
	all = []T{}
	for {
		size := maxLimit
		if limit > 0 {
			size = min(maxLimit, limit-len(all))
		}
		query.Set("limit", strconv.Itoa(size))
		items, next, err := step(query)
		all = append(all, items...)
		if err != nil || next == "" || limit > 0 && len(all) >= limit {
			return all, err
		}
		query.Set(from, next)
	}
}

// Runs implements control.Operations.
func (c *Client) Runs(ctx context.Context, f jobs.RunFilter) ([]control.Run, error) {
	q := params("job", f.Job, "carrier", f.Carrier, "state", string(f.State), "from", when(f.From), "to", when(f.To),
		"file", f.File, "report", f.Report, "before", f.Before)
	return pages(f.Limit, q, "before", func(q url.Values) ([]control.Run, string, error) {
		var list runList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/runs", query: q}, &list)
		return list.Runs, list.Next, err
	})
}

// Files implements control.Operations.
func (c *Client) Files(ctx context.Context, f jobs.FileFilter) ([]control.File, error) {
	q := params("carrier", f.Carrier, "side", f.Side, "status", string(f.Status), "name", f.Name, "since", when(f.Since), "before", f.Before)
	return pages(f.Limit, q, "before", func(q url.Values) ([]control.File, string, error) {
		var list fileList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/files", query: q}, &list)
		return list.Files, list.Next, err
	})
}

// Reports implements control.Operations. A Period is not among what a service
// can be asked; take From and To.
func (c *Client) Reports(ctx context.Context, f jobs.ReportFilter) ([]control.Report, error) {
	if f.Period != nil {
		return nil, &control.Refusal{Kind: control.Invalid, Text: "reports of one period exactly cannot be asked for; take from and to"}
	}
	q := params("kind", f.Kind, "carrier", f.Carrier, "job", f.Job, "from", when(f.From), "to", when(f.To), "verdict", f.Verdict,
		"newest", yes(f.Newest), "file", f.File, "before", f.Before)
	return pages(f.Limit, q, "before", func(q url.Values) ([]control.Report, string, error) {
		var list reportList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/reports", query: q}, &list)
		return list.Reports, list.Next, err
	})
}

// Changes implements control.Operations.
func (c *Client) Changes(ctx context.Context, report, after string, limit int) ([]control.Change, error) {
	return pages(limit, params("after", after), "after", func(q url.Values) ([]control.Change, string, error) {
		var list changeList
		err := c.do(ctx, request{method: http.MethodGet, path: at("/v1/reports/%s/changes", report), query: q}, &list)
		return list.Changes, list.Next, err
	})
}

// Alerts implements control.Operations.
func (c *Client) Alerts(ctx context.Context, f jobs.AlertFilter) ([]control.Alert, error) {
	q := params("open", yes(f.Open), "kind", string(f.Kind), "carrier", f.Carrier, "key", f.Key, "before", f.Before)
	return pages(f.Limit, q, "before", func(q url.Values) ([]control.Alert, string, error) {
		var list alertList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/alerts", query: q}, &list)
		return list.Alerts, list.Next, err
	})
}

// Audit implements control.Operations.
func (c *Client) Audit(ctx context.Context, f jobs.AuditFilter) ([]control.AuditRow, error) {
	before := ""
	if f.Before != 0 {
		before = strconv.FormatInt(f.Before, 10)
	}
	q := params("who", f.Who, "what", f.What, "object", f.Object, "since", when(f.Since), "before", before)
	return pages(f.Limit, q, "before", func(q url.Values) ([]control.AuditRow, string, error) {
		var list auditList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/audit", query: q}, &list)
		return list.Rows, list.Next, err
	})
}
