package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"concord/formats/yamltree"

	"github.com/google/uuid"
)

// Graph is a tenant whose call records are read from Microsoft Graph.
type Graph struct {
	Name      string // in file names
	Tenant    string // a UUID
	ClientID  string // of the app, a UUID
	Secret    Secret
	Lists     []string          // pstn, direct_routing
	Operators map[string]string // carriers by the name of the operator
	Carrier   string            // of all other calls; empty: they are left out
	Since     time.Time         // the first calls to read
	Every     time.Duration     // between two looks
	Overlap   time.Duration     // how far back each look begins again
	Authority string            // of a national cloud; empty: the global one
	Endpoint  string
}

const (
	exampleGraph = `{contoso: {tenant: …, client_id: …, secret_file: secrets/contoso, operators: {"Fabrikam Telecom": fabrikam}, since: 2026-10-01}}`
	exampleID    = "8f7c0b62-3f5e-4a7e-9d0c-2f6f0c9b1a11"
)

// graph reads the tenants whose records come from Microsoft Graph.
func (r *reader) graph(y *yamltree.Node) {
	r.names(y, exampleGraph, func(name string, y *yamltree.Node) {
		r.c.Graph = append(r.c.Graph, r.tenant(name, y))
	})
	slices.SortFunc(r.c.Graph, func(a, b *Graph) int { return strings.Compare(a.Name, b.Name) })
}

func (r *reader) tenant(name string, y *yamltree.Node) *Graph {
	g := &Graph{Name: name, Lists: []string{"pstn"}, Every: time.Hour, Overlap: 2 * day}
	set := map[string]func(*yamltree.Node){
		"tenant":    func(y *yamltree.Node) { g.Tenant = identifier(y) },
		"client_id": func(y *yamltree.Node) { g.ClientID = identifier(y) },
		"lists":     func(y *yamltree.Node) { g.Lists = lists(y) },
		"operators": func(y *yamltree.Node) { g.Operators = operators(y) },
		"carrier":   func(y *yamltree.Node) { g.Carrier, _ = y.Word("fabrikam") },
		"since":     func(y *yamltree.Node) { g.Since = firstDay(y) },
		"every":     func(y *yamltree.Node) { g.Every = lasting(y, "1h", day) },
		"overlap":   func(y *yamltree.Node) { g.Overlap = lasting(y, "48h", 60*day) },
		"authority": func(y *yamltree.Node) { g.Authority = cloud(y, "https://login.microsoftonline.us") },
		"endpoint":  func(y *yamltree.Node) { g.Endpoint = cloud(y, "https://graph.microsoft.us") },
	}
	r.secretKeys(set, "secret", &g.Secret, nil)
	y.Each(set)
	for _, name := range []string{"tenant", "client_id", "since"} {
		if !y.Has(name) {
			y.ReportAt(name, "required")
		}
	}
	if !hasAny(y, "secret", "secret_file", "secret_env") {
		y.ReportAt("secret_file", "required: name a file with the secret of the app")
	}
	if !hasAny(y, "operators", "carrier") {
		y.ReportAt("operators", "required, or carrier: say whose the calls are, such as {\"Fabrikam Telecom\": fabrikam}")
	}
	return g
}

// identifier reads a UUID.
func identifier(y *yamltree.Node) string {
	s, ok := y.Word(exampleID)
	id, err := uuid.Parse(s)
	if ok && err != nil {
		y.Report("is no id; write the one that the Entra admin centre shows, such as %s", exampleID)
	}
	return id.String()
}

func lists(y *yamltree.Node) (all []string) {
	for i, s := range y.Texts("pstn") {
		switch {
		case s != "pstn" && s != "direct_routing":
			y.Report("item %d is none of pstn, direct_routing", i+1)
		case slices.Contains(all, s):
			y.Report("item %d is there twice", i+1)
		default:
			all = append(all, s)
		}
	}
	return all
}

// operators reads whose the calls of an operator are. Letters' case does not
// matter.
func operators(y *yamltree.Node) map[string]string {
	if !y.IsObject(`{"Fabrikam Telecom": fabrikam}`) {
		return nil
	}
	all := make(map[string]string, len(y.Keys))
	for _, k := range y.Keys {
		if strings.TrimSpace(k.Name) == "" {
			k.Value.Report("has no name of an operator")
			continue
		}
		for name := range all {
			if strings.EqualFold(name, k.Name) {
				k.Value.Report("differs from %s by capital letters only", name)
			}
		}
		all[k.Name], _ = k.Value.Word("fabrikam")
	}
	return all
}

// firstDay reads a day, which begins at midnight UTC.
func firstDay(y *yamltree.Node) time.Time {
	s, ok := y.Word("2026-10-01")
	t, err := time.Parse(time.DateOnly, s)
	if ok && err != nil {
		y.Report("%q is no day; write one such as 2026-10-01", s)
	}
	return t
}

// cloud reads the address of one of Microsoft's services.
func cloud(y *yamltree.Node, example string) string {
	s, ok := y.Word(example)
	u, err := url.Parse(s)
	switch {
	case !ok:
	case err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery+u.Fragment != "":
		y.Report("is no address of a server; write one such as %s", example)
	case u.Scheme != "https" && !loopback(u.Host):
		y.Report("would send the secret in clear; write an address that begins with https://")
	}
	return strings.TrimSuffix(s, "/")
}

// checkGraph reports carriers that are none, and tenants that are read twice.
func (r *reader) checkGraph() {
	seen := map[string]string{}
	for _, g := range r.c.Graph {
		at := "microsoft.graph." + g.Name
		for _, operator := range slices.Sorted(maps.Keys(g.Operators)) {
			if _, ok := r.c.Carrier(g.Operators[operator]); !ok {
				r.root.ReportAt(at+".operators", "%q is no carrier of this configuration", g.Operators[operator])
			}
		}
		if _, ok := r.c.Carrier(g.Carrier); !ok && g.Carrier != "" {
			r.root.ReportAt(at+".carrier", "%q is no carrier of this configuration", g.Carrier)
		}
		for _, l := range g.Lists {
			if other, is := seen[g.Tenant+l]; is {
				r.root.ReportAt(at, "%s of the same tenant is read by microsoft.graph.%s, too; each call would be taken twice", l, other)
			}
			seen[g.Tenant+l] = g.Name
		}
	}
}

func (g *Graph) settings() []setting {
	return []setting{
		{"tenant", g.Tenant},
		{"client_id", g.ClientID},
		{"secret", g.Secret.Reveal()},
		{"lists", strings.Join(g.Lists, " ")},
		{"operators", fmt.Sprint(g.Operators)},
		{"carrier", g.Carrier},
		{"since", g.Since.String()},
		{"every", g.Every.String()},
		{"overlap", g.Overlap.String()},
		{"authority", g.Authority},
		{"endpoint", g.Endpoint},
	}
}
