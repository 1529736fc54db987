package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"concord/jobs/config"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// CallbackPath is where the provider sends browsers back to.
const CallbackPath = "/console/oidc/callback"

const (
	errandTime   = 10 * time.Minute // for a login at the provider
	providerTime = 10 * time.Second // for one answer of the provider
	retryAfter   = 10 * time.Second // after the provider could not be reached
	maxName      = 200              // of a user, in bytes
)

// DeniedError says why somebody whom the provider knows, or does not, is not let
// in. It holds nothing that a browser has sent.
type DeniedError struct{ Text string }

// Error implements error.
func (d *DeniedError) Error() string { return d.Text }

// Errand is what a browser is sent to the provider with, and brings back: only
// the one that was sent away is let in.
type Errand struct {
	State, Nonce, Verifier string
	To                     string // where the person was going
}

func (e Errand) text() string {
	b, err := json.Marshal(e)
	if err != nil {
		return "" // texts can be written
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func errandOf(text string) (e Errand) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &e) != nil {
		return Errand{}
	}
	return e
}

// provider is what is known of the provider of the configuration.
type provider struct {
	mu     sync.Mutex
	issuer string
	found  *oidc.Provider
	failed time.Time // when it could not be reached
}

var providerClient = &http.Client{Timeout: providerTime}

// find returns the provider of an issuer, which it asks once. Who cannot be
// reached is asked again after a while.
func (p *provider) find(ctx context.Context, issuer string, now time.Time) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.issuer != issuer {
		p.issuer, p.found, p.failed = issuer, nil, time.Time{}
	}
	if p.found != nil {
		return p.found, nil
	}
	if now.Sub(p.failed) < retryAfter {
		return nil, errors.New("the provider of identities could not be reached just now")
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, providerClient), issuer)
	if err != nil {
		p.failed = now
		return nil, fmt.Errorf("ask the provider of identities: %w", err)
	}
	p.found = found
	return found, nil
}

// ByProvider reports whether people may log in by a provider of identities.
func (a *Accounts) ByProvider() bool { return a.Config().OIDC != nil }

// Send begins a login at the provider: the browser keeps the errand and goes to
// the address.
func (a *Accounts) Send(ctx context.Context, to string) (address string, e Errand, err error) {
	c, _, err := a.client(ctx)
	if err != nil {
		return "", e, err
	}
	e = Errand{State: newToken(), Nonce: newToken(), Verifier: oauth2.GenerateVerifier(), To: to}
	return c.AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier)), e, nil
}

// client returns what the service is at the provider, and how its tokens are
// checked.
func (a *Accounts) client(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	o := a.Config().OIDC
	if o == nil {
		return nil, nil, &DeniedError{"The configuration has no provider of identities; log in by a password."}
	}
	p, err := a.provider.find(ctx, o.Issuer, a.Now())
	if err != nil {
		return nil, nil, err
	}
	algorithms := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
	v := p.VerifierContext(oidc.ClientContext(ctx, providerClient), &oidc.Config{ClientID: o.ClientID, SupportedSigningAlgs: algorithms, Now: a.Now})
	return &oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.Secret.Reveal(), Endpoint: p.Endpoint(), RedirectURL: o.URL + CallbackPath,
		Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, o.Scopes...),
	}, v, nil
}

// Return ends a login at the provider: it returns the token of a session, a
// *DeniedError or a *WaitError. query is what the provider has sent the browser
// back with.
func (a *Accounts) Return(ctx context.Context, e Errand, query url.Values, from netip.Addr) (token string, err error) {
	o := a.Config().OIDC
	switch {
	case e.State == "" || subtle.ConstantTimeCompare([]byte(e.State), []byte(query.Get("state"))) == 0:
		return "", &DeniedError{"This login was not begun in this browser, or too long ago. Begin again."}
	case o == nil:
		return "", &DeniedError{"The configuration has no provider of identities any more."}
	}
	now := a.Now()
	if wait := a.guard.attempt(from, "", now); wait > 0 {
		return "", &WaitError{wait}
	}
	s, err := a.identify(ctx, o, e, query)
	if _, denied := errors.AsType[*DeniedError](err); denied {
		who := "unknown"
		if s.name != "" {
			who = s.name
		}
		a.Log.Warn("a login by the provider was refused", "address", from.String(), "why", err.Error())
		return "", errors.Join(err, a.note(ctx, who, DeedDenied, from.String()))
	}
	if err != nil {
		if ctx.Err() == nil { // who hangs up may have been told enough
			a.guard.forgive(from, now)
		}
		return "", err
	}
	a.guard.welcome(from, "", now)
	if err := a.note(ctx, s.name, DeedLogin, from.String()); err != nil {
		return "", err
	}
	return a.sessions.begin(s, now), nil
}

