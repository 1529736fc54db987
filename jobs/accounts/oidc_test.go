package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs/accounts"
	"concord/jobs/accounts/oidctest"
	"concord/jobs/config"

	"golang.org/x/crypto/bcrypt"
)

// byProvider is a door at which people are let in by a provider, too.
func byProvider(t *testing.T) (*door, *oidctest.Provider) {
	t.Helper()
	d, p := newDoor(t), oidctest.New(t)
	d.by(t, p, "finance: [money], ops: [hands, feet], admin: [head]")
	p.Claims["email"], p.Claims["roles"] = "eva@example.com", []string{"feet", "others"}
	return d, p
}

// by configures the provider, and a user and a token beside it.
func (d *door) by(t *testing.T, p *oidctest.Provider, roles string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := fmt.Sprintf("data: d\nusers: {ann: {role: finance, password_hash: %q}}\nhttp: {tokens: [{name: grafana, role: ops, sha256: %s}]}\n", hash, strings.Repeat("ab", 32))
	if p != nil {
		text += fmt.Sprintf("oidc: {issuer: %q, client_id: concord, client_secret_file: secret, url: \"http://127.0.0.1:8022\", roles: {%s}}\n", p.URL, roles)
	}
	for name, text := range map[string]string{"secret": oidctest.ClientSecret + "\n", "concord.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d.cfg, err = config.Load(filepath.Join(dir, "concord.yaml")); err != nil {
		t.Fatal(err)
	}
}

// errand goes to the provider and returns what the browser comes back with.
func (d *door) errand(t *testing.T) (accounts.Errand, url.Values) {
	t.Helper()
	address, e, err := d.Send(t.Context(), "/console/jobs")
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	back, err := res.Location()
	if err != nil || back.Path != accounts.CallbackPath {
		t.Fatalf("the provider sends back to %v, %v", back, err)
	}
	return e, back.Query()
}

func (d *door) come(t *testing.T) (string, error) {
	t.Helper()
	e, q := d.errand(t)
	return d.Return(t.Context(), e, q, home)
}

func TestTheProviderLetsInWithTheRoleOfItsClaims(t *testing.T) {
	d, p := byProvider(t)
	for claim, want := range map[any]config.Role{"money": config.Finance, "hands": config.Ops, "head": config.Admin} {
		p.Claims["roles"] = claim
		token, err := d.come(t)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := d.Person(token, accounts.ByHand); !ok || got != (accounts.Person{Name: "eva@example.com", Role: want}) {
			t.Errorf("%v: the session is of %v, %v", claim, got, ok)
		}
	}
	if len(d.rows) != 3 || d.rows[0] != "eva@example.com session.login 192.0.2.7" {
		t.Errorf("noted: %v", d.rows)
	}
}

func TestAReloadIsAskedWhatThePersonMay(t *testing.T) {
	d, p := byProvider(t)
	token, err := d.come(t)
	if err != nil {
		t.Fatal(err)
	}
	d.by(t, p, "admin: [feet]")
	if got, ok := d.Person(token, accounts.ByHand); !ok || got.Role != config.Admin {
		t.Errorf("with another role it is %v, %v", got, ok)
	}
	d.by(t, p, "finance: [money]")
	if got, ok := d.Person(token, accounts.ByHand); ok {
		t.Errorf("without a role there is a session of %v", got)
	}
	d.by(t, p, "ops: [feet]")
	if _, ok := d.Person(token, accounts.ByHand); ok {
		t.Error("a session that has ended is back")
	}
	if token, err = d.come(t); err != nil {
		t.Fatal(err)
	}
	d.by(t, nil, "")
	if got, ok := d.Person(token, accounts.ByHand); ok {
		t.Errorf("without a provider there is a session of %v", got)
	}
	if d.ByProvider() {
		t.Error("there is a provider")
	}
}

