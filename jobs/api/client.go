package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"concord/jobs/control"
)

// maxAnswer is how long an answer other than a download may be, in bytes.
const maxAnswer = 64 << 20

// Client is control.Operations of a service elsewhere. It is safe for
// concurrent use. The service knows by the token, or the local socket, who
// asks; the By of an operation has no meaning.
type Client struct {
	base  string
	where string // the service for a person
	token string
	http  *http.Client
}

var _ control.Operations = (*Client)(nil)

// NewClient returns a client of the service at an address such as
// https://concord.example.com. It connects when it is asked something. With
// nil it uses http.DefaultTransport.
func NewClient(address, token string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return nil, &control.Refusal{Kind: control.Invalid, Text: fmt.Sprintf("%q is no address of a service; write https://host or http://localhost:8022", address)}
	}
	if u.Scheme == "http" && token != "" && !loopback(u.Hostname()) {
		return nil, &control.Refusal{Kind: control.Invalid, Text: fmt.Sprintf("%s: the token would travel in clear; write https://", address)}
	}
	return &Client{
		base: strings.TrimSuffix(u.String(), "/"), where: "the service at " + u.Host, token: token,
		http: &http.Client{Transport: transport, CheckRedirect: stay},
	}, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// stay follows no redirect: it would take the token elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close gives back idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// request is one call.
type request struct {
	method, path string
	query        url.Values
	body         any // nil: none
	key          string
}

// at makes a path of parts, of which each %s stands for one that is escaped.
func at(format string, parts ...string) string {
	args := make([]any, len(parts))
	for i, p := range parts {
		args[i] = url.PathEscape(p)
	}
	return fmt.Sprintf(format, args...)
}

// open sends a request and returns what was answered, which is no error.
func (c *Client) open(ctx context.Context, q request) (*http.Response, error) {
	r, err := c.newRequest(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // its text has the address a second time
		}
		return nil, &control.Refusal{Kind: control.Unavailable, Text: fmt.Sprintf("%s does not answer: %v; check that it runs, and its address", c.where, err), Err: err}
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, c.refusal(resp)
}

func (c *Client) newRequest(ctx context.Context, q request) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		b, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	address := c.base + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, err
	}
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}

// activeError is the answer to a request that led to nothing new.
type activeError struct{ runs []control.Planned }

// Error implements error.
func (activeError) Error() string { return "the runs are queued or running already" }

// refusal is what an answer of an error says.
func (c *Client) refusal(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var p problem
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if kind != "application/problem+json" || err != nil || json.Unmarshal(b, &p) != nil {
		return &control.Refusal{Kind: control.Unavailable, Text: fmt.Sprintf("%s answered %s, which is no answer of concord; check its address", c.where, resp.Status)}
	}
	if len(p.Runs) > 0 {
		return activeError{p.Runs}
	}
	if _, known := statuses[p.Kind]; !known {
		return fmt.Errorf("%s answered: %s", c.where, p.Detail)
	}
	return &control.Refusal{Kind: p.Kind, Text: p.Detail}
}

// do sends a request and decodes the answer.
func (c *Client) do(ctx context.Context, q request, into any) (err error) {
	resp, err := c.open(ctx, q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("read the answer of %s: %w", c.where, err)
	}
	return nil
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, request{method: http.MethodGet, path: path}, into)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	return c.do(ctx, request{method: http.MethodPost, path: path, body: body}, into)
}

// plan sends a request for runs.
func (c *Client) plan(ctx context.Context, q request) ([]control.Planned, error) {
	var list planList
	err := c.do(ctx, q, &list)
	if active, ok := errors.AsType[activeError](err); ok {
		return active.runs, nil
	}
	return list.Runs, err
}
