package api

import (
	"context"
	"fmt"
	"net/http"
	"path"

	"concord/jobs"
	"concord/jobs/control"
)

// ServeHTTP answers one request. What it panics with ends this request only.
func (h *handler) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := &writer{ResponseWriter: rw}
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p) // ends the connection without a word
		}
		if p != nil {
			h.Log.Error("a request met a defect of concord; please report it", "method", r.Method, "what", fmt.Sprintf("%T", p))
			w.problem(http.StatusInternalServerError, problem{Kind: "defect", Detail: "this request met a defect of concord; please report it"})
		}
	}()
	w.hurry()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if h.found(w, r) {
		h.mux.ServeHTTP(w, r)
	}
}

// answer answers a request for a route.
func (h *handler) answer(rt *route, w *writer, r *http.Request) {
	c := &call{handler: h, w: w, r: r, q: &query{values: r.URL.Query()}}
	if !c.admit(rt) {
		return
	}
	err := c.q.only(rt.params)
	if err == nil {
		err = rt.do(c)
	}
	if err != nil {
		c.fail(err)
	}
}

// found reports whether there is a route for a request, or answers that there
// is none.
func (h *handler) found(w *writer, r *http.Request) bool {
	said := discard{http.Header{}}
	if path.Clean(r.URL.Path) == r.URL.Path {
		answer, pattern := h.mux.Handler(r)
		if pattern != "" {
			return true
		}
		answer.ServeHTTP(said, r)
	}
	if allow := said.Header().Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		w.problem(http.StatusMethodNotAllowed, problem{Kind: "method", Detail: "this path takes " + allow})
		return false
	}
	w.problem(http.StatusNotFound, problem{Kind: control.NotFound, Detail: "there is nothing at this path; GET /openapi.yaml lists all there is"})
	return false
}

// discard is a writer of answers that nobody reads.
type discard struct{ header http.Header }

// Header implements http.ResponseWriter.
func (d discard) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (d discard) WriteHeader(int) {}

// admit finds out who calls, or answers why that one may not.
func (c *call) admit(rt *route) bool {
	if rt.who == anybody {
		return true
	}
	if !c.identify() {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
		c.w.problem(http.StatusUnauthorized, problem{
			Kind: control.Unauthenticated, Detail: "send a token that the configuration lists: Authorization: Bearer TOKEN",
		})
		return false
	}
	right := rt.who.right()
	if right.Has(c.role) {
		return true
	}
	c.deny(rt.method+" "+rt.path, fmt.Sprintf("the role %s may not do this; use a token of %s", c.role, right.Roles()))
	return false
}

// String names the roles.
func (w who) String() string { return w.right().Roles() }

// deny answers that the caller may not, and notes that it tried.
func (c *call) deny(what, why string) {
	what = jobs.Mask(what) // a path holds what somebody has typed
	row := jobs.AuditRow{Time: c.Now().UTC(), Who: string(c.by), What: "api.denied", Object: what}
	if c.Note != nil {
		if err := c.Note(context.WithoutCancel(c.r.Context()), row); err != nil {
			c.Log.Error("a refusal could not be noted in the audit trail", "error", err.Error())
		}
	}
	c.Log.Warn("denied", "who", string(c.by), "what", what)
	c.w.problem(http.StatusForbidden, problem{Kind: control.Forbidden, Detail: why})
}
