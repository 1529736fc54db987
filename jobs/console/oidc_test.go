package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"concord/jobs/accounts/oidctest"
	"concord/jobs/config"
)

// provided lets people in by a provider, too.
func (w *world) provided(t *testing.T) *oidctest.Provider {
	t.Helper()
	p := oidctest.New(t)
	p.Now = w.clock
	next := *w.cfg
	next.OIDC = &config.OIDC{
		Issuer: p.URL, ClientID: oidctest.ClientID, Secret: oidctest.ClientSecret, URL: w.server.URL, Name: "email", Claim: "roles",
		Roles: map[config.Role][]string{config.Finance: {"money"}},
	}
	w.cfg = &next
	p.Claims["email"], p.Claims["roles"] = "eva@example.com", []string{"money"}
	return p
}

func TestALoginByTheProviderLeadsBack(t *testing.T) {
	w := newWorld(t)
	w.provided(t)
	b := w.browser(t)
	_, page := b.get("/console/runs?state=failed")
	if !strings.Contains(page, "log in with your organisation") {
		t.Fatal("the login does not lead to the provider")
	}
	inert(t, "login", page)
	res, err := b.Get(b.base + "/console/oidc?" + url.Values{"to": {"/console/runs?state=failed"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if at := res.Request.URL; res.StatusCode != http.StatusOK || at.RequestURI() != "/console/runs?state=failed" {
		t.Errorf("it leads to %s, which answers %d", at, res.StatusCode)
	}
	if status, page := b.get("/console/"); status != http.StatusOK || !strings.Contains(page, "eva@example.com") {
		t.Errorf("the overview answers %d", status)
	}
	if status, _ := b.post("/console/jobs/monthly/pause", "why", "x"); status != http.StatusForbidden {
		t.Errorf("a pause by finance answers %d", status)
	}
	if rows := w.audit(t, "console.denied"); len(rows) != 1 || !strings.HasPrefix(rows[0], "eva@example.com ") {
		t.Errorf("noted: %v", rows)
	}
	b.post("/console/logout")
	if _, page := b.get("/console/"); !strings.Contains(page, "Password") {
		t.Error("after the logout there is a session")
	}
}

func TestWhomTheProviderGivesNoRoleIsToldSo(t *testing.T) {
	w := newWorld(t)
	p := w.provided(t)
	p.Claims["roles"] = "others"
	status, page := w.browser(t).get("/console/oidc")
	if status != http.StatusUnauthorized || !strings.Contains(page, "gives no role of this service") {
		t.Errorf("it answers %d", status)
	}
	for _, q := range payloads {
		status, page := w.browser(t).get("/console/oidc/callback?" + url.Values{"state": {q}, "code": {q}, "error_description": {q}}.Encode())
		if status != http.StatusUnauthorized || !strings.Contains(page, "not begun in this browser") {
			t.Errorf("a return that nobody has begun answers %d", status)
		}
		inert(t, "return", page)
	}
}
