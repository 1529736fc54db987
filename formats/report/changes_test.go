package report_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
	"concord/formats/report"
)

// memory is a report folder in memory.
type memory struct {
	mu    sync.Mutex
	files fstest.MapFS
}

func newMemory() *memory { return &memory{files: fstest.MapFS{}} }

func (m *memory) create(name string) (report.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &fstest.MapFile{}
	m.files[name] = f
	return memoryFile{f}, nil
}

// Open implements fs.FS.
func (m *memory) Open(name string) (fs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files.Open(name)
}

func (m *memory) text(name string) string { return string(m.files[name].Data) }

type memoryFile struct{ f *fstest.MapFile }

func (m memoryFile) Write(p []byte) (int, error) {
	m.f.Data = append(m.f.Data, p...)
	return len(p), nil
}

func (memoryFile) Sync() error  { return nil }
func (memoryFile) Close() error { return nil }

// ram is scratch space in memory.
type ram struct{}

func (ram) Create() (engine.ScratchFile, error) { return &ramFile{}, nil }

type ramFile struct {
	mu sync.Mutex
	b  []byte
}

func (f *ramFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(f.b).ReadAt(p, off)
}

func (f *ramFile) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if need := int(off) + len(p); need > len(f.b) {
		f.b = append(f.b, make([]byte, need-len(f.b))...)
	}
	return copy(f.b[off:], p), nil
}

func (*ramFile) Close() error { return nil }

// version is what one version of a report is made of.
type version struct {
	cases  []engine.Case
	inputs [2][]report.Input
	rules  engine.Rules
	spoil  func(*engine.Summary)
}

// result makes a result of cases that ties out.
func (v version) result() *fakeResult {
	f := &fakeResult{cases: each(v.cases)}
	f.sum.Carrier = "fabrikam"
	for side := range v.inputs {
		f.sum.Files[side] = make([]engine.FileTally, len(v.inputs[side]))
	}
	for i := range v.cases {
		f.sum.Discrepancies[v.cases[i].Class]++
	}
	f.tie()
	if v.spoil != nil {
		v.spoil(&f.sum)
	}
	return f
}

// write writes a version; before is the one that it supersedes, or nil.
func (v version) write(before *memory, r report.Release) (*memory, *report.Written, error) {
	m := newMemory()
	r.Staged, r.Scratch = m, ram{}
	if before != nil {
		r.Previous = before
	}
	w, err := report.Write(context.Background(), m.create, v.result(), report.Options{Inputs: v.inputs, Rules: v.rules, Release: &r})
	return m, w, err
}

