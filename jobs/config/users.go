package config

import (
	"slices"
	"strings"

	"concord/exchange/sftpd"
	"concord/formats/yamltree"
)

// User is a person who may log in to the console.
type User struct {
	Name         string
	Role         Role
	PasswordHash Secret
}

const exampleUser = "{role: finance, password_hash_file: secrets/ann}"

// users reads the people who may log in to the console.
func (r *reader) users(y *yamltree.Node) {
	r.names(y, exampleUser, func(name string, y *yamltree.Node) {
		r.c.Users = append(r.c.Users, r.user(name, y))
	})
	slices.SortFunc(r.c.Users, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
}

func (r *reader) user(name string, y *yamltree.Node) *User {
	u := &User{Name: name}
	set := map[string]func(*yamltree.Node){
		"role": func(y *yamltree.Node) { u.Role = Role(y.OneOf(string(Finance), string(Ops), string(Admin))) },
	}
	const hash = "password_hash"
	r.secretKeys(set, hash, &u.PasswordHash, func(y *yamltree.Node) {
		s, _ := y.Word("$argon2id$…, the output of concord user passwd")
		u.PasswordHash = Secret(s)
	})
	y.Each(set)
	if !y.Has("role") {
		y.ReportAt("role", "required: finance, ops or admin")
	}
	if !hasAny(y, hash, hash+"_file", hash+"_env") {
		y.ReportAt(hash, "required: write what concord user passwd %s prints", name)
	}
	if u.PasswordHash == "" {
		return u
	}
	if err := sftpd.CheckHash(u.PasswordHash.Reveal()); err != nil {
		r.given(y, hash, hash+"_file", hash+"_env").Report("%s", strings.ReplaceAll(err.Error(), "concord carrier passwd", "concord user passwd"))
	}
	return u
}

// checkUsers sees that the audit trail can tell a person from a program.
func (r *reader) checkUsers() {
	for _, t := range r.c.HTTP.Tokens {
		if _, is := r.c.User(t.Name); is {
			r.root.ReportAt("users."+t.Name, "is the name of a token, too; the audit trail could not tell them apart: choose another name")
		}
	}
	for _, name := range []string{"users", "oidc"} {
		if y, ok := r.root.Get(name); ok && r.c.HTTP.Listen == "" {
			r.note(y, "http.listen is none: nobody can log in")
		}
	}
}

// User returns a user by the name.
func (c *Config) User(name string) (*User, bool) {
	i, ok := slices.BinarySearchFunc(c.Users, name, func(x *User, n string) int { return strings.Compare(x.Name, n) })
	if !ok {
		return nil, false
	}
	return c.Users[i], true
}

func (u *User) settings() []setting {
	return []setting{{"role", string(u.Role)}, {"password_hash", u.PasswordHash.Reveal()}}
}
