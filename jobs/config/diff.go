package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"concord/exchange/atrest"
	"concord/exchange/sftpc"

	"golang.org/x/crypto/ssh"
)

// Changes are what differs between two configurations.
type Changes struct {
	Restart  []string // settings that need one, by their path
	Live     []string // settings of the servers that can be taken over at once
	Carriers Difference
	Jobs     Difference
	Graph    Difference
	Hosts    Difference // of Microsoft
	Users    Difference
}

// Difference is what became of carriers, jobs, tenants, hosts or users.
type Difference struct {
	Added, Removed []string
	Changed        []Change
}

// Change names the settings of one carrier, job, tenant, host or user that differ. A profile differs
// when its content does, a secret when what its file holds does.
type Change struct {
	Name     string
	Settings []string
}

// Diff returns what a change from c to next means.
func (c *Config) Diff(next *Config) Changes {
	return Changes{
		Restart:  differing(c.lasting(), next.lasting()),
		Live:     differing(c.live(), next.live()),
		Carriers: difference(c.Carriers, next.Carriers, func(x *Carrier) string { return x.Name }),
		Jobs:     difference(c.Jobs, next.Jobs, func(x *Job) string { return x.Name }),
		Graph:    difference(c.Graph, next.Graph, func(x *Graph) string { return x.Name }),
		Hosts:    difference(c.MicrosoftHosts, next.MicrosoftHosts, func(x *MicrosoftHost) string { return x.Name }),
		Users:    difference(c.Users, next.Users, func(x *User) string { return x.Name }),
	}
}

// Lines say the changes in words, without a secret; none when nothing differs.
func (c Changes) Lines() (all []string) {
	all = append(all, c.Carriers.lines("carriers")...)
	all = append(all, c.Jobs.lines("jobs")...)
	all = append(all, c.Graph.lines("microsoft.graph")...)
	all = append(all, c.Hosts.lines("microsoft.hosts")...)
	all = append(all, c.Users.lines("users")...)
	for _, s := range c.Live {
		all = append(all, s+": changed")
	}
	for _, s := range c.Restart {
		all = append(all, s+": changed; it holds from the next start on")
	}
	return all
}

func (d Difference) lines(kind string) (all []string) {
	for _, n := range d.Added {
		all = append(all, fmt.Sprintf("%s.%s: new", kind, n))
	}
	for _, n := range d.Removed {
		all = append(all, fmt.Sprintf("%s.%s: removed", kind, n))
	}
	for _, c := range d.Changed {
		all = append(all, fmt.Sprintf("%s.%s: changed: %s", kind, c.Name, strings.Join(c.Settings, ", ")))
	}
	return all
}

// setting is a setting's path and a text that differs when it does.
type setting struct{ path, value string }

// settled has settings that can be compared with those of another one.
type settled interface{ settings() []setting }

func differing(a, b []setting) (paths []string) {
	for i := range a {
		if a[i].value != b[i].value {
			paths = append(paths, a[i].path)
		}
	}
	return paths
}

func difference[T settled](from, to []T, name func(T) string) (d Difference) {
	find := func(list []T, n string) int { return slices.IndexFunc(list, func(x T) bool { return name(x) == n }) }
	for _, x := range from {
		i := find(to, name(x))
		if i < 0 {
			d.Removed = append(d.Removed, name(x))
			continue
		}
		if s := differing(x.settings(), to[i].settings()); len(s) > 0 {
			d.Changed = append(d.Changed, Change{name(x), s})
		}
	}
	for _, x := range to {
		if find(from, name(x)) < 0 {
			d.Added = append(d.Added, name(x))
		}
	}
	return d
}

func (c *Config) lasting() []setting {
	return []setting{
		{"data", c.Data},
		{"database", c.Database.Reveal()},
		{"encryption", keysText(c.Encryption)},
		{"sftp.listen", c.SFTP.Listen},
		{"sftp", fmt.Sprint(c.SFTP.Settings)},
		{"http.listen", c.HTTP.Listen},
		{"http.behind_proxy", fmt.Sprint(c.HTTP.BehindProxy)},
		{"http.tls", fmt.Sprint(c.HTTP.TLS != nil)},
		{"carrier_http.listen", c.CarrierHTTP.Listen},
		{"carrier_http.tls", fmt.Sprint(c.CarrierHTTP.TLS != nil)},
		{"runs.workers", fmt.Sprint(c.Runs.Workers)},
	}
}

