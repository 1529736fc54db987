package dialect

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/engine"
)

// Parse reads a profile from YAML and checks it as a whole. name is what
// messages call the file. The error holds everything that is wrong, a line of
// text each, with the number of the line in the file and the path of the setting
// as the user typed it.
func Parse(name string, data []byte) (*Profile, error) {
	doc, root := readYAML(name, data)
	p := &Profile{Name: name, rules: engine.DefaultRules(), trim: true}
	if root.kind == yamlObject {
		r := profileReader{p: p, root: root}
		r.read()
	}
	if err := doc.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// profileReader fills a profile from a tree.
type profileReader struct {
	p    *Profile
	root yamlNode
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
	r.root.only(profileKeys())
	if v, ok := r.root.get("carrier"); ok {
		r.p.Carrier, _ = v.word("fabrikam")
		if strings.ContainsAny(r.p.Carrier, "/\\:*?\"<>| ") {
			v.report("use a short name without spaces and without any of / \\ : * ? \" < > |")
		}
	}
	if v, ok := r.root.get("zone"); ok {
		r.p.zone = v.zone()
	}
	if v, ok := r.root.get("null"); ok {
		r.p.nulls = v.texts(`["NULL", "-"]`)
	}
	r.files()
	r.columns()
	r.numbers()
	r.rows()
	r.trailer()
	r.rules()
	r.limits()
}

// word returns the text of a node that must not be empty.
func (y *yamlNode) word(example string) (string, bool) {
	if y.kind == yamlText && y.text != "" {
		return y.text, true
	}
	if y.kind != yamlBroken {
		kind := y.kind.String()
		if y.kind == yamlText {
			kind = "empty"
		}
		y.report("is %s; write a text such as %s", kind, example)
	}
	return "", false
}

// anyText returns the text of a node that may be empty.
func (y *yamlNode) anyText(example string) (string, bool) {
	if y.kind == yamlText {
		return y.text, true
	}
	if y.kind == yamlEmpty {
		return "", true
	}
	return y.word(example)
}

// texts returns a list of texts; a single text is a list of one.
func (y *yamlNode) texts(example string) []string {
	if y.kind == yamlText {
		return []string{y.text}
	}
	if y.kind != yamlList {
		y.word(example)
		return nil
	}
	out := []string{}
	for i := range y.items {
		if y.items[i].kind == yamlEmpty { // NULL and ~ are texts here
			out = append(out, y.items[i].text)
			continue
		}
		if s, ok := y.items[i].anyText(example); ok {
			out = append(out, s)
		}
	}
	return out
}

// oneOf returns the text of a node that must be one of words.
func (y *yamlNode) oneOf(words ...string) string {
	s, ok := y.word(words[0])
	if !ok || slices.Contains(words, s) {
		return s
	}
	if like := nearest(strings.ToLower(s), words); like != "" {
		y.report("%q is none of %s; did you mean %s?", s, strings.Join(words, ", "), like)
	} else {
		y.report("%q is none of %s", s, strings.Join(words, ", "))
	}
	return ""
}

// boolean returns true or false.
func (y *yamlNode) boolean() bool { return y.oneOf("true", "false") == "true" }

// whole returns a whole number within bounds.
func (y *yamlNode) whole(lowest, highest int64) int64 {
	s, ok := y.word(strconv.FormatInt(lowest, 10))
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < lowest || v > highest {
		y.report("%q is no whole number from %d to %d", s, lowest, highest)
		return 0
	}
	return v
}

// size returns a number of bytes, such as 64KiB.
func (y *yamlNode) size(highest int64) int64 {
	s, ok := y.word("64KiB")
	if !ok {
		return 0
	}
	text, factor := s, int64(1)
	for i, suffix := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if head, found := strings.CutSuffix(s, suffix); found {
			text, factor = strings.TrimSpace(head), int64(1)<<(10*(i+1))
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 1 || v > highest/factor {
		y.report("%q is no size from 1 to %d bytes; write one such as 64KiB, 16MiB or 2GiB", s, highest)
		return 0
	}
	return v * factor
}

// duration returns a length of time, such as 5s or -1h30m.
func (y *yamlNode) duration(example string) time.Duration {
	s, ok := y.word(example)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		y.report("%q is no length of time; write one with its unit, such as %s, 500ms, 90s or 1h30m", s, example)
	}
	return d
}

// zone returns a time zone of the zone database.
func (y *yamlNode) zone() *time.Location {
	s, ok := y.word("Europe/Berlin")
	if !ok {
		return nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "Local" || !safeZone(s) {
		y.report("%q is no time zone; write a name of the zone database, such as Europe/Berlin, or UTC", s)
		return nil
	}
	return loc
}

// safeZone reports whether a zone name is one and not a path.
func safeZone(s string) bool { return !strings.Contains(s, "..") && !strings.HasPrefix(s, "/") }

// perCent is one hundredth in parts per million.
const perCent = 10_000

// share returns a percentage in parts per million.
func (y *yamlNode) share() int64 {
	s, ok := y.word("5%")
	if !ok {
		return 0
	}
	text, found := strings.CutSuffix(s, "%")
	d := durationReader{num: perCent, den: 1, point: '.'}
	v, reason := d.decimal([]byte(strings.TrimSpace(text)))
	if !found || reason != "" || v > 100*perCent {
		y.report("%q is no share; write a percentage from 0%% to 100%%, such as 0.5%%", s)
		return 0
	}
	return v
}