// identify asks the provider who it is. A session that is denied has the name
// when the provider vouches for it.
func (a *Accounts) identify(ctx context.Context, o *config.OIDC, e Errand, query url.Values) (s session, err error) {
	code := query.Get("code")
	if iss := query.Get("iss"); iss != "" && iss != o.Issuer || query.Has("error") || code == "" {
		return s, &DeniedError{"The provider has not let you in."}
	}
	client, verifier, err := a.client(ctx)
	if err != nil {
		return s, err
	}
	answer, err := client.Exchange(oidc.ClientContext(ctx, providerClient), code, oauth2.VerifierOption(e.Verifier))
	if r, is := errors.AsType[*oauth2.RetrieveError](err); is && r.Response.StatusCode < http.StatusInternalServerError {
		a.Log.Warn("the provider of identities takes no code", "status", r.Response.StatusCode)
		return s, &DeniedError{"The provider does not know of this login. Begin again."}
	}
	if err != nil {
		return s, fmt.Errorf("ask the provider of identities who it is: %w", err)
	}
	raw, _ := answer.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		a.Log.Warn("a token of the provider of identities is not good", "error", err.Error())
		return s, &DeniedError{"What the provider says cannot be trusted; the service's log says why."}
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(e.Nonce)) == 0 {
		return s, &DeniedError{"What the provider says is about another login. Begin again."}
	}
	return a.sessionOf(o, id)
}

// sessionOf reads who a token is of and what that person may do.
func (a *Accounts) sessionOf(o *config.OIDC, id *oidc.IDToken) (s session, err error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return s, fmt.Errorf("read what the provider of identities says: %w", err)
	}
	name, _ := claims[o.Name].(string)
	if verified, said := claims["email_verified"].(bool); o.Name == "email" && said && !verified {
		return s, &DeniedError{"The provider has not seen to it that the e-mail address is yours."}
	}
	if !a.nameable(name) {
		return s, &DeniedError{fmt.Sprintf("The provider gives no name in the claim %s that the audit trail could have.", o.Name)}
	}
	s = session{name: name, issuer: o.Issuer, client: o.ClientID, values: texts(claims[o.Claim])}
	if _, err := o.Role(s.values); err != nil {
		return s, &DeniedError{"You are not let in: " + err.Error() + "."}
	}
	return s, nil
}

// nameable reports whether the audit trail can have a name without taking it for
// that of somebody else.
func (a *Accounts) nameable(name string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || name == "unknown" || strings.HasPrefix(name, "local:") || len(name) > maxName || strings.ContainsFunc(name, odd) || strings.TrimSpace(name) != name {
		return false
	}
	c := a.Config()
	_, user := c.User(name)
	return !user && !slices.ContainsFunc(c.HTTP.Tokens, func(t config.Token) bool { return t.Name == name })
}

// texts are the texts of a claim, which is one or a list.
func texts(claim any) (all []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			if s, is := x.(string); is {
				all = append(all, s)
			}
		}
	}
	return all
}

// guest returns whom a session by the provider is of: with the role that the
// configuration gives now for what the provider said then.
func (a *Accounts) guest(s *session) (Person, bool) {
	o := a.Config().OIDC
	if o == nil || o.Issuer != s.issuer || o.ClientID != s.client || !a.nameable(s.name) {
		return Person{}, false
	}
	role, err := o.Role(s.values)
	return Person{Name: s.name, Role: role}, err == nil
}
