package dialect

import (
	"strings"

	"concord/engine"
	"concord/formats/yamltree"
)

// style is what messages say of profiles.
var style = yamltree.Style{Kind: "profile", Example: "carrier: fabrikam", Manual: "PROFILES.md"}

// Parse reads a profile from YAML and checks it as a whole. name is what
// messages call the file. The error holds everything that is wrong, a line of
// text each, with the number of the line in the file and the path of the setting
// as the user typed it.
func Parse(name string, data []byte) (*Profile, error) {
	doc, root := yamltree.Read(name, data, style)
	p := &Profile{Name: name, rules: engine.DefaultRules(), trim: true}
	if root.Kind == yamltree.Object {
		r := profileReader{p: p, root: root}
		r.read()
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// profileReader fills a profile from a tree.
type profileReader struct {
	p    *Profile
	root *yamltree.Node
}

// profileKeys lists the keys of a profile.
func profileKeys() []string {
	return []string{
		"carrier", "files", "columns", "null", "zone", "numbers", "rows", "trailer", "max_rejected", "limits",
		"clock_offset", "start_tolerance", "id_window", "split_gap", "duration_tolerance", "rounding", "late_window",
		"margin", "period_zone", "warn_at", "dispute_at",
	}
}

func (r *profileReader) read() {
	r.root.Only(profileKeys())
	if v, ok := r.root.Get("carrier"); ok {
		r.p.Carrier, _ = v.Word("fabrikam")
		if strings.ContainsAny(r.p.Carrier, "/\\:*?\"<>| ") {
			v.Report("use a short name without spaces and without any of / \\ : * ? \" < > |")
		}
	}
	if v, ok := r.root.Get("zone"); ok {
		r.p.zone = v.Zone()
	}
	if v, ok := r.root.Get("null"); ok {
		r.p.nulls = v.Texts(`["NULL", "-"]`)
	}
	r.files()
	r.columns()
	r.numbers()
	r.rows()
	r.trailer()
	r.rules()
	r.limits()
}

// perCent is one hundredth in parts per million.
const perCent = 10_000

// readShare returns a percentage in parts per million.
func readShare(y *yamltree.Node) int64 {
	s, ok := y.Word("5%")
	if !ok {
		return 0
	}
	text, found := strings.CutSuffix(s, "%")
	d := durationReader{num: perCent, den: 1, point: '.'}
	v, reason := d.decimal([]byte(strings.TrimSpace(text)))
	if !found || reason != "" || v > 100*perCent {
		y.Report("%q is no share; write a percentage from 0%% to 100%%, such as 0.5%%", s)
		return 0
	}
	return v
}
