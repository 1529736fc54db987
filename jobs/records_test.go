package jobs

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/fixtures"
	"concord/formats/records"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	recordsHead    = "record_id,correlation_id,caller,callee,start,duration_ms,tenant_id,call_type\n"
	recordsProfile = "carrier: fabrikam\ncolumns: {record_id: record_id, correlation_id: correlation_id, caller: caller, callee: callee, start: start, duration_ms: duration_ms}\n"
)

// recordsWorld makes the files of both sides: calls of a week in any order, in
// several files, with rows that cannot be read, repeats and corrections.
type recordsWorld struct {
	r      *rand.Rand
	offset time.Duration
	files  [2][]string // contents
}

var worldStart = time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC) // the clock of Berlin changes on the 25th

func newRecordsWorld(seed uint64, offset time.Duration) *recordsWorld {
	w := &recordsWorld{r: rand.New(rand.NewPCG(seed, 1)), offset: offset}
	var rows [2][]string
	for i := range 400 {
		at := worldStart.Add(time.Duration(w.r.Int64N(int64(7 * 24 * time.Hour)))).Truncate(time.Second)
		ms, callee := w.r.IntN(4)*30_000, 33145678900+i%(20+w.r.IntN(400))
		for side := range rows {
			if w.r.IntN(12) == 0 {
				continue // the other side alone has it
			}
			rows[side] = append(rows[side], w.versions(side, i, callee, at, ms)...)
		}
	}
	for side := range rows {
		w.deal(side, rows[side])
	}
	return w
}

// versions returns a row, and perhaps a repeat or a correction of it, or one
// that cannot be read.
func (w *recordsWorld) versions(side, i, callee int, at time.Time, ms int) (rows []string) {
	if side == int(engine.Carrier) {
		at = at.Add(w.offset + time.Duration(w.r.IntN(3))*time.Second)
	}
	corr := ""
	if i%3 == 0 {
		corr = fmt.Sprintf("k%d", i)
	}
	row := func(start string, ms int) string {
		return fmt.Sprintf("%c%d,%s,+4930%d,+%d,%s,%d,t%d,user_out\n", "mc"[side], i, corr, 1000000+i, callee, start, ms, i%3)
	}
	rows = []string{row(at.Format(time.RFC3339), ms)}
	switch w.r.IntN(45) {
	case 0, 1, 2:
		rows = append(rows, rows[0])
	case 3, 4, 5:
		rows = append(rows, row(at.Add(time.Second).Format(time.RFC3339), ms+60_000))
	case 6:
		rows = []string{row("yesterday", ms)}
	}
	return rows
}

// deal shuffles the rows into three files, the last of which may have none.
func (w *recordsWorld) deal(side int, rows []string) {
	w.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, cut := range []int{len(rows) / 3, len(rows) / 2, w.r.IntN(2) * (len(rows) - len(rows)/3 - len(rows)/2)} {
		w.files[side] = append(w.files[side], recordsHead+strings.Join(rows[:max(0, cut)], ""))
		rows = rows[max(0, cut):]
	}
}

// collected writes the files into a folder, inspects each with records, and
// returns the options of a run of the files and of one of the records.
func (w *recordsWorld) collected(t *rapid.T, dir, profile string) (raw, kept MatchOptions) {
	raw = MatchOptions{Profile: filepath.Join(dir, "p.yaml"), Out: filepath.Join(dir, "raw")}
	kept = MatchOptions{Profile: raw.Profile, Out: filepath.Join(dir, "kept"), ProfileName: "p.yaml"}
	put(t, raw.Profile, profile)
	for side, list := range w.files {
		for i, text := range list {
			name := fmt.Sprintf("%d-%d.csv", side, i)
			path := filepath.Join(dir, name)
			put(t, path, text)
			o := InspectOptions{Path: path, Name: name, Carrier: "fabrikam", Microsoft: side == 0, Records: path + recordsEnding}
			if side == 1 {
				o.Profile = raw.Profile
				raw.Carrier = append(raw.Carrier, path)
			} else {
				raw.Microsoft = append(raw.Microsoft, path)
			}
			found, err := inspect(context.Background(), o)
			if err != nil || len(found.Faults) > 0 {
				t.Fatalf("%v %+v", err, found)
			}
			kept.Records[side] = append(kept.Records[side], RecordsInput{o.Records, name})
		}
	}
	return raw, kept
}

func put(t interface{ Fatal(...any) }, path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A report made from the records of a few days must say what the one made of
// all files says of the period, to the byte: else the service and the command
// contradict each other in front of a carrier.
func TestAReportFromRecordsIsThatFromTheFiles(t *testing.T) {
	repeatable(t, "40")
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		offset := rapid.SampledFrom([]time.Duration{0, 0, 37 * time.Second, time.Hour, -13 * time.Hour}).Draw(r, "offset")
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York"}).Draw(r, "zone")
		clock := rapid.SampledFrom([]string{"auto", offset.String()}).Draw(r, "clock")
		w := newRecordsWorld(rapid.Uint64().Draw(r, "seed"), offset)
		raw, kept := w.collected(r, dir, recordsProfile+"period_zone: "+zone+"\nclock_offset: "+clock+"\n")
		if days := rapid.IntRange(0, 3).Draw(r, "days"); days > 0 {
			loc, _ := time.LoadLocation(zone)
			kept.From = time.Date(2026, 10, 22+rapid.IntRange(0, 5).Draw(r, "first"), 0, 0, 0, 0, loc)
			kept.To = kept.From.AddDate(0, 0, days)
			raw.From, raw.To = kept.From, kept.To
		}
		sameReports(r, raw, kept)
	})
}

