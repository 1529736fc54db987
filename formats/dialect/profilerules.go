package dialect

import (
	"strings"
	"time"

	"concord/engine"
	"concord/formats/yamltree"
)

// rules reads the settings of matching. They are judged together once each
// of them could be read.
func (r *profileReader) rules() {
	doc := r.root.Doc()
	before := doc.Faults()
	for name, set := range r.ruleKeys() {
		if v, ok := r.root.Get(name); ok {
			set(v)
		}
	}
	if doc.Faults() > before {
		return
	}
	if err := r.p.rules.Validate(); err != nil {
		r.invalidRules(err)
	}
}

// invalidRules reports what the engine says of the rules, each at its key.
func (r *profileReader) invalidRules(err error) {
	for _, text := range strings.Split(err.Error(), "\n") {
		name, rest, _ := strings.Cut(text, ": ")
		if v, ok := r.root.Get(name); ok {
			v.Report("%s", rest)
			continue
		}
		if v, ok := r.root.Get("warn_at"); ok && name == "dispute_at" {
			v.Report("%s", rest)
			continue
		}
		r.root.ReportAt(name, "%s", rest)
	}
}

// ruleKeys maps each key to what it sets.
func (r *profileReader) ruleKeys() map[string]func(*yamltree.Node) {
	rules := &r.p.rules
	lasting := func(d *time.Duration, example string) func(*yamltree.Node) {
		return func(y *yamltree.Node) { *d = y.Duration(example) }
	}
	return map[string]func(*yamltree.Node){
		"clock_offset":       func(y *yamltree.Node) { clockOffset(y, rules) },
		"start_tolerance":    lasting(&rules.StartTolerance, "5s"),
		"id_window":          lasting(&rules.IDWindow, "24h"),
		"split_gap":          lasting(&rules.SplitGap, "2s"),
		"duration_tolerance": lasting(&rules.DurationTolerance, "2s"),
		"late_window":        lasting(&rules.LateWindow, "72h"),
		"margin":             lasting(&rules.Margin, "1h"),
		"rounding":           func(y *yamltree.Node) { rounding(y, rules) },
		"period_zone": func(y *yamltree.Node) {
			if z := y.Zone(); z != nil {
				rules.Zone = z
			}
		},
		"warn_at":    func(y *yamltree.Node) { rules.WarnAt = readShare(y) },
		"dispute_at": func(y *yamltree.Node) { rules.DisputeAt = readShare(y) },
	}
}

func clockOffset(y *yamltree.Node, rules *engine.Rules) {
	rules.AutoOffset = y.Text == "auto"
	if !rules.AutoOffset {
		rules.ClockOffset = y.Duration("auto")
	}
}

func rounding(y *yamltree.Node, rules *engine.Rules) {
	s, ok := y.Word("60/60 up")
	if !ok {
		return
	}
	v, err := engine.ParseRounding(s)
	if err != nil {
		y.Report("%v", err)
	}
	rules.Rounding = v
}

// leastShare stands for a share of nothing: the zero of Limits is its default.
const leastShare = 1e-9

// limits reads max_rejected and the limits of a file.
func (r *profileReader) limits() {
	l := &r.p.Limits
	if v, ok := r.root.Get("max_rejected"); ok {
		l.MaxRejected = max(float64(readShare(v))/(100*perCent), leastShare)
	}
	v, ok := r.root.Get("limits")
	if !ok || !v.IsObject("{field: 64KiB, rows: 50000000}") {
		return
	}
	v.Only([]string{"field", "record", "columns", "decompressed", "ratio", "rows", "entries", "footer", "page"})
	sizes := map[string]func(*yamltree.Node){
		"field":        func(y *yamltree.Node) { l.Field = int(y.Size(16 << 20)) },
		"record":       func(y *yamltree.Node) { l.Record = int(y.Size(64 << 20)) },
		"columns":      func(y *yamltree.Node) { l.Columns = int(y.Whole(1, 100_000)) },
		"decompressed": func(y *yamltree.Node) { l.Decompressed = y.Size(1 << 50) },
		"ratio":        func(y *yamltree.Node) { l.Ratio = y.Whole(1, 1_000_000) },
		"rows":         func(y *yamltree.Node) { l.Rows = y.Whole(1, 1<<40-1) },
		"entries":      func(y *yamltree.Node) { l.Entries = int(y.Whole(1, 100_000)) },
		"footer":       func(y *yamltree.Node) { l.Footer = y.Size(256 << 20) },
		"page":         func(y *yamltree.Node) { l.Page = y.Size(1 << 30) },
	}
	for name, set := range sizes {
		if n, ok := v.Get(name); ok {
			set(n)
		}
	}
}
