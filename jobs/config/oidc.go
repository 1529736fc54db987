package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"concord/formats/yamltree"
)

// OIDC is a provider of identities, by which people log in to the console that
// Users does not name.
type OIDC struct {
	Issuer   string
	ClientID string
	Secret   Secret
	URL      string            // where browsers reach the service, without a path
	Name     string            // the claim that says who it is
	Claim    string            // the claim that says which roles somebody has
	Scopes   []string          // asked for beside openid, profile and email
	Roles    map[Role][]string // the values of Claim that give a role
}

const exampleOIDC = "{issuer: https://login.example.com, client_id: concord, client_secret_file: secrets/oidc, url: https://concord.example.com, roles: …}"

// oidc reads the provider of identities.
func (r *reader) oidc(y *yamltree.Node) {
	if !y.IsObject(exampleOIDC) {
		return
	}
	o := &OIDC{Name: "email", Claim: "roles"}
	r.c.OIDC = o
	set := map[string]func(*yamltree.Node){
		"issuer":     func(y *yamltree.Node) { o.Issuer = issuer(y) },
		"client_id":  func(y *yamltree.Node) { o.ClientID, _ = y.Word("concord") },
		"url":        func(y *yamltree.Node) { o.URL = cloud(y, "https://concord.example.com") },
		"name_claim": func(y *yamltree.Node) { o.Name, _ = y.Word("email") },
		"role_claim": func(y *yamltree.Node) { o.Claim, _ = y.Word("roles") },
		"scopes":     func(y *yamltree.Node) { o.Scopes = y.Texts("[groups]") },
		"roles":      func(y *yamltree.Node) { o.Roles = rolesOf(y) },
	}
	const secret = "client_secret"
	r.secretKeys(set, secret, &o.Secret, nil)
	y.Each(set)
	for _, name := range []string{"issuer", "client_id", "url", "roles"} {
		if !y.Has(name) {
			y.ReportAt(name, "required; the whole is such as %s", exampleOIDC)
		}
	}
	if !hasAny(y, secret+"_file", secret+"_env") {
		y.ReportAt(secret+"_file", "required: name a file with what the provider gave out for the client, or a variable with client_secret_env")
	}
}

// issuer reads the address of a provider, which its tokens name letter by letter.
func issuer(y *yamltree.Node) string {
	const example = "https://login.microsoftonline.com/TENANT/v2.0"
	s, ok := y.Word(example)
	u, err := url.Parse(s)
	switch {
	case !ok:
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery+u.Fragment != "":
		y.Report("is no address of a provider; write one such as %s", example)
	case u.Scheme != "https" && !loopback(u.Host):
		y.Report("would send the secret in clear; write an address that begins with https://")
	}
	return s
}

// rolesOf reads which values of the claim give a role. A value that gave two
// would say nothing.
func rolesOf(y *yamltree.Node) map[Role][]string {
	const example = "{finance: [concord-finance], admin: [concord-admin]}"
	all, taken := map[Role][]string{}, map[string]string{}
	if !y.IsObject(example) {
		return all
	}
	set := map[string]func(*yamltree.Node){}
	for _, role := range []Role{Finance, Ops, Admin} {
		set[string(role)] = func(y *yamltree.Node) {
			for _, v := range y.Texts("[concord-" + string(role) + "]") {
				if other, is := taken[v]; is {
					y.Report("%q is a value of %s, too; each gives one role", v, other)
				}
				taken[v] = y.Path
				all[role] = append(all[role], v)
			}
		}
	}
	y.Each(set)
	if len(taken) == 0 {
		y.Report("gives nobody a role; write such as %s", example)
	}
	return all
}

// Role returns the role that values of the claim give: admin before the others.
// Who would have both of those has none, since what one of them may not do is
// left to somebody else.
func (o *OIDC) Role(values []string) (Role, error) {
	has := func(role Role) bool {
		return slices.ContainsFunc(o.Roles[role], func(v string) bool { return slices.Contains(values, v) })
	}
	switch finance, ops := has(Finance), has(Ops); {
	case has(Admin):
		return Admin, nil
	case finance && ops:
		return "", fmt.Errorf("the provider gives both finance and ops; have one of them taken away, or admin given")
	case finance:
		return Finance, nil
	case ops:
		return Ops, nil
	}
	return "", fmt.Errorf("the provider gives no role of this service in the claim %s", o.Claim)
}

// text differs when a setting does.
func (o *OIDC) text() string {
	if o == nil {
		return ""
	}
	return strings.Join([]string{o.Issuer, o.ClientID, o.Secret.Reveal(), o.URL, o.Name, o.Claim, fmt.Sprint(o.Scopes, o.Roles)}, "\n")
}