// after writes a version and the one that supersedes it.
func after(t testing.TB, old, now version) (*memory, *report.Written) {
	t.Helper()
	first, _, err := old.write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	second, w, err := now.write(first, report.Release{Version: 2, PreviousVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	return second, w
}

func inputs(list ...report.Input) (in [2][]report.Input) {
	for _, i := range list {
		side := engine.Carrier
		if strings.HasPrefix(i.Name, "m") {
			side = engine.Microsoft
		}
		in[side] = append(in[side], i)
	}
	return in
}

var someInputs = inputs(report.Input{Name: "m.csv", SHA256: "aa"}, report.Input{Name: "c.csv", SHA256: "bb"}, report.Input{Name: "c2.csv", SHA256: "cc"})

// pair is a case that both sides have.
func pair(id string, class engine.Class, microsoft, carrier engine.Leg) engine.Case {
	return engine.Case{ID: id, Class: class, Microsoft: &microsoft, Carrier: []engine.Leg{carrier}}
}

func TestAPersonFindsWhatHappenedToEachCall(t *testing.T) {
	sameOld, sameNow := leg("c1", noon, 66_000, 0, 4), leg("c1", noon, 66_000, 1, 9)
	corrected := leg("c2", noon+2_000_000, 72_500, 1, 1)
	flagged := pair("b3", engine.DurationOver, leg("m3", noon, 60_000, 0, 3), leg("c3", noon, 63_000, 0, 3))
	renumbered := pair("b3", engine.NumberMismatch, leg("m3", noon, 60_000, 0, 3), leg("c3", noon, 63_000, 0, 3))
	renumbered.Flags, renumbered.Microsoft.Caller = engine.NumberDiffers, engine.OtherNumber("+4930123****")
	gone, come := leg("m4", noon+4_000_000, 5_000, 0, 4), leg("c5", noon+5_000_000, 7_000, 1, 2)
	old := version{inputs: someInputs, cases: []engine.Case{
		pair("b1", engine.DurationOver, leg("m1", noon, 60_000, 0, 1), sameOld), flagged,
		pair("b2", engine.DurationOver, leg("m2", noon+1_000_000, 60_000, 0, 2), leg("c2", noon+1_000_000, 65_000, 0, 2)),
		{ID: "b4", Class: engine.MissingAtCarrier, Microsoft: &gone},
	}}
	now := version{inputs: someInputs, cases: []engine.Case{
		pair("b1", engine.DurationOver, leg("m1", noon, 60_000, 0, 1), sameNow), renumbered,
		pair("b2", engine.DurationOver, leg("m2", noon+1_000_000, 60_000, 0, 2), corrected),
		{ID: "b5", Class: engine.MissingAtMicrosoft, Carrier: []engine.Leg{come}},
	}}
	folder, w := after(t, old, now)
	want := "change,case_id,class_before,class,difference_seconds_before,difference_seconds,microsoft_record_id,carrier_record_ids,correlation_id,caller,callee," +
		"microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,flags,differs," +
		"microsoft_record_id_before,carrier_record_ids_before,caller_before,callee_before,microsoft_start_utc_before,carrier_start_utc_before,microsoft_seconds_before,carrier_seconds_before,flags_before\n" +
		"changed,b3,duration_over,number_mismatch,3,3,m3,c3,corr m3,+4930123456,+33145678900,2026-10-01T12:00:00Z,2026-10-01T12:00:00Z,60,63,number_differs,class action flags,,,,,,,,,\n" +
		"changed,b2,duration_over,duration_over,5,12.5,m2,c2,corr m2,+4930123456,+33145678900,2026-10-01T12:00:01Z,2026-10-01T12:00:02Z,60,72.5,,carrier_start_utc carrier_seconds,,,,,,2026-10-01T12:00:01Z,,65,\n" +
		"closed,b4,missing_at_carrier,,,,m4,,corr m4,+4930123456,+33145678900,2026-10-01T12:00:04Z,,5,,,,,,,,,,,,\n" +
		"opened,b5,,missing_at_microsoft,,,,c5,corr c5,+4930123456,+33145678900,,2026-10-01T12:00:05Z,,7,,,,,,,,,,,\n"
	if diff := cmp.Diff(want, folder.text("changes.csv")); diff != "" {
		t.Errorf("changes.csv (-want +got):\n%s", diff)
	}
	sum := func(m, k, d int64) report.CaseSum {
		return report.CaseSum{MicrosoftMS: m, CarrierMS: k, DifferenceMS: d}
	}
	over := report.Moved{Cases: 1, Before: sum(60_000, 65_000, 5_000), Now: sum(60_000, 72_500, 12_500)}
	mismatch := report.Moved{Cases: 1, Before: sum(60_000, 63_000, 3_000), Now: sum(60_000, 63_000, 3_000)}
	closed, opened := report.Moved{Cases: 1, Before: sum(5_000, 0, 0)}, report.Moved{Cases: 1, Now: sum(0, 7_000, 0)}
	if diff := cmp.Diff(&report.Changes{
		Opened: opened, Closed: closed, Changed: report.Moved{Cases: 2, Before: sum(120_000, 128_000, 8_000), Now: sum(120_000, 135_500, 15_500)},
		Classes: []report.ClassChanges{
			{Class: "duration_over", Changed: over}, {Class: "number_mismatch", Changed: mismatch},
			{Class: "missing_at_carrier", Closed: closed}, {Class: "missing_at_microsoft", Opened: opened},
		},
	}, w.Changes); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestAVersionOfTheSameFindsChangesNothing(t *testing.T) {
	v := version{inputs: someInputs, cases: sampleCases()}
	folder, w := after(t, v, v)
	if n := strings.Count(folder.text("changes.csv"), "\n"); n != 1 {
		t.Errorf("%d changes of nothing:\n%s", n-1, folder.text("changes.csv"))
	}
	if diff := cmp.Diff(&report.Changes{Classes: []report.ClassChanges{}}, w.Changes); diff != "" {
		t.Error(diff)
	}
}

// A month of a large carrier must not need more memory than a day of a small
// one, and what goes to scratch files must come back.
func TestManyChangesAreFoundInLittleMemory(t *testing.T) {
	const n = 20_000
	many := func(offset int64) (v version) {
		v.inputs = someInputs
		for i := range int64(n) {
			l := leg(fmt.Sprint("m", i), noon+(i+offset)*1_000_000, 5_000, 0, i+1)
			v.cases = append(v.cases, engine.Case{ID: fmt.Sprintf("%024x", i*2654435761%(1<<40)), Class: engine.MissingAtCarrier, Microsoft: &l})
		}
		return v
	}
	folder, w := after(t, many(0), many(n)) // each starts later, so none stands in its place
	if w.Changes.Changed.Cases != n || w.Changes.Opened.Cases+w.Changes.Closed.Cases != 0 {
		t.Errorf("counts %+v", w.Changes)
	}
	rows := table(t, folder, "changes.csv")
	if !slices.IsSortedFunc(rows, func(a, b map[string]string) int {
		return strings.Compare(a["microsoft_start_utc"], b["microsoft_start_utc"])
	}) || len(rows) != n {
		t.Errorf("%d rows, or not in the order of their starts", len(rows))
	}
}

func TestChangesAreInertInASpreadsheet(t *testing.T) {
	evil := leg("=HYPERLINK(1)", noon, 5, 0, 1)
	evil.CorrelationID, evil.Caller, evil.Callee = "@SUM(A1)", engine.OtherNumber("+44,20\"x"), engine.OtherNumber("-1+2")
	milder := evil
	milder.Caller = engine.E164(4930123456)
	old := version{inputs: someInputs, cases: []engine.Case{{ID: "a", Class: engine.MissingAtCarrier, Microsoft: &evil}, {ID: "b", Class: engine.MissingAtCarrier, Microsoft: &evil}}}
	now := version{inputs: someInputs, cases: []engine.Case{{ID: "a", Class: engine.MissingAtCarrier, Microsoft: &milder}, {ID: "c", Class: engine.MissingAtCarrier, Microsoft: &evil}}}
	folder, _ := after(t, old, now)
	rows := table(t, folder, "changes.csv")
	if len(rows) != 3 || rows[0]["caller"] != "+4930123456" || rows[0]["caller_before"] != `'+44,20"x` || rows[2]["microsoft_record_id"] != "'=HYPERLINK(1)" {
		t.Errorf("rows %q", rows)
	}
	for _, r := range rows {
		for name, cell := range r {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && cell != "+4930123456" {
				t.Errorf("%s holds %q", name, cell)
			}
		}
	}
}

func TestChangesThatAreDamagedAreNotReadAsFewer(t *testing.T) {
	const header = "change,case_id,class,class_before,difference_seconds,difference_seconds_before\n"
	for name, text := range map[string]string{
		"nothing":               "",
		"a column missing":      "change,case_id,class\n",
		"an event not known":    header + "vanished,a,,,,\n",
		"a difference of words": header + "opened,a,duration_over,,many,\n",
		"a row cut short":       header + "opened,a,duration_over,,1,\nclosed,b,",
		"no line end":           header + "opened,a,duration_over,,1,",
	} {
		t.Run(name, func(t *testing.T) {
			var last error
			for _, err := range report.ReadChanges(strings.NewReader(text)) {
				last = err
			}
			if last == nil {
				t.Error("it was read without an error")
			}
		})
	}
	broken := io.MultiReader(strings.NewReader(header), errReader{})
	for _, err := range report.ReadChanges(broken) {
		if !errors.Is(err, errInjected) {
			t.Errorf("error %v", err)
		}
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errInjected }