func TestWhatTheProviderSaysIsChecked(t *testing.T) {
	d, p := byProvider(t)
	sound := p.Claims
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"for another client":       {map[string]any{"aud": "another"}, "cannot be trusted"},
		"by another provider":      {map[string]any{"iss": "https://login.example.com"}, "cannot be trusted"},
		"of yesterday":             {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, "cannot be trusted"},
		"about another login":      {map[string]any{"nonce": "another"}, "about another login"},
		"without a nonce":          {map[string]any{"nonce": nil}, "about another login"},
		"without a name":           {map[string]any{"email": nil}, "no name in the claim email"},
		"a name that is no text":   {map[string]any{"email": 7}, "no name in the claim email"},
		"a name of two lines":      {map[string]any{"email": "eva\nann"}, "no name in the claim email"},
		"the name of a user":       {map[string]any{"email": "ann"}, "no name in the claim email"},
		"the name of the machine":  {map[string]any{"email": "local:root"}, "no name in the claim email"},
		"the name of a program":    {map[string]any{"email": "grafana"}, "no name in the claim email"},
		"an address of no one":     {map[string]any{"email_verified": false}, "e-mail address is yours"},
		"without a role":           {map[string]any{"roles": nil}, "no role of this service in the claim roles"},
		"with a role of others":    {map[string]any{"roles": []string{"others"}}, "no role of this service"},
		"with roles that conflict": {map[string]any{"roles": []string{"money", "hands"}}, "both finance and ops"},
	} {
		p.Claims = map[string]any{}
		for k, v := range sound {
			p.Claims[k] = v
		}
		for k, v := range c.claims {
			p.Claims[k] = v
		}
		d.Accounts = d.again()
		if token, err := d.come(t); !denied(err, c.want) || token != "" {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	p.Claims, p.Key = sound, oidctest.NewKey(t)
	d.Accounts = d.again()
	if _, err := d.come(t); !denied(err, "cannot be trusted") {
		t.Errorf("signed by another key: %v", err)
	}
	for _, row := range d.rows {
		if !strings.Contains(row, accounts.DeedDenied) {
			t.Errorf("noted: %s", row)
		}
	}
}

// again returns the same door with nothing counted.
func (d *door) again() *accounts.Accounts {
	return accounts.New(accounts.Options{Config: func() *config.Config { return d.cfg }, Note: d.note})
}

func denied(err error, want string) bool {
	e, is := errors.AsType[*accounts.DeniedError](err)
	return is && strings.Contains(e.Text, want)
}

func TestOnlyTheBrowserThatWasSentIsLetIn(t *testing.T) {
	d, _ := byProvider(t)
	e, q := d.errand(t)
	other, _ := d.errand(t)
	for name, e := range map[string]accounts.Errand{"of another browser": other, "of none": {}, "with another key to the code": {State: e.State, Nonce: e.Nonce, Verifier: other.Verifier}} {
		if token, err := d.Return(t.Context(), e, q, home); !denied(err, "egin again") || token != "" {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	e, q = d.errand(t)
	if _, err := d.Return(t.Context(), e, q, home); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Return(t.Context(), e, q, home); !denied(err, "does not know of this login") {
		t.Errorf("the same code again: %v", err)
	}
	for name, change := range map[string][2]string{"refused there": {"error", "access_denied"}, "of another provider": {"iss", "https://evil.example"}, "without a code": {"code", ""}} {
		e, q := d.errand(t)
		q.Set(change[0], change[1])
		d.Accounts = d.again()
		if _, err := d.Return(t.Context(), e, q, home); !denied(err, "has not let you in") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoTriesCodesWaits(t *testing.T) {
	d, _ := byProvider(t)
	e, q := d.errand(t)
	q.Set("code", "guessed")
	for range 5 {
		if _, err := d.Return(t.Context(), e, q, home); !denied(err, "does not know") {
			t.Fatal(err)
		}
	}
	if _, err := d.Return(t.Context(), e, q, home); !waits(err) {
		t.Errorf("the sixth code: %v", err)
	}
}

func TestAProviderThatIsDownIsNoRefusal(t *testing.T) {
	d, p := byProvider(t)
	p.Down = true
	for range 8 { // and is not held against who comes from there
		if token, err := d.come(t); err == nil || denied(err, "") || token != "" || !strings.Contains(err.Error(), "who it is") {
			t.Errorf("got %q, %v", token, err)
		}
	}
	p.Close()
	d.Accounts = d.again()
	for range 2 {
		if _, _, err := d.Send(t.Context(), "/"); err == nil || denied(err, "") {
			t.Errorf("a provider that is not there: %v", err)
		}
	}
	if len(d.rows) != 0 {
		t.Errorf("noted: %v", d.rows)
	}
}

func TestAnErrandIsGoodForOneReturn(t *testing.T) {
	door, w := accounts.Door{Secure: true}, httptest.NewRecorder()
	want := accounts.Errand{State: "s", Nonce: "n", Verifier: "v", To: "/console/jobs?x=ü"}
	door.SendAway(w, want)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, accounts.CallbackPath, nil)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie is %s", c)
		}
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	if got := door.WelcomeBack(w, r); got != want {
		t.Errorf("got %v", got)
	}
	if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, "Max-Age=0") {
		t.Errorf("the browser keeps it: %s", c)
	}
	r.Header.Set("Cookie", "__Host-concord-oidc=nonsense")
	if got := door.WelcomeBack(httptest.NewRecorder(), r); got != (accounts.Errand{}) {
		t.Errorf("nonsense is %v", got)
	}
}