func (c *Config) live() []setting {
	var webhook string
	if w := c.Webhook; w != nil {
		webhook = w.URL.Reveal() + "\n" + w.Secret.Reveal()
	}
	return []setting{
		{"http.tls.cert", c.HTTP.certificate()},
		{"carrier_http.tls.cert", c.CarrierHTTP.certificate()},
		{"http.tokens", fmt.Sprint(c.HTTP.Tokens)},
		{"alerts.webhook", webhook},
		{"pgp", c.pgpSum},
		{"microsoft.folder", c.Microsoft},
		{"microsoft.numbers", c.Numbers},
		{"microsoft.calls", c.Calls},
		{"runs.per_carrier", fmt.Sprint(c.Runs.PerCarrier)},
		{"privacy.key", c.PrivacyKey.Reveal()},
		{"runs.memory", fmt.Sprint(c.Runs.Memory)},
		{"retention", fmt.Sprint(c.Retention)},
		{"oidc", c.OIDC.text()},
	}
}

func (h *HTTP) certificate() string {
	if h.TLS == nil {
		return ""
	}
	return fmt.Sprintf("%x", h.TLS.Certificate)
}

func (c *Carrier) settings() []setting {
	return []setting{
		{"profile", c.ProfilePath + " " + c.ProfileSum},
		{"keys", keyText(c.Keys)},
		{"authorities", keyText(c.Authorities)},
		{"password_hash", c.PasswordHash.Reveal()},
		{"tokens", fmt.Sprint(c.Tokens)},
		{"files", fmt.Sprint(c.Terms)},
		{"host", c.Host.text()},
		{"expected", c.Expected.text()},
		{"country", c.Country},
		{"pgp", c.PGP.text()},
		{"operators", strings.Join(c.Operators, "\n")},
	}
}

func (h *Host) text() string {
	if h == nil {
		return ""
	}
	return strings.Join([]string{dialText(&h.Dial, h.Password), h.Inbox, h.Done, h.Receipts, h.Outbox}, "\x00")
}

// dialText differs when a host is reached in another way.
func dialText(d *sftpc.Config, password Secret) string {
	var keys []ssh.PublicKey
	for _, s := range d.Signers {
		keys = append(keys, s.PublicKey())
	}
	return strings.Join([]string{d.String(), keyText(keys), password.Reveal(), strings.Join(d.HostKeys, "\n")}, "\x00")
}

func (e *Expected) text() string {
	if e == nil {
		return ""
	}
	return fmt.Sprint(e.Hour, e.Minute, e.Zone, e.Days)
}

func keysText(k *atrest.Keys) string {
	g := k.Share()
	if g == nil {
		return ""
	}
	return strings.Join(slices.Concat(g.Recipients, g.Identities), " ")
}

func keyText(keys []ssh.PublicKey) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = base64.StdEncoding.EncodeToString(k.Marshal())
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func (j *Job) settings() []setting {
	return []setting{
		{"kind", string(j.Kind)},
		{"schedule", j.Spec},
		{"zone", fmt.Sprint(j.Zone)},
		{"carriers", strings.Join(j.Carriers, " ")},
		{"period", string(j.Period)},
		{"catch_up", string(j.CatchUp)},
		{"catch_up_window", j.CatchUpTo.String()},
		{"attempts", fmt.Sprint(j.Attempts)},
		{"deadline", j.Deadline.String()},
		{"late_files", fmt.Sprint(j.LateFiles)},
		{"late_delay", j.LateDelay.String()},
		{"most_removed", fmt.Sprint(j.MostRemoved)},
		{"verdicts", fmt.Sprint(j.Verdicts)},
		{"users", fmt.Sprint(j.Users)},
		{"deliver", fmt.Sprint(j.Deliver)},
	}
}
