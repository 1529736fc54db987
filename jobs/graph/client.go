package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"concord/jobs"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Where Microsoft's services are, unless an Access says otherwise.
const (
	Authority = "https://login.microsoftonline.com"
	Endpoint  = "https://graph.microsoft.com"
)

// Access is how one tenant is read. Its app registration needs the application
// permission CallRecords.Read.All or CallRecord-PstnCalls.Read.All.
type Access struct {
	Tenant   string // the customer's tenant, a UUID
	ClientID string
	Secret   func() string
	// Authority and Endpoint are those of a national cloud; empty: the
	// global one's.
	Authority, Endpoint string
	HTTP                *http.Client // nil: one of its own
}

// client calls Graph for one tenant. One goroutine uses it at a time.
type client struct {
	Access
	now   func() time.Time
	fresh bool          // the last answer was that the token is refused
	last  *oauth2.Token // nil: none was asked for, or it was refused
}

// page is one answer of a list.
type page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
}

const (
	maxPage  = 64 << 20 // bytes; a page has up to 1,000 rows of about 700
	timeout  = 2 * time.Minute
	attempts = 8
	longest  = 5 * time.Minute // that an answer may ask to wait, and be waited for
)

// pages calls a func with the rows of each page of a list.
func (c *client) pages(ctx context.Context, first string, do func([]json.RawMessage) error) error {
	for next := first; next != ""; {
		var p page
		if err := c.get(ctx, next, &p); err != nil {
			return err
		}
		if err := do(p.Value); err != nil {
			return err
		}
		if p.Next != "" && !sameHost(p.Next, c.Endpoint) {
			return errors.New("the next page is said to be at another host, which must not see the token")
		}
		if p.Next == next {
			return errors.New("a page is said to be its own next one")
		}
		next = p.Next
	}
	return nil
}

func sameHost(a, b string) bool {
	x, xerr := url.Parse(a)
	y, yerr := url.Parse(b)
	return xerr == nil && yerr == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host) && x.User == nil
}

// get reads one answer. What may pass is tried again: throttling, when Graph
// says so, and what goes wrong on its side or on the way, later each time.
func (c *client) get(ctx context.Context, from string, to *page) error {
	for n := 1; ; n++ {
		wait, err := c.try(ctx, from, to)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if wait < 0 || n == attempts {
			return err
		}
		if wait == 0 {
			wait = time.Second<<n*3/4 + rand.N(time.Second<<n/2)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// never says that an error will not pass.
const never = -1

// try asks once. With an error it says how long to wait before the next try; 0:
// Graph did not say.
func (c *client) try(ctx context.Context, from string, to *page) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	token, wait, err := c.token(ctx)
	if err != nil {
		return wait, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return never, errors.New("the address of a page cannot be read")
	}
	token.SetAuthHeader(req)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask Graph: %w", bare(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("read Graph's answer: %w", bare(err))
	case resp.StatusCode != http.StatusOK:
		return c.refused(resp, body)
	case len(body) > maxPage:
		return never, fmt.Errorf("an answer of Graph has more than %d MiB", maxPage>>20)
	}
	c.fresh = false
	if err := json.Unmarshal(body, to); err != nil {
		return 0, errors.New("an answer of Graph is no page of rows")
	}
	return 0, nil
}

// refused says what to do about an answer that is none.
func (c *client) refused(resp *http.Response, body []byte) (wait time.Duration, err error) {
	err = fmt.Errorf("answer of Graph: %s%s", resp.Status, reason(body))
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized && !c.fresh:
		c.last, c.fresh = nil, true // it may have been revoked
		return time.Millisecond, err
	case s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable:
		return c.retryAfter(resp.Header.Get("Retry-After")), err
	case s >= 500:
		return 0, err
	case s == http.StatusForbidden:
		return never, fmt.Errorf("%w; grant the app the application permission CallRecords.Read.All with admin consent in tenant %s", err, c.Tenant)
	}
	return never, err
}

// retryAfter reads how long Graph asks to wait: seconds or a date; 0: it does
// not say.
func (c *client) retryAfter(text string) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(c.now())
	}
	return max(0, min(wait, longest))
}

// reason is what an error's body says, in short and without numbers.
func reason(body []byte) string {
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Code == "" {
		return ""
	}
	return ": " + short(e.Error.Code) + ": " + short(e.Error.Message)
}

func short(s string) string {
	s, _, _ = strings.Cut(strings.ToValidUTF8(s, "\uFFFD"), "\n")
	return jobs.Mask(s[:min(len(s), 300)])
}

// token returns the token of the app, a new one when the last one is about to
// end.
func (c *client) token(ctx context.Context) (*oauth2.Token, time.Duration, error) {
	if c.last.Valid() {
		return c.last, 0, nil
	}
	cfg := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.Secret(), AuthStyle: oauth2.AuthStyleInParams,
		TokenURL: c.Authority + "/" + url.PathEscape(c.Tenant) + "/oauth2/v2.0/token", Scopes: []string{c.Endpoint + "/.default"},
	}
	t, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, c.HTTP))
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		c.last = t
		return t, 0, nil
	case errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 && refused.Response.StatusCode != http.StatusTooManyRequests:
		return nil, never, fmt.Errorf("the app %s of tenant %s gets no token from Microsoft: %s %s; check its id and secret", c.ClientID, c.Tenant, short(refused.ErrorCode), short(refused.ErrorDescription))
	case refused != nil && refused.Response != nil:
		return nil, 0, fmt.Errorf("no token from Microsoft: %s", refused.Response.Status)
	}
	return nil, 0, fmt.Errorf("ask Microsoft for a token: %w", bare(err))
}

// bare is an error of the network without the address that was asked.
func bare(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}
