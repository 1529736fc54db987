package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/formats/dialect"
	"concord/formats/yamltree"

	"golang.org/x/crypto/ssh"
)

const exampleCarrier = "{profile: profiles/fabrikam.yaml, keys_file: keys/fabrikam.pub}"

func (r *reader) carriers(y *yamltree.Node) {
	r.names(y, exampleCarrier, func(name string, y *yamltree.Node) {
		r.c.Carriers = append(r.c.Carriers, r.carrier(name, y))
	})
	slices.SortFunc(r.c.Carriers, func(a, b *Carrier) int { return strings.Compare(a.Name, b.Name) })
}

func (r *reader) carrier(name string, y *yamltree.Node) *Carrier {
	c := &Carrier{Name: name}
	set := map[string]func(*yamltree.Node){
		"profile":     func(y *yamltree.Node) { r.profile(c, y) },
		"keys":        func(y *yamltree.Node) { r.keyList(y, r.loginKey(c)) },
		"keys_file":   func(y *yamltree.Node) { r.keyFile(y, r.loginKey(c)) },
		"authorities": func(y *yamltree.Node) { r.keyList(y, c.authority) },
		"files":       func(y *yamltree.Node) { terms(y, &c.Terms) },
		"host":        func(y *yamltree.Node) { c.Host = r.host(c, y) },
		"tokens":      func(y *yamltree.Node) { r.carrierTokens(c, y) },
		"country":     func(y *yamltree.Node) { c.Country = r.country(y) },
		"operators":   func(y *yamltree.Node) { c.Operators = y.Texts("[83d289bc-a4d3-41e6-8a3f-cff260a3f091]") },
		"pgp":         func(y *yamltree.Node) { c.PGP = r.carrierPGP(y) },
		"expected":    func(y *yamltree.Node) { c.Expected = r.expected(y) },
	}
	const hash = "password_hash"
	r.secretKeys(set, hash, &c.PasswordHash, func(y *yamltree.Node) {
		s, _ := y.Word("$argon2id$…, the output of concord carrier passwd")
		c.PasswordHash = Secret(s)
	})
	y.Each(set)
	if c.PasswordHash != "" {
		if err := sftpd.CheckHash(c.PasswordHash.Reveal()); err != nil {
			r.given(y, hash, hash+"_file", hash+"_env").Report("%v", err)
		}
	}
	if c.Profile != nil {
		c.Terms.Policy, c.Terms.Quiet = landing.Policy(c.Profile.Files.Policy.String()), c.Profile.Files.Quiet
	}
	return c
}

// given returns the first of some keys that is there.
func (r *reader) given(y *yamltree.Node, names ...string) *yamltree.Node {
	for _, n := range names {
		if v, ok := y.Get(n); ok {
			return v
		}
	}
	return y
}

func (c *Carrier) authority(_ reporter, key ssh.PublicKey) {
	c.Authorities = append(c.Authorities, key)
}

// profile reads the carrier's dialect.
func (r *reader) profile(c *Carrier, y *yamltree.Node) {
	typed, ok := y.Word("profiles/fabrikam.yaml")
	if !ok {
		return
	}
	c.ProfilePath = r.path(typed)
	p, err := r.readProfile(typed, c.ProfilePath)
	switch {
	case err != nil:
		y.Report("%s: %v", typed, err)
	case p.bad: // reported
	case p.Carrier != "" && p.Carrier != c.Name:
		y.Report("%s is the profile of %s; correct the path, or the name of one of the two", typed, p.Carrier)
	default:
		c.Profile, c.ProfileSum, c.ProfileText = p.Profile, p.sum, p.text
	}
}

// readProfile reads each profile once, and so tells its faults once.
func (r *reader) readProfile(typed, path string) (*profile, error) {
	if p, ok := r.profiles[path]; ok {
		return p, nil
	}
	b, err := readFile(path, maxFile, public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	p := &profile{sum: hex.EncodeToString(sum[:]), text: b}
	p.Profile, err = dialect.Parse(r.shown(typed), b)
	if err != nil {
		p.bad = true
		r.elsewhere = append(r.elsewhere, err)
	}
	r.profiles[path] = p
	return p, nil
}

// terms reads what holds for the carrier's home.
func terms(y *yamltree.Node, t *landing.Terms) {
	if !y.IsObject("{deadline: 1h, max_file: 16GiB}") {
		return
	}
	const most = 1 << 50 // bytes
	y.Each(map[string]func(*yamltree.Node){
		"hold":      func(y *yamltree.Node) { t.Hold = lasting(y, "2s", time.Hour) },
		"grace":     func(y *yamltree.Node) { t.Grace = lasting(y, "60s", day) },
		"deadline":  func(y *yamltree.Node) { t.Deadline = lasting(y, "1h", 30*day) },
		"max_file":  func(y *yamltree.Node) { t.MaxFile = y.Size(most) },
		"max_bytes": func(y *yamltree.Node) { t.MaxBytes = y.Size(most) },
		"max_files": func(y *yamltree.Node) { t.MaxFiles = y.Whole(1, 10_000_000) },
	})
	if t.MaxFile > 0 && t.MaxBytes > 0 && t.MaxFile > t.MaxBytes {
		y.ReportAt("max_file", "is more than max_bytes, which holds for all files together")
	}
}

func (r *reader) expected(y *yamltree.Node) *Expected {
	if !y.IsObject(`{by: "06:00", zone: Europe/Berlin, days: 1}`) {
		return nil
	}
	e := &Expected{Zone: r.zone, Days: 1}
	y.Each(map[string]func(*yamltree.Node){
		"by":   func(y *yamltree.Node) { e.Hour, e.Minute = clock(y) },
		"zone": func(y *yamltree.Node) { e.Zone = y.Zone() },
		"days": func(y *yamltree.Node) { e.Days = int(y.Whole(0, 62)) },
	})
	if !y.Has("by") {
		y.ReportAt("by", `required: say when the file is due, such as "06:00"`)
	}
	r.needsZone(y)
	return e
}

// needsZone reports an object that has no zone, where there is none for all.
func (r *reader) needsZone(y *yamltree.Node) {
	if !y.Has("zone") && !r.root.Has("zone") {
		y.ReportAt("zone", "required: say where the clock hangs, such as Europe/Berlin, here or as zone of the whole configuration")
	}
}

// clock returns a time of day.
func clock(y *yamltree.Node) (hour, minute int) {
	s, ok := y.Word(`"06:00"`)
	if !ok {
		return 0, 0
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("06:00") {
		y.Report(`%q is no time of day; write hours and minutes in quotes, such as "06:00" or "18:30"`, s)
	}
	return t.Hour(), t.Minute()
}

var errPassphrase = errors.New("is protected by a passphrase, which a service cannot type; make a key without one, its permissions protect it")
