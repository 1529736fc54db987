package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
)

// A ruleCase is a story about one rule of MATCHING.md. Each side is a list of
// records, a line each, and a line --- between files:
//
//	id 12:00:00 60 key=value …
//
// is a record that starts at that time of 2026-10-01 and lasts 60 seconds.
// Keys are from, to (numbers; A, B, C and D are short for four, - is
// withheld), corr, rev, tenant, user and type, and the bare words in, out,
// operator, untrusted and bad. The id
// - is none. want has a line for each record in the same order:
//
//	id class [pass partner [flags…]]
type ruleCase struct {
	name               string
	set                func(*world) // on top of the default rules and a fixed offset of 0
	microsoft, carrier string
	want               string
}

// decide checks the reference and the engine against the story.
func decide(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := storyWorld(t, c.set, c.microsoft, c.carrier)
			want := words(c.want)
			if diff := cmp.Diff(want, story(reference(w))); diff != "" {
				t.Errorf("reference, want (-), got (+):\n%s", diff)
			}
			if diff := cmp.Diff(want, story(mustRun(t, w))); diff != "" {
				t.Errorf("engine, want (-), got (+):\n%s", diff)
			}
		})
	}
}

func mustRun(t *testing.T, w *world) *answer {
	t.Helper()
	a, err := run(t.Context(), w, setup{workers: 2, partRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func storyWorld(t *testing.T, set func(*world), microsoft, carrier string) *world {
	t.Helper()
	w := &world{rules: engine.DefaultRules()}
	w.rules.AutoOffset = false
	w.sides = [2][][]row{storyFiles(t, microsoft), storyFiles(t, carrier)}
	if set != nil {
		set(w)
	}
	return w
}

func storyFiles(t *testing.T, text string) (files [][]row) {
	t.Helper()
	for file := range strings.SplitSeq(text, "---") {
		var rows []row
		for line := range strings.Lines(strings.TrimSpace(file)) {
			if f := strings.Fields(line); len(f) > 0 {
				rows = append(rows, storyRow(t, f))
			}
		}
		files = append(files, rows)
	}
	return files
}

var storyNumbers = map[string]string{
	"A": "+49301000", "B": "+33140000", "C": "+31205000", "D": "+49309999", "-": "",
}

func storyNumber(s string) engine.Number {
	if known, ok := storyNumbers[s]; ok {
		s = known
	}
	return engine.ParseNumber(s)
}

func storyRow(t *testing.T, f []string) (r row) {
	t.Helper()
	r.RecordID = strings.Trim(f[0], "-")
	r.Start = clockTime(t, f[1]).UnixMicro()
	seconds, err := strconv.ParseFloat(f[2], 64)
	if err != nil {
		t.Fatal(err)
	}
	r.DurationMS = int64(seconds*1000 + 0.5)
	r.Caller, r.Callee = storyNumber("A"), storyNumber("B")
	for _, word := range f[3:] {
		key, value, _ := strings.Cut(word, "=")
		setField(t, &r, key, value)
	}
	return r
}

// clockTime reads a time of 2026-10-01, or a date and a time, in UTC.
func clockTime(t *testing.T, s string) time.Time {
	t.Helper()
	if !strings.Contains(s, "T") {
		s = "2026-10-01T" + s
	}
	at, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func setField(t *testing.T, r *row, key, value string) {
	t.Helper()
	switch key {
	case "from":
		r.Caller = storyNumber(value)
	case "to":
		r.Callee = storyNumber(value)
	case "corr":
		r.CorrelationID = value
	case "rev":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		r.HasRevision, r.Revision = true, int32(n)
	case "tenant":
		r.TenantID = value
	case "user":
		r.UserID = value
	case "type":
		r.CallType = value
	case "out":
		r.Direction = engine.Out
	case "in":
		r.Direction = engine.In
	case "operator":
		r.Source = engine.SourceOperator
	case "untrusted":
		r.ClockUntrusted = true
	case "bad":
		r.bad = true
	default:
		t.Fatalf("a record has no %s", key)
	}
}

// story tells an answer in the form of ruleCase.want.
func story(a *answer) (lines []string) {
	ids := map[origin]string{}
	for _, v := range a.verdicts {
		ids[origin{v.side, v.place}] = v.name()
	}
	for _, v := range a.verdicts {
		f := []string{v.name(), v.class.String()}
		if v.partner != nil {
			f = append(f, v.pass.String(), ids[origin{1 - v.side, *v.partner}])
		}
		if v.flags != 0 {
			f = append(f, v.flags.String())
		}
		lines = append(lines, strings.Join(f, " "))
	}
	return lines
}

// name is the record's id, or its place.
func (v verdict) name() string {
	if v.id != "" {
		return v.id
	}
	return fmt.Sprintf("%d:%d", v.place.file, v.place.row)
}

// words returns the lines of a text with single spaces.
func words(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return slices.Clip(lines)
}

// rounding sets the rounding rule of a story.
func rounding(rule string) func(*world) {
	return func(w *world) {
		r, err := engine.ParseRounding(rule)
		if err != nil {
			panic(err)
		}
		w.rules.Rounding = r
	}
}

// day sets the period to 2026-10-01 in UTC.
func day(w *world) {
	w.from = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	w.to = w.from.AddDate(0, 0, 1)
}
