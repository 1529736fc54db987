package report_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
	"concord/formats/report"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestTheFirstVersionSupersedesNothing(t *testing.T) {
	v := version{inputs: someInputs, cases: sampleCases()}
	m, w, err := v.write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	const empty = `{"cases": 0,
		"before": {"microsoft_milliseconds": 0, "carrier_milliseconds": 0, "difference_milliseconds": 0},
		"now": {"microsoft_milliseconds": 0, "carrier_milliseconds": 0, "difference_milliseconds": 0}}`
	sameJSON(t, m.text("version.json"), `{
		"version": 1, "supersedes": null,
		"cases": {"opened": `+empty+`, "changed": `+empty+`, "closed": `+empty+`, "classes": []},
		"totals": {"before": null, "now": {"microsoft": {"records": 0, "milliseconds": 110001}, "carrier": {"records": 0, "milliseconds": 94260},
			"difference_milliseconds": -15741, "difference_percent": -14.3099, "verdict": "ok"}},
		"inputs": {"added": [], "removed": []}, "settings": []}`)
	if rows := strings.Count(m.text("changes.csv"), "\n"); rows != 1 {
		t.Errorf("changes.csv has %d lines, want its header", rows)
	}
	if w.Manifest != hashOf(m.text("manifest.json")) {
		t.Error("the hash given back is not that of manifest.json")
	}
	for _, name := range []string{"version.json", "changes.csv"} {
		if !strings.Contains(m.text("manifest.json"), hashOf(m.text(name))) {
			t.Errorf("manifest.json does not have %s", name)
		}
	}
}

// sameJSON compares documents but for their layout.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// doc is what these tests read of version.json.
type doc struct {
	Supersedes struct {
		Version  int
		Manifest string `json:"manifest_sha256"`
	}
	Totals struct {
		Before, Now struct {
			Microsoft struct{ Records, Milliseconds int64 }
		}
	}
	Inputs struct {
		Added, Removed []struct{ Side, Name, SHA256 string }
	}
	Settings []struct {
		Name        string
		Before, Now any
	}
}

