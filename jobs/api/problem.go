package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"concord/jobs/control"
)

// problem is the body of every error, as RFC 9457 has it.
type problem struct {
	Type   string       `json:"type"` // problemType and the kind
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Kind   control.Kind `json:"kind"`
	// Run and Runs are the runs that stand in for those that were asked for.
	Run  string            `json:"run,omitempty"`
	Runs []control.Planned `json:"runs,omitempty"`
}

const problemType = "urn:concord:problem:"

// statuses are those of the kinds of refusals.
var statuses = map[control.Kind]int{
	control.Invalid:         http.StatusBadRequest,
	control.NotFound:        http.StatusNotFound,
	control.Conflict:        http.StatusConflict,
	control.Paused:          http.StatusConflict,
	control.Unauthenticated: http.StatusUnauthorized,
	control.Forbidden:       http.StatusForbidden,
	control.Unavailable:     http.StatusServiceUnavailable,
}

// fail answers with an error. One that is no refusal is logged, and its text,
// which may name what is not the caller's business, is not sent.
func (c *call) fail(err error) {
	var r *control.Refusal
	switch {
	case c.w.sent:
		c.Log.Warn("an answer broke off", "who", string(c.by), "path", c.r.Pattern, "error", err.Error())
		panic(http.ErrAbortHandler) // an answer that is cut must not look whole
	case errors.As(err, &r) && statuses[r.Kind] != 0:
		c.w.problem(statuses[r.Kind], problem{Kind: r.Kind, Detail: r.Text})
	case errors.Is(err, context.Canceled):
		c.w.problem(http.StatusServiceUnavailable, problem{Kind: control.Unavailable, Detail: "the service stops; try again later"})
	default:
		c.Log.Error("a request failed", "who", string(c.by), "path", c.r.Pattern, "error", err.Error())
		c.w.problem(http.StatusInternalServerError, problem{Kind: "failed", Detail: "this could not be done; the service's log says why"})
	}
}

// writer is an answer that knows whether it has begun.
type writer struct {
	http.ResponseWriter
	sent bool
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader begins the answer.
func (w *writer) WriteHeader(status int) {
	w.sent = true
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer, if nothing has.
func (w *writer) Write(p []byte) (int, error) {
	w.sent = true
	return w.ResponseWriter.Write(p)
}

// answerTime is how long a client may take for an answer, or for each part of a
// download.
const answerTime = 30 * time.Second

// hurry gives the client some time for what comes next.
func (w *writer) hurry() {
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder of tests has none
}

// json answers with a document.
func (w *writer) json(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.body(status, "application/json", append(b, '\n'))
	return nil
}

func (w *writer) body(status int, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // who has gone does not miss it
}

func (w *writer) problem(status int, p problem) {
	if w.sent {
		panic(http.ErrAbortHandler)
	}
	p.Type, p.Title, p.Status = problemType+string(p.Kind), http.StatusText(status), status
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings
	}
	w.body(status, "application/problem+json", append(b, '\n'))
}
