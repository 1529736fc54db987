package config

import (
	"slices"
	"strings"
	"testing"
)

const (
	hashOne = "$2a$04$N7h5y7wqCB4Z0QVN1QkC8.6JzfdxxRrYqQj1F7m1xjQp2mF4l4hSa"
	hashTwo = "$2a$04$N7h5y7wqCB4Z0QVN1QkC8.6JzfdxxRrYqQj1F7m1xjQp2mF4l4hSb"
)

func TestUsersLogInByTheHashOfTheirPassword(t *testing.T) {
	w := newWorld(t)
	w.write("secrets/bob", 0o600, hashTwo+"\n")
	c := w.good("data: d\nusers:\n  cid: {role: admin, password_hash: \"" + hashOne + "\"}\n  ann: {role: finance, password_hash: \"" + hashOne + "\"}\n  bob: {role: ops, password_hash_file: secrets/bob}\n")
	var names []string
	for _, u := range c.Users {
		names = append(names, u.Name+" "+string(u.Role))
	}
	if !slices.Equal(names, []string{"ann finance", "bob ops", "cid admin"}) {
		t.Errorf("users are %v", names)
	}
	if u, ok := c.User("bob"); !ok || u.PasswordHash.Reveal() != hashTwo || u.PasswordHash.String() != "(secret)" {
		t.Errorf("bob is %v, %v", u, ok)
	}
	if _, ok := c.User("Bob"); ok {
		t.Error("Bob is bob")
	}
}

func TestAProviderGivesRolesByWhatItSays(t *testing.T) {
	w := newWorld(t)
	w.write("secrets/oidc", 0o600, "word\n")
	const head = "data: d\noidc: {issuer: \"https://login.example.com/v2.0\", client_id: c, client_secret_file: secrets/oidc, url: \"https://concord.example.com/\", "
	c := w.good(head + "role_claim: groups, scopes: [groups], roles: {finance: [money], ops: [hands], admin: head}}\n")
	if o := c.OIDC; o.Issuer != "https://login.example.com/v2.0" || o.Secret.Reveal() != "word" || o.URL != "https://concord.example.com" || o.Name != "email" || o.Claim != "groups" {
		t.Errorf("the provider is %+v", o)
	}
	for values, want := range map[string]Role{"": "", "others": "", "money": Finance, "hands": Ops, "head": Admin, "money hands": "", "money hands head": Admin, "Money": ""} {
		if got, err := c.OIDC.Role(strings.Fields(values)); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", values, got, err)
		}
	}
	next := w.good(head + "roles: {finance: [money]}}\n")
	if got := strings.Join(c.Diff(next).Lines(), "; "); got != "oidc: changed" {
		t.Errorf("a reload says %s", got)
	}
}

func TestAReloadSaysWhichUsersHaveChanged(t *testing.T) {
	w := newWorld(t)
	user := func(name, role, hash string) string {
		return "  " + name + ": {role: " + role + ", password_hash: \"" + hash + "\"}\n"
	}
	a := w.good("data: d\nusers:\n" + user("ann", "finance", hashOne) + user("bob", "ops", hashOne) + user("cid", "ops", hashOne))
	b := w.good("data: d\nusers:\n" + user("ann", "admin", hashOne) + user("bob", "ops", hashTwo) + user("dan", "ops", hashOne))
	got := strings.Join(a.Diff(b).Lines(), "; ")
	if want := "users.dan: new; users.cid: removed; users.ann: changed: role; users.bob: changed: password_hash"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
