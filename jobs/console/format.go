package console

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/formats/report"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/control"
)

//go:embed pages
var pageFiles embed.FS

// parsePages returns every page with the layout and what pages share.
func parsePages() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html", "pages/shared.html"))
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err) // the pattern is right
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		key := strings.TrimSuffix(path.Base(name), ".html")
		if key != "layout" && key != "shared" {
			all[key] = template.Must(template.Must(shared.Clone()).ParseFS(pageFiles, name))
		}
	}
	return all
}

// funcs are what pages write with. Times are UTC.
var funcs = template.FuncMap{
	"at":          func(t time.Time) string { return clock(t, "2006-01-02 15:04") },
	"exact":       func(t time.Time) string { return clock(t, "2006-01-02 15:04:05.999") },
	"instant":     instant,
	"machine":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"took":        took,
	"minutes":     minutes,
	"signed":      func(ms int64) string { return plus(ms, minutes(ms)) },
	"seconds":     seconds,
	"secondsOf":   func(ms *int64) string { return orNothing(ms, seconds) },
	"signedOf":    func(ms *int64) string { return orNothing(ms, func(v int64) string { return plus(v, seconds(v)) }) },
	"share":       share,
	"shareOf":     shareOf,
	"percent":     percent,
	"percentOf":   percentOf,
	"n":           count,
	"bytes":       sizeWords,
	"class":       classWords,
	"pairs":       report.Pairs,
	"verdict":     verdictWords,
	"mark":        mark,
	"tone":        tone,
	"periodic":    func(kind string) bool { return config.JobKind(kind).HasPeriod() },
	"key":         rand.Text,
	"fields":      strings.Fields,
	"has":         func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) },
	"erasing":     erasing,
	"flag":        func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	"setting":     setting,
	"hidden":      control.Evidence,
	"minus":       func(a, b int64) int64 { return a - b },
	"list":        func(s ...string) []string { return s },
	"one":         func(r *control.Report) []control.Report { return []control.Report{*r} },
	"nextTwo":     func(t []time.Time) []time.Time { return t[:min(len(t), 2)] },
	"cases":       func(id string, rows []report.Discrepancy) listed { return listed{id, rows} },
	"inputIDs":    inputIDs,
	"summed":      func(name string, s control.CaseSums) named { return named{name, s} },
	"masked":      jobs.Mask,
	"edges":       edges,
	"secondsMore": func(ms int64) string { return plus(ms, seconds(ms)) },
	"utc":         func(s string) string { return strings.TrimSuffix(strings.Replace(s, "T", " ", 1), "Z") },
	"grouped":     func(s fmt.Stringer) string { return grouped(s.String()) },
	"aboutPath":   aboutPath,
	"signedMin":   func(ms *int64) string { return orNothing(ms, func(v int64) string { return plus(v, minutes(v)) }) },
	"counts":      report.Counts,
	"registerOf": func(filter map[string]string, state ...string) string {
		if len(state) == 0 {
			return registerAddress(filter)
		}
		return registerAddress(filter, "state", state[0])
	},
}

// edges names a period so that no other one is meant.
func edges(p control.Period) string { return jobs.Period{From: p.From, To: p.To}.Edges() }

// listed are discrepancies of a report.
type listed struct {
	Report string
	Rows   []report.Discrepancy
}

// named are sums of cases.
type named struct {
	Name string
	control.CaseSums
}

// inputIDs returns the ids of files by their hash.
func inputIDs(list []control.Input) map[string]string {
	ids := map[string]string{}
	for _, in := range list {
		ids[in.SHA256] = in.File
	}
	return ids
}

const nothing = "–"

func clock(t time.Time, layout string) string {
	if t.IsZero() {
		return nothing
	}
	return t.UTC().Format(layout)
}

func took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return nothing
	}
	return to.Sub(from).Round(10 * time.Millisecond).String()
}

func orNothing(v *int64, f func(int64) string) string {
	if v == nil {
		return nothing
	}
	return f(*v)
}

// minutes writes milliseconds as minutes of one decimal.
func minutes(ms int64) string {
	return plus(0, grouped(new(big.Rat).SetFrac64(ms, 60_000).FloatString(1)))
}

