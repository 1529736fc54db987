package config

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs/schedule"

	"golang.org/x/crypto/ssh"
)

// world is a folder with a configuration and what it names.
type world struct {
	t   testing.TB
	dir string
	env map[string]string
}

func newWorld(t testing.TB) *world {
	w := &world{t, t.TempDir(), map[string]string{"DB_PASSWORD": "p@ss/word %"}}
	w.write("profiles/fabrikam.yaml", 0o644, "carrier: fabrikam\nfiles: {policy: quiet, quiet: 90s}\n")
	w.write("secrets/litware", 0o600, privateKey(t))
	w.write("secrets/word", 0o600, "correct horse battery staple\n")
	return w
}

func privateKey(t testing.TB) string {
	block, err := ssh.MarshalPrivateKey(newKey(1), "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func newKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

// publicLine returns the line of a public key, the same one for the same n.
func publicLine(n byte) string {
	k, err := ssh.NewPublicKey(newKey(n).Public())
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

func (w *world) write(name string, mode os.FileMode, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) parse(text string) (*Config, error) {
	return parse("c.yaml", w.dir, []byte(text), func(n string) (string, bool) { v, ok := w.env[n]; return v, ok })
}

func (w *world) good(text string) *Config {
	w.t.Helper()
	c, err := w.parse(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestTheExampleLoads(t *testing.T) {
	w := newWorld(t)
	w.write("concord.yaml", 0o644, string(Example))
	c, err := Load(filepath.Join(w.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f, _ := c.Carrier("fabrikam")
	l, _ := c.Carrier("litware")
	want := landing.Terms{Policy: landing.OnQuiet, Quiet: 90 * time.Second, Deadline: time.Hour, MaxFile: 16 << 30}
	if f == nil || f.Terms != want || len(f.Keys) != 1 || f.Profile.Carrier != "fabrikam" || f.ProfilePath != filepath.Join(w.dir, "profiles/fabrikam.yaml") {
		t.Errorf("%+v", f)
	}
	if l == nil || l.Host.Dial.Addr != "sftp.litware.example" || len(l.Host.Dial.Signers) != 1 || l.Host.Inbox != "/out" || l.LogsIn() {
		t.Errorf("%+v", l)
	}
	if len(c.Jobs) != 7 || len(c.Notes) != 0 || c.Database != "" || c.HTTP.Tokens[0].Role != Ops || c.Microsoft != "/srv/microsoft" {
		t.Errorf("%+v", c)
	}
	monthly, _ := c.Job("monthly")
	if all := c.CarriersOf(monthly); len(all) != 1 || all[0].Name != "fabrikam" || monthly.Schedule == nil || monthly.Zone.String() != "Europe/Berlin" {
		t.Errorf("%+v", monthly)
	}
	if err := landing.Terms.Validate(f.Terms); err != nil {
		t.Error(err)
	}
	if err := c.SFTP.Settings.Validate(); err != nil {
		t.Error(err)
	}
}

func TestLittleIsEnough(t *testing.T) {
	w := newWorld(t)
	c := w.good("data: d\n")
	if c.Data != filepath.Join(w.dir, "d") || c.SFTP.Listen != defaultSFTP || c.HTTP.Listen != defaultHTTP || c.Microsoft != filepath.Join(w.dir, "d/microsoft") {
		t.Errorf("%+v", c)
	}
	if len(c.Notes) != 1 || c.Notes[0].Error() != "c.yaml:1: no carriers: nobody can send anything" {
		t.Errorf("%v", c.Notes)
	}
	c = w.good("data: d\ncarriers: {a: {}}\n")
	if len(c.Notes) != 2 || c.Notes[0].Text != "carriers.a: has no key, no password and no host: its files cannot arrive" {
		t.Errorf("%v", c.Notes)
	}
}

func TestEverySettingIsTakenOver(t *testing.T) {
	w := newWorld(t)
	hash, err := sftpd.HashPassword([]byte("a long password"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("keys/a", 0o644, "# of a\n\n"+publicLine(2)+"\n"+publicLine(3)+" b\r\n")
	c := w.good(`data: /data
database: "postgres://concord:${DB_PASSWORD}@db:5432/concord"
sftp: {listen: none, handshake: 1s, idle: 2s, keepalive: 3s, drain: 4s, ban: 5s, waiting: 1, waiting_per_address: 2, connections: 3, channels: 4, sessions: 5, handles: 6, failures: 7}
http: {listen: ":8022", behind_proxy: true}
alerts: {webhook: {url: "https://x.example/y", secret_file: secrets/word}}
runs: {workers: 3, per_carrier: 2, memory: 64MiB}
carriers:
  a:
    keys: ["` + publicLine(1) + ` x", "` + publicLine(1) + `"]
    keys_file: keys/a
    authorities: "` + publicLine(4) + `"
    password_hash: "` + hash + `"
    files: {hold: 1s, grace: 2s, deadline: 3s, max_file: 4KiB, max_bytes: 5MiB, max_files: 6}
    expected: {by: "18:30", zone: America/New_York, days: 2}
    host: {address: "h:2222", user: u, password_file: secrets/word, host_keys: SHA256:FidDdQScNPLVqfGM5KJXcECEjGkvnZvbSI56H9F3jgM, inbox: out/, done: /done, receipts: /r, outbox: /in}
jobs:
  j: {kind: reconcile, schedule: "@daily", zone: UTC, carriers: [a], period: previous_month, catch_up: last, catch_up_window: 24h, attempts: 2, deadline: 2h, late_files: wait, late_delay: 1m, verdicts: true, users: true}
  by_hand: {kind: reconcile}
`)
	if got := c.Database.Reveal(); got != "postgres://concord:p%40ss%2Fword%20%25@db:5432/concord" {
		t.Error(got)
	}
	s := sftpd.Settings{Handshake: 1e9, Idle: 2e9, Keepalive: 3e9, Drain: 4e9, Ban: 5e9, Waiting: 1, WaitingPerAddress: 2, Connections: 3, Channels: 4, Sessions: 5, Handles: 6, Failures: 7}
	if c.SFTP.Settings != s || c.SFTP.Listen != "" || !c.HTTP.BehindProxy || c.Webhook.Secret != "correct horse battery staple" {
		t.Errorf("%+v", c)
	}
	checkCarrier(t, c.Carriers[0], hash)
	j, _ := c.Job("j")
	if j.Period != schedule.PreviousMonth || j.CatchUp != schedule.Last || j.CatchUpTo != 24*time.Hour || j.Attempts != 2 || j.Schedule == nil {
		t.Errorf("%+v", j)
	}
	if j.Deadline != 2*time.Hour || j.LateFiles || j.LateDelay != time.Minute || !j.Verdicts || !j.Users {
		t.Errorf("%+v", j)
	}
	if byHand, _ := c.Job("by_hand"); !byHand.LateFiles || byHand.LateDelay != 5*time.Minute || byHand.Deadline != 0 {
		t.Errorf("%+v", byHand)
	}
	if c.Runs != (Runs{Workers: 3, PerCarrier: 2, Memory: 64 << 20}) {
		t.Errorf("%+v", c.Runs)
	}
	if all := c.Timetable(); len(all) != 1 || all[0].Name != "j" || all[0].CatchUp != schedule.Last || all[0].Window != 24*time.Hour {
		t.Errorf("%+v", all)
	}
	for _, secret := range []string{"staple", "p%40ss", hash} {
		if shown := fmt.Sprintf("%v %+v %#v %+v %+v", c, c, c, c.Carriers[0], c.Carriers[0].Host); strings.Contains(shown, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
}

func checkCarrier(t *testing.T, a *Carrier, hash string) {
	t.Helper()
	if a.Terms != (landing.Terms{Hold: 1e9, Grace: 2e9, Deadline: 3e9, MaxFile: 4096, MaxBytes: 5 << 20, MaxFiles: 6}) {
		t.Errorf("%+v", a.Terms)
	}
	if acc := a.Account(nil); acc.Name != "a" || len(acc.Keys) != 3 || len(acc.CAs) != 1 || acc.Password != hash {
		t.Errorf("%+v", acc)
	}
	word, err := a.Host.Dial.Password()
	if a.Host.Inbox != "out" || word != "correct horse battery staple" || err != nil || a.Host.Dial.Validate() != nil {
		t.Errorf("%+v", a.Host)
	}
	due := a.Expected.Due(time.Date(2026, 3, 7, 2, 0, 0, 0, time.UTC)) // the sixth in New York; the clock is put forward on the eighth
	if want := time.Date(2026, 3, 8, 22, 30, 0, 0, time.UTC); !due.Equal(want) {
		t.Errorf("due %v", due.UTC())
	}
}

func weakLine(t *testing.T) string {
	n, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ssh.NewPublicKey(&n.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

func TestJobsOfNumbers(t *testing.T) {
	w := newWorld(t)
	c := w.good("data: d\nzone: UTC\nmicrosoft: {numbers: listings}\ncarriers: {a: {operators: [Op-1, Abc Tel]}}\n" +
		"jobs: {n: {kind: numbers, schedule: \"@daily\"}, collect: {kind: collect}, r: {kind: reconcile}}\n")
	n, _ := c.Job("n")
	if n.Kind != Numbers || n.MostRemoved != 50 || n.Kind.HasPeriod() || n.CatchUp != schedule.Last || !Reconcile.HasPeriod() || Collect.HasPeriod() {
		t.Errorf("%+v", n)
	}
	if got := c.Carriers[0].Operators; len(got) != 2 || got[1] != "Abc Tel" || c.Numbers != filepath.Join(w.dir, "listings") {
		t.Errorf("%q, %s", got, c.Numbers)
	}
	if len(c.Notes) != 2 || !strings.Contains(c.Notes[1].Text, "its numbers stay here") {
		t.Errorf("%v", c.Notes)
	}
}

// agePair puts an identity into a file, and returns it between its public key and
// another one.
func agePair(t testing.TB, w *world) (recipient, identity, other string) {
	t.Helper()
	recipient, identity, err := atrest.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if other, _, err = atrest.Generate(); err != nil {
		t.Fatal(err)
	}
	w.write("secrets/age", 0o600, "# created: today\n# public key: "+recipient+"\n"+identity+"\n")
	return recipient, identity, other
}

func TestEncryption(t *testing.T) {
	w := newWorld(t)
	to, identity, other := agePair(t, w)
	w.env["AGE"] = identity
	for name, text := range map[string]string{
		"from a file":            "data: d\nencryption: {recipients: " + to + ", identity_file: secrets/age}",
		"from the environment":   "data: d\nencryption: {recipients: [" + to + "], identity_env: AGE}",
		"for two":                "data: d\nencryption: {recipients: [" + other + ", " + to + "], identity_file: secrets/age}",
		"beside the data folder": "data: secrets2\nencryption: {recipients: " + to + ", identity_file: secrets/age}",
	} {
		c, err := w.parse(text + "\n")
		if err != nil || c.Encryption == nil || len(c.Encryption.Share().Identities) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if lines := c.Diff(c).Lines(); len(lines) != 0 {
			t.Errorf("%s: differs from itself: %v", name, lines)
		}
		was, err := w.parse("data: d\n")
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Join(was.Diff(c).Lines(), "\n"); !strings.Contains(lines, "encryption: changed; it holds from the next start on") || strings.Contains(lines, "SECRET") {
			t.Errorf("%s: %s", name, lines)
		}
	}
}
