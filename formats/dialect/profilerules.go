package dialect

import (
	"strings"
	"time"

	"concord/engine"
)

// rules reads the settings of matching. They are judged together once each
// of them could be read.
func (r *profileReader) rules() {
	doc := r.root.doc
	before := len(doc.problems)
	for name, set := range r.ruleKeys() {
		if v, ok := r.root.get(name); ok {
			set(&v)
		}
	}
	if len(doc.problems) > before {
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
		if v, ok := r.root.get(name); ok {
			v.report("%s", rest)
			continue
		}
		if v, ok := r.root.get("warn_at"); ok && name == "dispute_at" {
			v.report("%s", rest)
			continue
		}
		r.root.reportAt(name, "%s", rest)
	}
}

// ruleKeys maps each key to what it sets.
func (r *profileReader) ruleKeys() map[string]func(*yamlNode) {
	rules := &r.p.rules
	lasting := func(d *time.Duration, example string) func(*yamlNode) {
		return func(y *yamlNode) { *d = y.duration(example) }
	}
	return map[string]func(*yamlNode){
		"clock_offset":       func(y *yamlNode) { clockOffset(y, rules) },
		"start_tolerance":    lasting(&rules.StartTolerance, "5s"),
		"id_window":          lasting(&rules.IDWindow, "24h"),
		"split_gap":          lasting(&rules.SplitGap, "2s"),
		"duration_tolerance": lasting(&rules.DurationTolerance, "2s"),
		"late_window":        lasting(&rules.LateWindow, "72h"),
		"margin":             lasting(&rules.Margin, "1h"),
		"rounding":           func(y *yamlNode) { rounding(y, rules) },
		"period_zone": func(y *yamlNode) {
			if z := y.zone(); z != nil {
				rules.Zone = z
			}
		},
		"warn_at":    func(y *yamlNode) { rules.WarnAt = y.share() },
		"dispute_at": func(y *yamlNode) { rules.DisputeAt = y.share() },
	}
}

func clockOffset(y *yamlNode, rules *engine.Rules) {
	rules.AutoOffset = y.text == "auto"
	if !rules.AutoOffset {
		rules.ClockOffset = y.duration("auto")
	}
}

func rounding(y *yamlNode, rules *engine.Rules) {
	s, ok := y.word("60/60 up")
	if !ok {
		return
	}
	v, err := engine.ParseRounding(s)
	if err != nil {
		y.report("%v", err)
	}
	rules.Rounding = v
}

// leastShare stands for a share of nothing: the zero of Limits is its default.
const leastShare = 1e-9

// limits reads max_rejected and the limits of a file.
func (r *profileReader) limits() {
	l := &r.p.Limits
	if v, ok := r.root.get("max_rejected"); ok {
		l.MaxRejected = max(float64(v.share())/(100*perCent), leastShare)
	}
	v, ok := r.root.get("limits")
	if !ok || !v.isObject("{field: 64KiB, rows: 50000000}") {
		return
	}
	v.only([]string{"field", "record", "columns", "decompressed", "ratio", "rows", "entries", "footer", "page"})
	sizes := map[string]func(*yamlNode){
		"field":        func(y *yamlNode) { l.Field = int(y.size(16 << 20)) },
		"record":       func(y *yamlNode) { l.Record = int(y.size(64 << 20)) },
		"columns":      func(y *yamlNode) { l.Columns = int(y.whole(1, 100_000)) },
		"decompressed": func(y *yamlNode) { l.Decompressed = y.size(1 << 50) },
		"ratio":        func(y *yamlNode) { l.Ratio = y.whole(1, 1_000_000) },
		"rows":         func(y *yamlNode) { l.Rows = y.whole(1, 1<<40-1) },
		"entries":      func(y *yamlNode) { l.Entries = int(y.whole(1, 100_000)) },
		"footer":       func(y *yamlNode) { l.Footer = y.size(256 << 20) },
		"page":         func(y *yamlNode) { l.Page = y.size(1 << 30) },
	}
	for name, set := range sizes {
		if n, ok := v.get(name); ok {
			set(&n)
		}
	}
}