// seconds writes milliseconds as seconds without trailing zeros.
func seconds(ms int64) string {
	s := new(big.Rat).SetFrac64(ms, 1000).FloatString(3)
	return grouped(strings.TrimRight(strings.TrimRight(s, "0"), "."))
}

// plus writes the sign of a value before it, unless nothing is left of it.
func plus(v int64, text string) string {
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	if v > 0 {
		return "+" + text
	}
	return strings.Replace(text, "-", "−", 1)
}

func count(v int64) string { return grouped(strconv.FormatInt(v, 10)) }

// grouped sets a comma between thousands.
func grouped(s string) string {
	sign, rest, decimals := "", s, ""
	if strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	if i := strings.IndexByte(rest, '.'); i >= 0 {
		rest, decimals = rest[:i], rest[i:]
	}
	for i := len(rest) - 3; i > 0; i -= 3 {
		rest = rest[:i] + "," + rest[i:]
	}
	return sign + rest + decimals
}

// share writes parts per million as a percentage.
func share(ppm int64) string {
	return plus(ppm, new(big.Rat).SetFrac64(ppm, 10_000).FloatString(2)) + " %"
}

// shareOf writes by how much the sides of a report differ. There is no share of
// nothing.
func shareOf(r control.Report) string {
	if r.Microsoft.DurationMS == 0 {
		return nothing
	}
	return share(r.DifferencePPM)
}

// percent writes the percentage of a summary; nil: there is nothing to divide by.
func percent(n *json.Number) string {
	if n == nil {
		return nothing
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nothing
	}
	return plus(int64(r.Sign()), r.FloatString(2)) + " %"
}

// percentOf writes a part of a whole.
func percentOf(part, whole int64) string {
	if whole == 0 {
		return nothing
	}
	r := new(big.Rat).SetFrac64(part, whole)
	return plus(part, r.Mul(r, big.NewRat(100, 1)).FloatString(2)) + " %"
}

func sizeWords(b int64) string {
	const unit = 1024
	if b < unit {
		return strconv.FormatInt(b, 10) + " B"
	}
	v, i := float64(b)/unit, 0
	for ; v >= unit && i < 3; i++ {
		v /= unit
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGT"[i])
}

func setting(v any) string {
	if v == nil {
		return nothing
	}
	return fmt.Sprint(v)
}

// words are what classes are called by people.
var words = map[string]string{
	"answer_conflict":       "Answered on one side only",
	"duration_over":         "Carrier's duration is longer",
	"duration_under":        "Carrier's duration is shorter",
	"number_mismatch":       "Numbers differ",
	"time_mismatch":         "Start times differ",
	"not_independent":       "Microsoft has the duration from the carrier",
	"matched_split":         "Matched: one call in several parts",
	"matched_rounding":      "Matched: differs by the agreed rounding",
	"matched":               "Matched",
	"invalid":               "Row that could not be read",
	"duplicate":             "Row that is there twice",
	"conflicting_duplicate": "Row that is there twice and differs",
	"superseded":            "Replaced by a correction",
	"unanswered_one_sided":  "Not answered, on one side only",
	"pending_late":          "The other side may still come",
	"missing_at_carrier":    "Missing at the carrier",
	"missing_at_microsoft":  "Missing at Microsoft",
	"outside_period":        "Outside the period",
}

func classWords(class string) string {
	if w, ok := words[class]; ok {
		return w
	}
	return class
}

// verdictWords are what the states of a period are called.
func verdictWords(v string) string {
	switch v {
	case "ok":
		return "in order"
	case "none":
		return "no report"
	case "no_data":
		return "no data"
	case "":
		return "usage"
	}
	return v
}

// tone is the class by which a state is coloured.
func tone(v string) string {
	switch v {
	case "accepted with rejected rows", "reopened":
		return "warning"
	case "approved":
		return "ok"
	case "in review":
		return "running"
	}
	return v
}

// mark is a sign for a state, for those who do not see colours.
func mark(v string) string {
	switch v {
	case "ok", "succeeded", "accepted", "approved":
		return "✓"
	case "warning", "accepted with rejected rows", "reopened":
		return "!"
	case "dispute", "rejected":
		return "✕"
	case "failed":
		return "⊘"
	case "running", "in review":
		return "▸"
	case "queued":
		return "…"
	}
	return "·"
}
