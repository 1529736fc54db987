package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

type (
	purgeLines struct {
		Lines []jobs.PurgeLine `json:"lines"`
	}
	holdList struct {
		Holds []control.Hold `json:"holds"`
	}
	proofList struct {
		Proofs []control.Proof `json:"proofs"`
		Next   string          `json:"next,omitempty"`
	}
	holdBody struct {
		Carrier string `json:"carrier"`
		Period  string `json:"period"`
		Why     string `json:"why"`
	}
	releaseBody struct {
		Why string `json:"why"`
	}
)

func (c *call) foreseePurge() error {
	list, err := c.Operations.ForeseePurge(c.r.Context(), strings.FieldsFunc(c.q.text("carrier"), func(r rune) bool { return r == ',' }))
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, purgeLines{list})
}

func (c *call) holds() error {
	standing := c.q.boolean("standing")
	if err := c.q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Holds(c.r.Context(), c.q.text("carrier"), standing)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, holdList{list})
}

func (c *call) hold() error {
	var b holdBody
	if err := c.body(&b); err != nil {
		return err
	}
	h, err := c.Operations.Hold(c.r.Context(), control.NewHold{Carrier: b.Carrier, Period: b.Period, Why: b.Why, By: c.by})
	if err != nil {
		return err
	}
	return c.w.json(http.StatusCreated, h)
}

func (c *call) release() error {
	var b releaseBody
	if err := c.body(&b); err != nil {
		return err
	}
	h, err := c.Operations.Release(c.r.Context(), c.r.PathValue("id"), b.Why, c.by)
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, h)
}

func (c *call) proofs() error {
	q, n := c.q, c.q.limit()
	f := jobs.ProofFilter{
		Act:   jobs.Act(q.oneOf("act", string(jobs.ActPurge), string(jobs.ActErase), string(jobs.ActHold), string(jobs.ActRelease))),
		Class: q.text("class"), Carrier: q.text("carrier"), Ref: q.text("ref"), Since: q.time("since"), After: q.number("after"), Limit: n + 1,
	}
	if err := q.err(); err != nil {
		return err
	}
	list, err := c.Operations.Proofs(c.r.Context(), f)
	if err != nil {
		return err
	}
	items, next := page(list, n, func(p control.Proof) string { return strconv.FormatInt(p.Seq, 10) })
	return c.w.json(http.StatusOK, proofList{items, next})
}

func (c *call) verifyProofs() error {
	x, err := c.Operations.VerifyProofs(c.r.Context())
	if err != nil {
		return err
	}
	return c.w.json(http.StatusOK, x)
}

// UnmaskedFile implements control.Operations.
func (c *Client) UnmaskedFile(ctx context.Context, id string, _ control.By) (f control.FileDetail, err error) {
	return f, c.do(ctx, request{method: http.MethodGet, path: at("/v1/files/%s", id), query: params("unmask", "true")}, &f)
}

// ForeseePurge implements control.Operations.
func (c *Client) ForeseePurge(ctx context.Context, carriers []string) ([]jobs.PurgeLine, error) {
	var list purgeLines
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/purge", query: params("carrier", strings.Join(carriers, ","))}, &list)
	return list.Lines, err
}

// Holds implements control.Operations.
func (c *Client) Holds(ctx context.Context, carrier string, standing bool) ([]control.Hold, error) {
	var list holdList
	err := c.do(ctx, request{method: http.MethodGet, path: "/v1/holds", query: params("carrier", carrier, "standing", yes(standing))}, &list)
	return list.Holds, err
}

// Hold implements control.Operations. The service makes the id.
func (c *Client) Hold(ctx context.Context, n control.NewHold) (h control.Hold, err error) {
	if n.ID != "" {
		return h, invalid("the id of a hold cannot be chosen")
	}
	return h, c.post(ctx, "/v1/holds", holdBody{n.Carrier, n.Period, n.Why}, &h)
}

// Release implements control.Operations.
func (c *Client) Release(ctx context.Context, id, why string, _ control.By) (h control.Hold, err error) {
	return h, c.post(ctx, at("/v1/holds/%s/release", id), releaseBody{why}, &h)
}

// Proofs implements control.Operations. A service can be asked for them in the
// order of their chain only.
func (c *Client) Proofs(ctx context.Context, f jobs.ProofFilter) ([]control.Proof, error) {
	if f.Latest || f.Before != 0 {
		return nil, invalid("proofs can be asked for in the order of their chain only")
	}
	after := ""
	if f.After != 0 {
		after = strconv.FormatInt(f.After, 10)
	}
	q := params("act", string(f.Act), "class", f.Class, "carrier", f.Carrier, "ref", f.Ref, "since", when(f.Since), "after", after)
	return pages(f.Limit, q, "after", func(q url.Values) ([]control.Proof, string, error) {
		var list proofList
		err := c.do(ctx, request{method: http.MethodGet, path: "/v1/proofs", query: q}, &list)
		return list.Proofs, list.Next, err
	})
}

// VerifyProofs implements control.Operations.
func (c *Client) VerifyProofs(ctx context.Context) (x control.ProofCheck, err error) {
	return x, c.get(ctx, "/v1/proofs/check", &x)
}
