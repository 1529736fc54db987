package console

import (
	"slices"
	"strings"

	"concord/jobs/control"
)

// place is one page, or several of one matter, in the navigation.
type place struct {
	Name, path string
	right      control.Right
	within     []place
}

// places are what the navigation leads to, in its order.
var places = []place{
	{"Overview", "", control.Look, nil},
	{"Reports", "reports", control.Look, nil},
	{"Sign-offs", "signoffs", control.Look, nil},
	{"Cases", "cases", control.Look, nil},
	{"Jobs", "jobs", control.Look, nil},
	{"Runs", "runs", control.Look, nil},
	{"Files", "files", control.Look, nil},
	{"Carriers", "carriers", control.Look, nil},
	{"Alerts", "alerts", control.Look, nil},
	{"Privacy", "holds", control.Look, []place{
		{"Holds", "holds", control.Look, nil},
		{"Proofs", "proofs", control.Look, nil},
		{"Erasures", "erasures", control.Administer, nil},
	}},
	{"Audit", "audit", control.Administer, nil},
}

// way is one link of the navigation.
type way struct {
	Name, Path string
	Here       string // what it is to the page that is shown: page, true of what leads to it among others, or empty
}

// has reports whether a place is where a page is.
func (p *place) has(page string) bool {
	at := Root + p.path
	return page == at || p.path != "" && strings.HasPrefix(page, at+"/") || slices.ContainsFunc(p.within, func(x place) bool { return x.has(page) })
}

// ways returns the links for a person at a page: to all places, and to those that
// belong to the same matter as the page.
func (v *visit) ways() (all, beside []way) {
	page := v.r.URL.Path
	all = v.waysTo(places)
	for _, p := range places {
		if p.within != nil && p.has(page) {
			beside = v.waysTo(p.within)
		}
	}
	return all, beside
}

func (v *visit) waysTo(list []place) (ways []way) {
	for _, p := range list {
		w := way{Name: p.Name, Path: Root + p.path}
		if p.has(v.r.URL.Path) {
			w.Here = "page"
			if p.within != nil {
				w.Here = "true"
			}
		}
		if p.right.Has(v.who.Role) {
			ways = append(ways, w)
		}
	}
	return ways
}
