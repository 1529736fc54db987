package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/jobs/control"
)

const (
	defaultLimit = 50
	maxLimit     = 1000
	maxBody      = 64 << 10
	maxKey       = 200
)

func invalid(format string, args ...any) error {
	return &control.Refusal{Kind: control.Invalid, Text: fmt.Sprintf(format, args...)}
}

// query reads the parameters of a request, and remembers what is wrong.
type query struct {
	values url.Values
	errs   []string
}

// only refuses parameters that the route does not know, or that come twice.
func (q *query) only(known []string) error {
	for name, values := range q.values {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return invalid("there is no parameter %q: this path has none", name)
		case !slices.Contains(known, name):
			return invalid("there is no parameter %q; there are %s", name, strings.Join(known, ", "))
		case len(values) > 1:
			return invalid("the parameter %s is given twice", name)
		}
	}
	return nil
}

func (q *query) wrong(format string, args ...any) {
	q.errs = append(q.errs, fmt.Sprintf(format, args...))
}

func (q *query) err() error {
	if len(q.errs) == 0 {
		return nil
	}
	return invalid("%s", strings.Join(q.errs, "; "))
}

func (q *query) text(name string) string { return q.values.Get(name) }

// oneOf returns a word of a list, or "".
func (q *query) oneOf(name string, words ...string) string {
	s := q.text(name)
	if s != "" && !slices.Contains(words, s) {
		q.wrong("%s: write one of %s", name, strings.Join(words, ", "))
	}
	return s
}

// time returns a time, or the beginning of a day in UTC.
func (q *query) time(name string) time.Time {
	s := q.text(name)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	q.wrong("%s: write a time such as 2026-10-01T00:00:00Z, or a day such as 2026-10-01", name)
	return time.Time{}
}

func (q *query) boolean(name string) bool {
	return q.oneOf(name, "true", "false") == "true"
}

// limit is how many items are wanted.
func (q *query) limit() int {
	s := q.text("limit")
	if s == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		q.wrong("limit: write a number from 1 to %d", maxLimit)
		return defaultLimit
	}
	return n
}

func (q *query) number(name string) int64 {
	s := q.text(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		q.wrong("%s: write a whole number", name)
	}
	return n
}

// page cuts a list, of which one more than limit was asked for, and says what
// to go on with.
func page[T any](list []T, limit int, id func(T) string) (items []T, next string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], id(list[limit-1])
}

// body reads the one JSON object of a request; none is an empty one.
func (c *call) body(v any) error {
	if kind := c.r.Header.Get("Content-Type"); kind != "" {
		if t, _, err := mime.ParseMediaType(kind); err != nil || t != "application/json" {
			return invalid("the body must be application/json")
		}
	}
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is something after its end")
	}
	return invalid("the body: %s", bodyFault(err))
}

// bodyFault says what is wrong without the value, which may be anything.
func bodyFault(err error) string {
	var kind *json.UnmarshalTypeError
	var size *http.MaxBytesError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &size):
		return fmt.Sprintf("it is longer than %d bytes", size.Limit)
	case errors.As(err, &kind) && kind.Field == "":
		return "it must be an object"
	case errors.As(err, &kind):
		return fmt.Sprintf("%s must be a %s", kind.Field, kind.Type)
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends in the middle"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// key is what makes a request one that can be repeated.
func (c *call) key() (string, error) {
	k := c.r.Header.Get("Idempotency-Key")
	if len(k) > maxKey || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", invalid("Idempotency-Key: write up to %d letters, digits and signs without spaces", maxKey)
	}
	return k, nil
}
