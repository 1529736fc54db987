package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const before = `data: d
zone: UTC
http: {tokens: [{name: a, role: ops, sha256: 0b16d5f0d1f4c9a7e1c9b6c3b5b6e7a4f0d9c8b7a6958473625140f1e2d3c4b5}]}
carriers:
  fabrikam: {profile: profiles/fabrikam.yaml, keys_file: keys/f}
  litware: {host: {address: h, user: u, key_file: secrets/litware, host_keys: SHA256:FidDdQScNPLVqfGM5KJXcECEjGkvnZvbSI56H9F3jgM, inbox: /out}}
  northwind: {expected: {by: "06:00"}}
jobs:
  daily: {kind: reconcile, schedule: "@daily", period: previous_day}
  collect: {kind: collect, schedule: "@hourly"}
`

func TestWhatAReloadChanges(t *testing.T) {
	w := newWorld(t)
	w.write("keys/f", 0o644, publicLine(1)+"\n"+publicLine(2)+"\n")
	old := w.good(before)
	edit := func(from, to string) func() string {
		return func() string { return strings.Replace(before, from, to, 1) }
	}
	write := func(name, text string) func() string {
		return func() string { w.write(name, 0o600, text); return before }
	}
	for _, c := range []struct {
		name string
		text func() string
		want []string
	}{
		{"keys in another order", write("keys/f", publicLine(2)+"\n"+publicLine(1)+"\n"), nil},
		{"a default that is written down", edit("data: d\n", "data: ./d\nsftp: {listen: \"0.0.0.0:2022\"}\n"), nil},
		{"a carrier more, and one less", edit("northwind:", "adatum:"), []string{"carriers.adatum: new", "carriers.northwind: removed"}},
		{"a later deadline", edit("06:00", "07:00"), []string{"carriers.northwind: changed: expected"}},
		{"a password and limits", edit("expected:", "files: {hold: 9s}, expected:"), []string{"carriers.northwind: changed: files"}},
		{"another job", edit("@hourly", "5 * * * *"), []string{"jobs.collect: changed: schedule"}},
		{"another zone for all", edit("zone: UTC", "zone: Europe/Berlin"),
			[]string{"carriers.northwind: changed: expected", "jobs.collect: changed: zone", "jobs.daily: changed: zone"}},
		{"another role", edit("role: ops", "role: admin"), []string{"http.tokens: changed"}},
		{"a token of another person", edit("role: ops", "role: ops, person: bob@fabrikam.example"), []string{"http.tokens: changed"}},
		{"another place", edit("data: d", "data: e"), []string{"microsoft.folder: changed", "data: changed; it holds from the next start on"}},
		{"other limits", edit("data: d", "data: d\nsftp: {idle: 1m}"), []string{"sftp: changed; it holds from the next start on"}},
		// From here on the files differ, too.
		{"another profile", write("profiles/fabrikam.yaml", "carrier: fabrikam\n"), []string{"carriers.fabrikam: changed: profile, files"}},
		{"another key", write("keys/f", publicLine(3)+"\n"), []string{"carriers.fabrikam: changed: profile, keys, files"}},
	} {
		next := w.good(c.text())
		if d := cmp.Diff(c.want, old.Diff(next).Lines()); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
