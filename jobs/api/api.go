// Package api is how programs and the command line reach a running service:
// control.Operations over HTTP. API.md shows every call, openapi.yaml is its
// contract, which GET /openapi.yaml serves.
//
// A caller is known by a token, which has a role, or by the local socket,
// which only the user of the service and root can open. Bodies and answers are
// JSON, times are RFC 3339 in UTC, errors are application/problem+json (RFC
// 9457). Nothing but the files of reports holds phone numbers; who may have
// those and has them is in the audit trail.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

// Options are what a handler works with. Operations is required.
type Options struct {
	Operations control.Operations
	// Tokens returns those that let in now; nil: none does.
	Tokens func() []config.Token
	// Local lets everybody in as an administrator: for a listener of
	// ListenLocal only, which knows who connects.
	Local bool
	// Note appends to the audit trail who was refused; nil: it is logged only.
	Note func(ctx context.Context, row jobs.AuditRow) error
	// Metrics answers GET /metrics; nil: there are none.
	Metrics http.Handler
	// Ready says whether the service can do its work; nil: it can.
	Ready func(ctx context.Context) error
	Log   *slog.Logger     // nil: none
	Now   func() time.Time // nil: time.Now
}

// Handler returns what answers requests. Its http.Server needs ConnContext, and
// limits of its own for what comes before a request is there; how long a client
// may take for an answer is seen to here.
func Handler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tokens == nil {
		o.Tokens = func() []config.Token { return nil }
	}
	h := &handler{Options: o, mux: http.NewServeMux()}
	for _, rt := range routes() {
		h.mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) { h.answer(&rt, w.(*writer), r) })
	}
	return h
}

type handler struct {
	Options
	mux *http.ServeMux
}

// who may use a route.
type who int

const (
	anybody    who = iota // without a token
	everyRole             // finance, ops and admin
	operators             // ops and admin
	unmaskers             // finance and admin, who may see numbers
	financiers            // finance and admin, who work on cases
	admins
)

// right is what a role needs for that.
func (w who) right() control.Right {
	switch w {
	case operators:
		return control.Operate
	case unmaskers:
		return control.Numbers
	case financiers:
		return control.Settle
	case admins:
		return control.Administer
	}
	return control.Look
}

// admits reports whether a role is one of those.
func (w who) admits(r config.Role) bool { return w.right().Has(r) }

// call is one request that was let in.
type call struct {
	*handler
	w    *writer
	r    *http.Request
	by   control.By
	role config.Role
	q    *query
}

// route is one method of one path.
type route struct {
	method, path string
	who          who
	params       []string // of its query; others are refused
	do           func(*call) error
}

func routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/healthz", anybody, nil, (*call).healthy},
		{get, "/readyz", anybody, nil, (*call).ready},
		{get, "/openapi.yaml", anybody, nil, (*call).document},
		{get, "/metrics", everyRole, nil, (*call).metrics},

		{get, "/v1/jobs", everyRole, nil, (*call).jobs},
		{get, "/v1/jobs/{job}", everyRole, nil, (*call).job},
		{post, "/v1/jobs/{job}/runs", operators, nil, (*call).start},
		{post, "/v1/jobs/{job}/backfill", operators, nil, (*call).backfill},
		{post, "/v1/jobs/{job}/pause", operators, nil, (*call).pause},
		{post, "/v1/jobs/{job}/resume", operators, nil, (*call).resume},

		{get, "/v1/runs", everyRole, []string{"job", "carrier", "state", "from", "to", "file", "report", "before", "limit"}, (*call).runs},
		{get, "/v1/runs/{id}", everyRole, nil, (*call).run},
		{post, "/v1/runs/{id}/rerun", operators, nil, (*call).rerun},
		{post, "/v1/runs/{id}/cancel", operators, nil, (*call).cancel},

		{get, "/v1/files", everyRole, []string{"carrier", "side", "status", "name", "since", "before", "limit"}, (*call).files},
		{get, "/v1/files/{id}", everyRole, []string{"unmask"}, (*call).file},

		{get, "/v1/reports", everyRole, []string{"kind", "carrier", "job", "from", "to", "verdict", "newest", "file", "before", "limit"}, (*call).reports},
		{get, "/v1/reports/{id}", everyRole, nil, (*call).report},
		{get, "/v1/reports/{id}/files/{name}", everyRole, nil, (*call).reportFile},
		{get, "/v1/reports/{id}/changes", everyRole, []string{"after", "limit"}, (*call).changes},

		{get, "/v1/cases", everyRole, append([]string{"after", "limit"}, casesParams...), (*call).cases},
		{get, "/v1/cases/{id}", everyRole, []string{"carrier", "period"}, (*call).oneCase},
		{post, "/v1/cases", financiers, nil, (*call).workOnCases},
		{get, "/v1/case-ages", everyRole, casesParams, (*call).caseAges},
		{get, "/v1/signoffs", everyRole, []string{"carrier", "state", "before", "limit"}, (*call).signOffs},
		{get, "/v1/reports/{id}/signoff", everyRole, nil, (*call).signOff},
		{post, "/v1/reports/{id}/signoff", financiers, nil, (*call).stepSignOff},
		{get, "/v1/reports/{id}/since-signoff", everyRole, []string{"after", "limit"}, (*call).sinceSignOff},

		{get, "/v1/alerts", everyRole, []string{"open", "kind", "carrier", "key", "before", "limit"}, (*call).alerts},
		{get, "/v1/audit", admins, []string{"who", "what", "object", "since", "before", "limit"}, (*call).audit},
		{get, "/v1/carriers", everyRole, nil, (*call).carriers},
		{post, "/v1/reload", admins, nil, (*call).reload},

		{get, "/v1/purge", everyRole, []string{"carrier"}, (*call).foreseePurge},
		{get, "/v1/holds", everyRole, []string{"carrier", "standing"}, (*call).holds},
		{post, "/v1/holds", unmaskers, nil, (*call).hold},
		{post, "/v1/holds/{id}/release", unmaskers, nil, (*call).release},
		{get, "/v1/proofs", everyRole, []string{"act", "class", "carrier", "ref", "since", "after", "limit"}, (*call).proofs},
		{get, "/v1/proofs/check", everyRole, nil, (*call).verifyProofs},

		{post, "/v1/subjects/find", admins, nil, (*call).findSubject},
		{post, "/v1/subjects/erase", admins, nil, (*call).eraseSubject},
		{get, "/v1/erasures", admins, []string{"limit"}, (*call).erasures},
		{get, "/v1/erasures/{id}", admins, nil, (*call).erasure},
	}
}
