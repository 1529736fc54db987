// Package console is how people look at a running service and tell it what to
// do, with a browser: CONSOLE.md shows every page.
//
// It only shows. What is asked goes to a Desk, with the name of the person who
// asks, so that the rules of the API hold here, too. Pages are plain HTML: they
// work without JavaScript, which only refreshes what is under way. Numbers are
// masked until somebody who may see them asks for those of one page, which the
// desk notes first. Nothing that came from outside is trusted: templates escape
// it, and a browser runs no script and loads no style but those of assets.
package console

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/accounts"
	"concord/jobs/control"
)

// Desk is who is asked. *control.Desk is one.
type Desk interface {
	control.Operations
	RunLog(ctx context.Context, id string) ([]control.Moment, error)
	Summary(ctx context.Context, report string) (*control.Summary, error)
	Customers(ctx context.Context, report string, most int) ([]control.CustomerUsage, error)
	Discrepancies(ctx context.Context, q control.Question) (report.Answer, error)
	CaseEvidence(ctx context.Context, report, id string, unmask bool, by control.By) (control.CaseEvidence, error)
	Carrier(ctx context.Context, name string) (control.CarrierDetail, error)
	Preview(ctx context.Context, p control.Preview) (control.Previewed, error)
	Standings(ctx context.Context, f jobs.SignOffFilter) ([]control.Standing, error)
}

// Options are what a console works with. Desk, Accounts and Note are required.
type Options struct {
	Desk     Desk
	Accounts *accounts.Accounts
	Door     accounts.Door
	// Note appends to the audit trail who was refused.
	Note func(ctx context.Context, row jobs.AuditRow) error
	Log  *slog.Logger     // nil: none
	Now  func() time.Time // nil: time.Now
}

// Root is the path below which everything of the console is.
const Root = "/console/"

//go:embed assets
var assets embed.FS

// Handler returns what answers requests below Root.
func Handler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &handler{Options: o, mux: http.NewServeMux(), pages: parsePages(), previews: make(chan struct{}, previewsAtOnce), checks: make(chan struct{}, 1)}
	for _, rt := range routes() {
		h.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { h.answer(&rt, w, r) })
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	static := http.StripPrefix(Root+"assets/", http.FileServerFS(files))
	h.mux.HandleFunc("GET "+Root+"assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		static.ServeHTTP(w, r)
	})
	h.mux.HandleFunc("GET "+Root+"login", h.loginPage)
	h.mux.HandleFunc("POST "+Root+"login", h.login)
	h.mux.HandleFunc("GET "+Root+"oidc", h.away)
	h.mux.HandleFunc("GET "+accounts.CallbackPath, h.back)
	h.mux.HandleFunc("POST "+Root+"logout", h.logout)
	return h.guarded()
}

// route is one page or action.
type route struct {
	pattern string
	right   control.Right
	do      func(*visit) error
}

func routes() []route {
	const get, post = "GET " + Root, "POST " + Root
	return []route{
		{get + "{$}", control.Look, (*visit).overview},
		{get + "reports", control.Look, (*visit).reports},
		{get + "reports/{id}", control.Look, (*visit).report},
		{get + "reports/{id}/cases", control.Look, (*visit).cases},
		{post + "reports/{id}/cases", control.Numbers, (*visit).cases},
		{get + "reports/{id}/cases/{case}", control.Look, (*visit).oneCase},
		{post + "reports/{id}/cases/{case}", control.Numbers, (*visit).oneCase},
		{post + "reports/{id}/cases/{case}/work", control.Settle, (*visit).workOnCase},
		{post + "reports/{id}/signoff", control.Settle, (*visit).signOff},
		{get + "reports/{id}/changes", control.Look, (*visit).changes},
		{get + "reports/{id}/since", control.Look, (*visit).since},
		{get + "reports/{id}/files/{name}", control.Look, (*visit).reportFile},
		{get + "signoffs", control.Look, (*visit).signOffs},
		{get + "cases", control.Look, (*visit).register},
		{get + "cases/{case}", control.Look, (*visit).evidenceOf},
		{get + "cases/work", control.Look, (*visit).up},
		{get + "reports/{id}/signoff", control.Look, (*visit).up},
		{get + "reports/{id}/cases/{case}/work", control.Look, (*visit).up},
		{get + "jobs/{job}/run", control.Look, (*visit).up},
		{get + "jobs/{job}/backfill", control.Look, (*visit).up},
		{get + "carriers/{carrier}/preview", control.Look, (*visit).up},
		{post + "cases/work", control.Settle, (*visit).workOnMany},
		{get + "files", control.Look, (*visit).files},
		{get + "files/{id}", control.Look, (*visit).file},
		{post + "files/{id}", control.Numbers, (*visit).file},
		{get + "jobs", control.Look, (*visit).jobs},
		{get + "jobs/{job}", control.Look, (*visit).job},
		{post + "jobs/{job}/run", control.Operate, (*visit).start},
		{post + "jobs/{job}/backfill", control.Operate, (*visit).backfill},
		{post + "jobs/{job}/pause", control.Operate, (*visit).pause},
		{post + "jobs/{job}/resume", control.Operate, (*visit).resume},
		{get + "runs", control.Look, (*visit).runs},
		{get + "runs/{id}", control.Look, (*visit).run},
		{post + "runs/{id}/rerun", control.Operate, (*visit).rerun},
		{post + "runs/{id}/cancel", control.Operate, (*visit).cancel},
		{get + "carriers", control.Look, (*visit).carriers},
		{get + "carriers/{carrier}", control.Look, (*visit).carrier},
		{post + "carriers/{carrier}/preview", control.Operate, (*visit).preview},
		{get + "alerts", control.Look, (*visit).alerts},
		{get + "holds", control.Look, (*visit).holds},
		{post + "holds", control.Settle, (*visit).hold},
		{post + "holds/{id}/release", control.Settle, (*visit).release},
		{get + "proofs", control.Look, (*visit).proofs},
		{get + "proofs/export", control.Look, (*visit).exportProofs},
		{get + "erasures", control.Administer, (*visit).erasures},
		{get + "erasures/{id}", control.Administer, (*visit).erasure},
		{get + "audit", control.Administer, (*visit).audit},
		{post + "reload", control.Administer, (*visit).reload},
	}
}
