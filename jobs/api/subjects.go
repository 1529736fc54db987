package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"concord/jobs"
	"concord/jobs/control"
)

// subjectBody has the number where no log of an address has it.
type subjectBody struct {
	Number string `json:"number"`
}

type erasureList struct {
	Erasures []control.Erasure `json:"erasures"`
}

func (c *call) findSubject() error {
	var b subjectBody
	if err := c.body(&b); err != nil {
		return err
	}
	found, err := c.Operations.FindSubject(c.r.Context(), b.Number, c.by)
	if err != nil {
		return err
	}
	c.w.hurry() // looking may have taken longer than an answer may
	return c.w.json(http.StatusOK, found)
}

func (c *call) eraseSubject() error {
	var b subjectBody
	if err := c.body(&b); err != nil {
		return err
	}
	e, err := c.Operations.EraseSubject(c.r.Context(), b.Number, c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusAccepted, e)
}

func (c *call) erasures() error {
	n := c.q.limit()
	if err := c.q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Erasures(c.r.Context(), n)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, erasureList{list})
}

func (c *call) erasure() error {
	e, err := c.Operations.Erasure(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, e)
}

// FindSubject implements control.Operations.
func (c *Client) FindSubject(ctx context.Context, number string, _ control.By) (f jobs.SubjectFound, err error) {
	return f, c.post(ctx, "/v1/subjects/find", subjectBody{number}, &f)
}

// EraseSubject implements control.Operations.
func (c *Client) EraseSubject(ctx context.Context, number string, _ control.By) (e control.Erasure, err error) {
	return e, c.post(ctx, "/v1/subjects/erase", subjectBody{number}, &e)
}

// Erasures implements control.Operations.
func (c *Client) Erasures(ctx context.Context, limit int) ([]control.Erasure, error) {
	if limit <= 0 || limit > maxLimit {
		limit = maxLimit
	}
	var list erasureList
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/erasures", query: url.Values{"limit": {strconv.Itoa(limit)}}}, &list)
	return list.Erasures, err
}

// Erasure implements control.Operations.
func (c *Client) Erasure(ctx context.Context, id string) (e control.Erasure, err error) {
	return e, c.get(ctx, at("/v1/erasures/%s", id), &e)
}
