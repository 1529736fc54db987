package dialect

import (
	"strings"
	"testing"
	"time"

	"concord/engine"

	"github.com/google/go-cmp/cmp"
)

// fabrikam is the example of PROFILES.md.
const fabrikam = `carrier: fabrikam
files:
  pattern: "FAB_{seq:06}_{date:20060102}.csv.gz"
  format: csv
  delimiter: ";"
  encoding: windows-1252
columns:
  record_id: CDR_ID
  caller: A_NUMMER
  callee: B_NUMMER
  start: {column: BEGINN, layout: "02.01.2006 15:04:05", zone: Europe/Berlin}
  duration: {column: DAUER, unit: s}
numbers: {country: DE, national_prefix: "0", international_prefix: "00", keep_short: true}
clock_offset: auto
start_tolerance: 5s
duration_tolerance: 2s
rounding: 60/60 up
period_zone: Europe/Berlin
trailer: {prefix: "T;", count: 2, seconds: 3}
`

// minimal is the least that columns must say.
const minimal = "columns: {start: S, duration: {column: D, unit: s}}\n"

func mustProfile(t testing.TB, text string) *Profile {
	t.Helper()
	p, err := Parse("profile.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfileSaysHowFilesAreLaidOut(t *testing.T) {
	p := mustProfile(t, fabrikam)
	f := p.Files
	f.Pattern = NamePattern{}
	if diff := cmp.Diff(FileRules{Format: "csv", Delimiter: ';', Encoding: "windows-1252"}, f, cmp.AllowUnexported(NamePattern{})); diff != "" {
		t.Error(diff)
	}
	if want := (Trailer{Prefix: "T;", Count: 2, Seconds: 3}); p.Trailer != want {
		t.Errorf("trailer: got %+v", p.Trailer)
	}
	p = mustProfile(t, `files: {header: false, columns: [S, D], quote: none, skip: 2, comment: "#", delimiter: tab}`+"\n"+minimal)
	want := FileRules{NoHeader: true, Columns: []string{"S", "D"}, NoQuotes: true, SkipLines: 2, Comment: "#", Delimiter: '\t'}
	if diff := cmp.Diff(want, p.Files, cmp.AllowUnexported(NamePattern{})); diff != "" {
		t.Error(diff)
	}
}

func TestProfileSetsTheRules(t *testing.T) {
	p := mustProfile(t, `carrier: c
clock_offset: -37s
start_tolerance: 3s
id_window: 12h
split_gap: 1s
duration_tolerance: 1500ms
rounding: 30/6 nearest
late_window: 48h
margin: 30m
period_zone: Europe/Berlin
warn_at: 0.25%
dispute_at: 2 %
max_rejected: 10%
limits: {field: 1KiB, record: 1MiB, columns: 10, decompressed: 1GiB, ratio: 50, rows: 1000, entries: 2, footer: 1MiB, page: 2MiB}
`)
	want := engine.Rules{
		ClockOffset: -37 * time.Second, StartTolerance: 3 * time.Second, IDWindow: 12 * time.Hour, SplitGap: time.Second,
		DurationTolerance: 1500 * time.Millisecond, Rounding: engine.Rounding{First: 30_000, Next: 6000, Mode: engine.RoundNearest},
		LateWindow: 48 * time.Hour, Margin: 30 * time.Minute, WarnAt: 2500, DisputeAt: 20_000, Zone: p.Rules().Zone,
	}
	if p.Rules() != want || want.Zone.String() != "Europe/Berlin" {
		t.Errorf("got %+v", p.Rules())
	}
	limits := Limits{
		Field: 1 << 10, Record: 1 << 20, Columns: 10, Decompressed: 1 << 30, Ratio: 50, Rows: 1000, Entries: 2,
		Footer: 1 << 20, Page: 2 << 20, MaxRejected: 0.1,
	}
	if p.Limits != limits {
		t.Errorf("got %+v", p.Limits)
	}
}

func TestAProfileWithoutColumnsIsCanonical(t *testing.T) {
	p := mustProfile(t, "carrier: c\nstart_tolerance: 1s\n")
	if !p.CanonicalColumns() || !Canonical().CanonicalColumns() {
		t.Error("the columns are not the canonical ones")
	}
	if mustProfile(t, minimal).CanonicalColumns() {
		t.Error("columns of its own are called canonical")
	}
	if Canonical().Rules() != engine.DefaultRules() {
		t.Error("the rules are not the defaults")
	}
}

const broken = `carrier: fabrikam
files:
  delimitre: ";"
columns:
  start: {column: BEGINN, layout: "DD.MM.YYYY", zone: Europe/Berlin}
  end: {column: ENDE, layout: "02.01.2006 15:04:05", zone: Europe/Bonn}
  duration: DAUER
numbers: {national_prefix: "0"}
rounding: sixty
`

const brokenWant = `fab.yaml:3: files.delimitre: no such key; did you mean delimiter?
fab.yaml:5: columns.start.layout: "DD.MM.YYYY" is no layout of a whole date and time; write how the carrier would write 2 January 2006, 15:04:05, such as "02.01.2006 15:04:05" or "2006-01-02 15:04:05"; or rfc3339, unix, unix_ms, unix_us
fab.yaml:6: columns.end.zone: "Europe/Bonn" is no time zone; write a name of the zone database, such as Europe/Berlin, or UTC
fab.yaml:7: columns.duration.unit: required: say what the duration counts: us, ms, s, min, h, hh:mm:ss, mm:ss
fab.yaml:8: numbers.country: required: national numbers need the country they are in, such as DE
fab.yaml:9: rounding: "sixty" is no rounding: write first/next seconds and up, nearest or down, such as 60/60 up`

func TestEveryErrorOfAProfileIsToldAtOnce(t *testing.T) {
	_, err := Parse("fab.yaml", []byte(broken))
	if err == nil {
		t.Fatal("accepted")
	}
	if diff := cmp.Diff(brokenWant, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestProfileErrorsSayWhatToDo(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", "p:1: the file is empty"},
		{"only a comment", "# later\n", "p:1: the file is empty"},
		{"no object", "- a\n- b\n", "p:1: is a list"},
		{"not YAML", "a: 1\nb: [x\nc: 2\n", "p:3: not YAML: ',' or ']'"},
		{"two documents", "carrier: a\n---\ncarrier: b\n", "more than one document"},
		{"a key twice", "carrier: a\ncarrier: b\n", "p:2: carrier: is there twice, first in line 1"},
		{"brackets without an end", "carrier: " + strings.Repeat("[", 200_000), "nested too deeply"},
		{"objects without an end", "carrier: " + strings.Repeat("{a: ", 100_000), "nested too deeply"},
		{"a list in a list without an end", "carrier:\n " + strings.Repeat("- ", 200_000), "nested too deeply"},
		{"a ruler is no nesting", "# " + strings.Repeat("-", 200) + "\nbad: 1\n", "p:2: bad: no such key"},
		{"an anchor", "carrier: &a b\n", "uses an anchor"},
		{"a tag", "carrier: !!str b\n", "uses a tag"},
		{"an unknown key", "colour: red\n" + minimal, "p:1: colour: no such key; there are carrier, files"},
		{"an unknown field", "columns: {strat: S, duration: {column: D, unit: s}}\n", "columns.strat: no such field; did you mean start?"},
		{"no start", "columns: {duration: {column: D, unit: s}}\n", "columns.start: required"},
		{"no duration", "columns: {start: S}\n", "columns.duration: required"},
		{"two durations", "columns: {start: S, duration_ms: D, duration: {column: D, unit: s}}\n", "give either duration or duration_ms"},
		{"end - start without an end", "columns: {start: S, duration: end - start}\n", "columns.duration: needs end; add columns.end"},
		{"an unknown unit", "columns: {start: S, duration: {column: D, unit: sec}}\n", `columns.duration.unit: "sec" is none of us, ms, s, min`},
		{"a local time without a zone", "columns: {start: {column: S, layout: \"2006-01-02 15:04:05\"}, duration_ms: D}\n", "columns.start.zone: required"},
		{"day and month in any order", "zone: UTC\ncolumns: {start: {column: S, layout: [\"02/01/2006 15:04\", \"01/02/2006 15:04\"]}, duration_ms: D}\n",
			"columns.start.layout[2]: \"02/01/2006 15:04\" and \"01/02/2006 15:04\" read the same text as different times"},
		{"a zone name in the layout", "columns: {start: {column: S, layout: \"2006-01-02 15:04:05 MST\"}, duration_ms: D}\n", "names of zones such as CET are not unique"},
		{"a layout without the time of day", "zone: UTC\ncolumns: {start: {column: S, layout: \"2006-01-02\"}, duration_ms: D}\n", "no layout of a whole date and time"},
		{"half a day's hours", "zone: UTC\ncolumns: {start: {column: S, layout: \"2006-01-02 03:04:05\"}, duration_ms: D}\n", "no layout of a whole date and time"},
		{"a zone that is a path", "zone: ../../etc/passwd\n" + minimal, "p:1: zone: \"../../etc/passwd\" is no time zone"},
		{"a column and a constant", "columns: {start: {column: S, const: x}, duration_ms: D}\n", "columns.start: has column and const; keep one"},
		{"no column", "columns: {start: {layout: rfc3339}, duration_ms: D}\n", "columns.start: names no column"},
		{"a direction of nowhere", "columns: {start: S, duration_ms: D, direction: {column: X, map: {MO: outgoing}}}\n", "columns.direction.map.MO: \"outgoing\" is none of in, out, unknown"},
		{"an amount in thirds", "columns: {start: S, duration_ms: D, charge: {column: X, divide: 3}}\n", "an amount is never rounded"},
		{"a layout for a number", "columns: {start: S, duration_ms: D, caller: {column: X, layout: rfc3339}}\n", "columns.caller.layout: no such key"},
		{"no header and no names", "files: {header: false}\n" + minimal, "files.columns: required"},
		{"names and a header", "files: {columns: [S, D]}\n" + minimal, "files.columns: only for files without a header"},
		{"a name twice", "files: {header: false, columns: [S, S]}\n" + minimal, "files.columns: \"S\" is there twice"},
		{"a column that is not listed", "files: {header: false, columns: [S]}\n" + minimal, "columns.duration.column: column \"D\" is not one of files.columns"},
		{"a delimiter of two", "files: {delimiter: \";;\"}\n" + minimal, "files.delimiter: \";;\" is no delimiter"},
		{"an encoding of its own", "files: {encoding: klingon}\n" + minimal, "files.encoding: "},
		{"a delimiter for Parquet", "files: {format: parquet, delimiter: \";\"}\n" + minimal, "files.delimiter: has no meaning for Parquet"},
		{"a pattern that is not closed", "files: {pattern: \"A_{seq\"}\n" + minimal, "files.pattern: the part {seq is not closed"},
		{"a correction without a number", "files: {pattern: \"A_{seq}\", corrections: \"K_{any}\"}\n" + minimal, "p:1: files.corrections: has no {seq}"},
		{"corrections of files without numbers", "files:\n  pattern: \"A_{any}\"\n  corrections: any\n" + minimal, "p:3: files.corrections: files.pattern has no {seq}"},
		{"corrections of files with any name", "files: {corrections: any}\n" + minimal, "files.pattern: required"},
		{"a correction that is not closed", "files: {pattern: \"A_{seq}\", corrections: \"A_{seq\"}\n" + minimal, "files.corrections: the part {seq is not closed"},
		{"corrections named as all other files", "files: {pattern: \"A_{seq:06}_{date:20060102}.csv\", corrections: \"A_{seq}_{any}.csv\"}\n" + minimal, "files.corrections: every name of files.pattern fits it, too"},
		{"an unknown policy", "files: {policy: renamed}\n" + minimal, "files.policy: \"renamed\" is none of close, rename, done_marker, manifest, quiet; did you mean rename?"},
		{"a quiet time without the policy", "files: {quiet: 30s, policy: rename}\n" + minimal, "files.quiet: has no meaning for policy: rename"},
		{"no quiet time", "files: {quiet: 0s, policy: quiet}\n" + minimal, "files.quiet: 0s is no time to wait"},
		{"a quiet week", "files: {quiet: 168h, policy: quiet}\n" + minimal, "files.quiet: 168h0m0s is no time to wait"},
		{"a pattern of unknown parts", "files: {pattern: \"A_{number}\"}\n" + minimal, "files.pattern: {number} is no part of a name"},
		{"no such country", "numbers: {country: Germany}\n" + minimal, "numbers.country: \"Germany\" is no country"},
		{"a prefix of letters", "numbers: {international_prefix: [\"00\", x]}\n" + minimal, "numbers.international_prefix[2]: \"x\" is no prefix"},
		{"a tolerance without a unit", "start_tolerance: 5\n" + minimal, "start_tolerance: \"5\" is no length of time"},
		{"a negative tolerance", "start_tolerance: -5s\n" + minimal, "p:1: start_tolerance: must not be negative"},
		{"a warning after the dispute", "warn_at: 2%\n" + minimal, "p:1: warn_at: must not be less than warn_at"},
		{"a share without its sign", "max_rejected: 5\n" + minimal, "max_rejected: \"5\" is no share"},
		{"a limit of nothing", "limits: {field: 0}\n" + minimal, "limits.field: \"0\" is no size"},
		{"a trailer without a prefix", "trailer: {count: 2}\n" + minimal, "trailer.prefix: required"},
		{"a trailer that counts twice", "trailer: {prefix: T, count: 2, seconds: 2}\n" + minimal, "trailer.seconds: is the same field as count"},
		{"a filter that keeps nothing", "rows: {where: {TYPE: []}}\n" + minimal, "rows.where.TYPE: is empty"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("p", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant … %s", err, c.want)
			}
		})
	}
}

func TestFileNamesSayTheirSequenceAndDate(t *testing.T) {
	day := time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name, pattern, file string
		want                NameParts
		ok                  bool
	}{
		{"both", "FAB_{seq:06}_{date:20060102}.csv.gz", "FAB_000123_20261001.csv.gz", NameParts{Seq: 123, HasSeq: true, Date: day, HasDate: true}, true},
		{"past the width", "FAB_{seq:03}.csv", "FAB_1000.csv", NameParts{Seq: 1000, HasSeq: true}, true},
		{"too short a number", "FAB_{seq:03}.csv", "FAB_12.csv", NameParts{}, false},
		{"no such day", "{date:2006-01-02}.csv", "2026-02-30.csv", NameParts{}, false},
		{"another name", "FAB_{seq}.csv", "FOO_1.csv", NameParts{}, false},
		{"dots are dots", "a.csv", "abcsv", NameParts{}, false},
		{"anything", "cdr-{any}.csv", "cdr-x.y.csv", NameParts{}, true},
		{"no pattern", "", "whatever", NameParts{}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := &Profile{}
			if c.pattern != "" {
				n, err := ParseNamePattern(c.pattern)
				if err != nil {
					t.Fatal(err)
				}
				p.Files.Pattern = n
			}
			got, ok := p.MatchName(c.file)
			if got != c.want || ok != c.ok {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

func TestProfileSaysHowFilesArrive(t *testing.T) {
	cases := []struct {
		name, files string
		policy      Policy
		quiet       time.Duration
		reuse       bool
	}{
		{"nothing said", "{format: csv}", PolicyClose, 0, false},
		{"renamed when whole", "{policy: rename}", PolicyRename, 0, false},
		{"a minute of quiet", "{policy: quiet}", PolicyQuiet, time.Minute, false},
		{"a while of quiet", "{policy: quiet, quiet: 5m}", PolicyQuiet, 5 * time.Minute, false},
		{"a manifest, and numbers used again", "{policy: manifest, pattern: \"A{seq}\", corrections: any}", PolicyManifest, 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := mustProfile(t, "files: "+c.files+"\n"+minimal).Files
			if f.Policy != c.policy || f.Quiet != c.quiet || f.ReuseCorrects != c.reuse {
				t.Errorf("%s, %s, %v", f.Policy, f.Quiet, f.ReuseCorrects)
			}
		})
	}
}

func TestCorrectionsAreToldByTheirNames(t *testing.T) {
	p := mustProfile(t, "files: {pattern: \"FAB_{seq:06}{any}.csv\", corrections: \"FAB_{seq:06}_K{any}.csv\"}\n"+minimal)
	for name, want := range map[string]NameParts{
		"FAB_000017.csv":    {Seq: 17, HasSeq: true},
		"FAB_000017_K2.csv": {Seq: 17, HasSeq: true, Correction: true},
	} {
		if got, ok := p.MatchName(name); !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if _, ok := p.MatchName("FOO_000017_K2.csv"); ok {
		t.Error("a name of somebody else fits")
	}
}

func TestLimitsOfAProfileBeatTheOthers(t *testing.T) {
	p := mustProfile(t, "limits: {field: 1KiB}\nmax_rejected: 0%\n"+minimal)
	got := p.Limits.Or(DefaultLimits())
	if got.Field != 1<<10 || got.Record != DefaultLimits().Record || got.MaxRejected <= 0 || got.MaxRejected > 1e-6 {
		t.Errorf("got %+v", got)
	}
}
