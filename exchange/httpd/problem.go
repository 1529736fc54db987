package httpd

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// statusGone is for the audit only: nobody is there to read it.
const statusGone = 499

// problem is an answer of RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Rows are the first rows that are wrong, and MoreRows counts the others.
	Rows     []RowFault `json:"rows,omitempty"`
	MoreRows int        `json:"more_rows,omitempty"`

	wait time.Duration // until the next try; 0: nothing is said of it
}

// Error implements error.
func (p *problem) Error() string { return fmt.Sprintf("%s: %s", p.Title, p.Detail) }

func bad(format string, args ...any) *problem {
	return &problem{Status: http.StatusBadRequest, Title: "the request is not right", Detail: fmt.Sprintf(format, args...)}
}

func tooMany(wait time.Duration) *problem {
	return &problem{Status: http.StatusTooManyRequests, Title: "too many requests", Detail: "wait as long as Retry-After says", wait: wait}
}

func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="carrier"`)
	}
	if p.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.wait.Seconds()))))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who has gone need not be told
}