func TestAVersionSaysWhyItDiffersFromTheOneBefore(t *testing.T) {
	old := version{rules: engine.DefaultRules(), inputs: inputs(report.Input{Name: "m.csv", SHA256: "aa"}, report.Input{Name: "c.csv", SHA256: "bb"}, report.Input{Name: "gone.csv", SHA256: "cc"})}
	now := version{rules: engine.DefaultRules(), inputs: inputs(report.Input{Name: "m.csv", SHA256: "aa"}, report.Input{Name: "c.csv", SHA256: "b2"}, report.Input{Name: "late.csv", SHA256: "dd"}, report.Input{Name: "m.csv", SHA256: "aa"})}
	now.rules.StartTolerance += time.Second
	totals := func(s *engine.Summary, records, ms int64) {
		more := ms - s.Totals.Microsoft.MS
		s.Classes[engine.Microsoft][engine.Matched].MS += more
		s.Files[engine.Microsoft][0].MS += more
		s.Totals.Microsoft = engine.Tally{Records: records, MS: ms}
		s.Days[0].Balance, s.Countries[0].Balance = s.Totals, s.Totals
	}
	old.spoil = func(s *engine.Summary) { totals(s, 2, 1_000) }
	now.spoil = func(s *engine.Summary) {
		s.AsOf = time.UnixMicro(noon)
		totals(s, 3, 4_000)
	}
	first, was, err := old.write(nil, report.Release{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := now.write(first, report.Release{Version: 4, PreviousVersion: 3, PreviousManifest: was.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	var d doc
	if err := json.Unmarshal([]byte(second.text("version.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Supersedes.Version != 3 || d.Supersedes.Manifest != was.Manifest {
		t.Errorf("supersedes %+v", d.Supersedes)
	}
	if d.Totals.Before.Microsoft.Records != 2 || d.Totals.Now.Microsoft.Milliseconds != 4_000 {
		t.Errorf("totals %+v", d.Totals)
	}
	if diff := cmp.Diff("{[{microsoft m.csv aa} {carrier c.csv b2} {carrier late.csv dd}] [{carrier c.csv bb} {carrier gone.csv cc}]}", fmt.Sprint(d.Inputs)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("[{as_of_utc <nil> 2026-10-01T12:00:00Z} {start_tolerance "+old.rules.StartTolerance.String()+" "+now.rules.StartTolerance.String()+"}]", fmt.Sprint(d.Settings)); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherCarriersVersionIsNotSuperseded(t *testing.T) {
	first, _, err := version{inputs: someInputs}.write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	other := version{inputs: someInputs, spoil: func(s *engine.Summary) { s.Carrier = "contoso" }}
	if _, _, err := other.write(first, report.Release{Version: 2, PreviousVersion: 1}); err == nil || !strings.Contains(err.Error(), "another carrier") {
		t.Errorf("error %v", err)
	}
}

// Nobody must be told of a change that somebody made on the disk.
func TestAPreviousVersionThatWasTamperedWithIsRefused(t *testing.T) {
	v := version{inputs: someInputs, cases: sampleCases()}
	for name, c := range map[string]struct {
		file  string
		spoil func(fstest.MapFS)
	}{
		"another duration":        {"discrepancies.csv", edit("discrepancies.csv", "63.25", "63.24")},
		"a row less":              {"discrepancies.csv", edit("discrepancies.csv", "a2,fabrikam,duration_under", "a1,fabrikam,duration_under")},
		"a column less":           {"discrepancies.csv", edit("discrepancies.csv", "case_id", "case_no")},
		"nonsense in its place":   {"discrepancies.csv", edit("discrepancies.csv", "2026-10-01T12:00:00Z", "noon")},
		"cut short":               {"discrepancies.csv", func(f fstest.MapFS) { f["discrepancies.csv"].Data = f["discrepancies.csv"].Data[:300] }},
		"rows behind the end":     {"discrepancies.csv", func(f fstest.MapFS) { f["discrepancies.csv"].Data = append(f["discrepancies.csv"].Data, "more\n"...) }},
		"no list of cases":        {"discrepancies.csv", func(f fstest.MapFS) { delete(f, "discrepancies.csv") }},
		"other totals":            {"summary.json", edit("summary.json", `"verdict": "ok"`, `"verdict": "ko"`)},
		"a summary of no JSON":    {"summary.json", edit("summary.json", `{`, `[`)},
		"no manifest":             {"manifest.json", func(f fstest.MapFS) { delete(f, "manifest.json") }},
		"a manifest of no JSON":   {"manifest.json", edit("manifest.json", "{", "[")},
		"a manifest without it":   {"manifest.json", edit("manifest.json", `"discrepancies.csv"`, `"others.csv"`)},
		"files and manifest both": {"manifest.json", forge},
	} {
		t.Run(name, func(t *testing.T) {
			first, was, err := v.write(nil, report.Release{Version: 7})
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(first.files)
			m, _, err := v.write(first, report.Release{Version: 8, PreviousVersion: 7, PreviousManifest: was.Manifest})
			if !errors.Is(err, report.ErrAltered) || !strings.Contains(err.Error(), c.file+" of version 7 was changed on disk") {
				t.Errorf("error %v", err)
			}
			if m.files["manifest.json"] != nil {
				t.Error("a report was completed")
			}
		})
	}
}

func edit(name, old, now string) func(fstest.MapFS) {
	return func(f fstest.MapFS) {
		f[name].Data = bytes.ReplaceAll(f[name].Data, []byte(old), []byte(now))
	}
}

// forge changes a file and the manifest to suit it.
func forge(f fstest.MapFS) {
	before := hashOf(string(f["discrepancies.csv"].Data))
	edit("discrepancies.csv", "63.25", "63.24")(f)
	edit("manifest.json", before, hashOf(string(f["discrepancies.csv"].Data)))(f)
}

func TestAFolderThatCannotBeReadIsNotTakenForATamperedOne(t *testing.T) {
	v := version{inputs: someInputs, cases: sampleCases()}
	first, _, err := v.write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		m := newMemory()
		disk := &badDisk{fsys: first, at: i}
		_, err := report.Write(context.Background(), m.create, v.result(), report.Options{Inputs: v.inputs, Release: &report.Release{
			Version: 2, PreviousVersion: 1, Previous: disk, Staged: m, Scratch: ram{},
		}})
		if disk.ops <= i {
			if err != nil || i < 6 {
				t.Errorf("%d operations were swept, the clean run says %v", i, err)
			}
			return
		}
		if !errors.Is(err, errInjected) || errors.Is(err, report.ErrAltered) || disk.open != 0 {
			t.Errorf("operation %d failed, %d files are open, error %v", i, disk.open, err)
		}
	}
}

// badDisk fails one operation of a folder that is read.
type badDisk struct {
	fsys          fs.FS
	at, ops, open int
}

func (d *badDisk) step(op, name string) error {
	if d.ops++; d.ops-1 == d.at {
		return &fs.PathError{Op: op, Path: name, Err: errInjected}
	}
	return nil
}

// Open implements fs.FS.
func (d *badDisk) Open(name string) (fs.File, error) {
	if err := d.step("open", name); err != nil {
		return nil, err
	}
	d.open++
	f, err := d.fsys.Open(name)
	return badFile{f, d, name}, err
}

type badFile struct {
	fs.File
	d    *badDisk
	name string
}

func (f badFile) Read(p []byte) (int, error) {
	if err := f.d.step("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f badFile) Close() error {
	f.d.open--
	return errors.Join(f.d.step("close", f.name), f.File.Close())
}

func TestEveryErrorOfAFileOfAVersionIsReported(t *testing.T) {
	v := version{inputs: someInputs, cases: sampleCases()}
	other := version{inputs: someInputs, cases: sampleCases()[1:]}
	first, _, err := v.write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; ; i++ {
		m := newMemory()
		f := &faulty{at: i}
		create := func(name string) (report.File, error) {
			bad, err := f.create(name)
			if err != nil {
				return nil, err
			}
			good, err := m.create(name)
			return both{bad, good}, err
		}
		_, err := report.Write(context.Background(), create, other.result(), report.Options{Inputs: other.inputs, Release: &report.Release{
			Version: 2, PreviousVersion: 1, Previous: first, Staged: m, Scratch: ram{},
		}})
		if f.open != 0 {
			t.Errorf("operation %d failed and left %d files open", i, f.open)
		}
		if f.ops < i {
			if err != nil || i < 30 {
				t.Fatalf("%d operations were swept, the clean run says %v", i, err)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Errorf("operation %d failed, the report says %v", i, err)
		}
	}
}

// both writes to two files; the first one may fail.
type both struct{ bad, good report.File }

func (b both) Write(p []byte) (int, error) {
	if n, err := b.bad.Write(p); err != nil {
		return n, err
	}
	return b.good.Write(p)
}

func (b both) Sync() error  { return b.bad.Sync() }
func (b both) Close() error { return b.bad.Close() }

func TestScratchThatFailsFailsTheReport(t *testing.T) {
	many := func(id string) (v version) {
		v.inputs = someInputs
		for i := range int64(10_000) {
			l := leg("m", noon+i, 5, 0, i+1)
			v.cases = append(v.cases, engine.Case{ID: fmt.Sprint(id, strings.Repeat("0", 100), i), Class: engine.MissingAtCarrier, Microsoft: &l})
		}
		return v
	}
	first, _, err := many("a").write(nil, report.Release{Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	v, m := many("b"), newMemory()
	_, err = report.Write(context.Background(), m.create, v.result(), report.Options{Inputs: v.inputs, Release: &report.Release{
		Version: 2, PreviousVersion: 1, Previous: first, Staged: m, Scratch: noScratch{},
	}})
	if !errors.Is(err, errInjected) {
		t.Errorf("error %v", err)
	}
}

type noScratch struct{}

func (noScratch) Create() (engine.ScratchFile, error) { return nil, errInjected }