// repeatable fixes the seed of rapid, unless the command line has one.
func repeatable(t *testing.T, checks string) {
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.seed": "20261125", "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		if old := f.Value.String(); old == f.DefValue {
			_ = f.Value.Set(value)
			t.Cleanup(func() { _ = f.Value.Set(old) })
		}
	}
}

// sameReports runs both and compares what they wrote. The clock of a run of
// files is measured on all of them; here, as that of records, around the period.
func sameReports(t interface {
	Fatal(...any)
	Error(...any)
	Errorf(string, ...any)
}, raw, kept MatchOptions) {
	for _, o := range []MatchOptions{raw, kept} {
		p, err := o.plan()
		if err != nil {
			t.Fatal(err)
		}
		p.nearClock = true
		if _, err := p.run(context.Background(), engine.Observer{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"discrepancies.csv", "usage.csv", "rejected.csv"} {
		a, err1 := os.ReadFile(filepath.Join(raw.Out, name))
		b, err2 := os.ReadFile(filepath.Join(kept.Out, name))
		if d := cmp.Diff(strings.Split(string(a), "\n"), strings.Split(string(b), "\n")); err1 != nil || err2 != nil || d != "" {
			t.Errorf("%s: %v %v %s", name, err1, err2, d)
		}
	}
	if d := cmp.Diff(figures(t, raw.Out, false), figures(t, kept.Out, true)); d != "" {
		t.Error(d)
	}
}

// figures reads a summary without what lies outside the period, and without
// what was read of each file but the file's own figures.
func figures(t interface{ Fatal(...any) }, out string, kept bool) map[string]any {
	b, err := os.ReadFile(filepath.Join(out, "summary.json"))
	doc := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(doc, "tie_out")
	for _, c := range doc["classes"].([]any) {
		if c := c.(map[string]any); c["class"] == engine.OutsidePeriod.String() {
			clear(c)
		}
	}
	for _, in := range doc["inputs"].([]any) {
		in := in.(map[string]any)
		if kept {
			in["rows"] = in["file_rows"]
		}
		delete(in, "file_rows")
		delete(in, "accepted")
		delete(in, "seconds")
	}
	return doc
}

// The worlds of the fixtures hold every class and every flag.
func TestAReportFromRecordsOfAWholeWorld(t *testing.T) {
	for _, dialect := range fixtures.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			dir := t.TempDir()
			f, err := fixtures.Write(dir, fixtures.Options{Seed: 7, Calls: 3000, Dialect: dialect, Corrections: true, Period: "2026-10-23/2026-10-28"})
			if err != nil {
				t.Fatal(err)
			}
			at := func(name string) string { return filepath.Join(dir, name) }
			raw := MatchOptions{Out: at("raw"), Period: "2026-10-25"}
			if f.Profile != "" {
				raw.Profile = at(f.Profile)
			}
			kept := raw
			kept.Out = at("kept")
			for side, names := range [2][]string{f.Microsoft, f.Carrier} {
				for _, name := range names {
					o := InspectOptions{Path: at(name), Name: filepath.Base(name), Microsoft: side == 0, Records: at(filepath.Base(name) + recordsEnding)}
					if side == 1 {
						o.Profile = raw.Profile
						raw.Carrier = append(raw.Carrier, o.Path)
					} else {
						raw.Microsoft = append(raw.Microsoft, o.Path)
					}
					if found, err := inspect(t.Context(), o); err != nil || len(found.Faults) > 0 {
						t.Fatalf("%v %+v", err, found)
					}
					kept.Records[side] = append(kept.Records[side], RecordsInput{o.Records, o.Name})
				}
			}
			sameReports(t, raw, kept)
		})
	}
}

// Damage must be told as such, and mended by the next try.
func TestDamagedRecordsArePutAside(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "m.csv"), recordsHead+"m1,,+4930123456,+33145678901,2026-10-01T12:10:00Z,90500,,\n")
	o := InspectOptions{Path: filepath.Join(dir, "m.csv"), Name: "m.csv", Microsoft: true, Records: filepath.Join(dir, "m.records")}
	if _, err := inspect(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Records)
	if err != nil {
		t.Fatal(err)
	}
	b[60] ^= 1 // in a page
	put(t, o.Records, string(b))
	match := MatchOptions{Out: filepath.Join(dir, "out")}
	match.Records[engine.Microsoft] = []RecordsInput{{o.Records, "m.csv"}}
	_, err = Match(t.Context(), match, engine.Observer{})
	if err == nil || !strings.Contains(err.Error(), "m.csv: the records kept of it are damaged") || !strings.Contains(err.Error(), "made anew") || Explain(err).Kind != KindFailed {
		t.Errorf("%v", err)
	}
	if isThere(o.Records) || !isThere(o.Records+asideEnding) || isThere(match.Out) {
		t.Error("the damaged records are where they were, or there is a report")
	}
	if isThere(records.Unfinished(o.Records)) {
		t.Error("something was left unfinished")
	}
}
