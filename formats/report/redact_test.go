package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/report"
)

// standIn is what stands for the number 4930123456.
const standIn = 490001234567890

func withoutNumber(s string) string { return strings.ReplaceAll(s, "4930123456", "490001234567890") }

// redacted writes a version anew without the number.
func redacted(t *testing.T, from string, o report.Redaction) (string, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	o.From, o.Version, o.Text = os.DirFS(from), 1, withoutNumber
	o.Case = func(id string) string { return "other than " + id }
	o.Holds = func(string) (bool, error) { return false, nil }
	manifest, err := report.Redact(t.Context(), into(out), o)
	if err == nil && manifest != hashOf(read(t, out, "manifest.json")) {
		t.Error("the hash given back is not that of manifest.json")
	}
	return out, err
}

// A version from which a number is taken is the one that would have been written
// with the stand-in from the beginning: every file, byte by byte.
func TestAVersionWithoutANumberIsTheOneOfTheStandIn(t *testing.T) {
	cases := sampleCases()
	for i := range cases {
		legs := cases[i].Carrier
		for j := range legs {
			if legs[j].Caller == engine.E164(4930123456) {
				legs[j].Caller = engine.E164(standIn)
			}
		}
		if m := cases[i].Microsoft; m != nil && m.Caller == engine.E164(4930123456) {
			m.Caller = engine.E164(standIn)
		}
	}
	wanted := sampleResult()
	wanted.cases = each(cases)
	want := writeTo(t, wanted, sampleOptions())
	got, err := redacted(t, writeTo(t, sampleResult(), sampleOptions()), report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(want)
	if err != nil || len(list) < 9 {
		t.Fatal(len(list), err)
	}
	for _, f := range list {
		if a, b := read(t, want, f.Name()), read(t, got, f.Name()); a != b {
			t.Errorf("%s: %d bytes, not the %d of the stand-in", f.Name(), len(b), len(a))
		}
	}
}

// A case whose id was made of the number gets another one, everywhere the same;
// those of others stay.
func TestTheIDOfACaseIsNotMadeOfAnErasedNumber(t *testing.T) {
	r := sampleResult()
	list := sampleCases()
	list[1].Carrier[0].RecordID, list[1].Carrier[1].RecordID = "", ""
	r.cases = each(list)
	got, err := redacted(t, writeTo(t, r, sampleOptions()), report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"discrepancies.csv", "verdicts.csv"} {
		if text := read(t, got, name); !strings.Contains(text, "other than a2") || strings.Contains(text, "other than a1") || strings.Contains(text, "other than a3") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Whoever unpacks the workbooks finds the stand-in, and a second time gives the
// same bytes.
func TestWorkbooksDoNotHoldAnErasedNumber(t *testing.T) {
	from := writeTo(t, sampleResult(), sampleOptions())
	got, err := redacted(t, from, report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := redacted(t, from, report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	for name, sheet := range map[string]string{"report.xlsx": "Discrepancies", "dispute.xlsx": "Calls in dispute"} {
		if text := fmt.Sprint(rows(t, book(t, from, name), sheet)); !strings.Contains(text, "+4930123456") {
			t.Errorf("%s never held the number", name)
		}
		f := book(t, got, name)
		for _, sheet := range f.GetSheetList() {
			if strings.Contains(fmt.Sprint(rows(t, f, sheet)), "4930123456") {
				t.Errorf("%s: %s holds the number", name, sheet)
			}
		}
		if text := fmt.Sprint(rows(t, f, sheet)); !strings.Contains(text, "+490001234567890") {
			t.Errorf("%s lacks the stand-in", name)
		}
		if read(t, got, name) != read(t, again, name) {
			t.Errorf("%s has other bytes the second time", name)
		}
	}
	if text := read(t, got, "report.html"); strings.Contains(text, "…3456") || !strings.Contains(text, "…7890") {
		t.Error("report.html shows the end of the number")
	}
}

// A version that an older program wrote has no files for people, and gets none.
func TestAVersionWithoutFilesForPeopleIsRedacted(t *testing.T) {
	from := writeTo(t, sampleResult(), sampleOptions())
	dropped(t, from, "report.html", "report.xlsx", "dispute.xlsx")
	got, err := redacted(t, from, report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(got)
	if err != nil || len(list) < 8 {
		t.Fatal(len(list), err)
	}
	for _, f := range list {
		if strings.HasSuffix(f.Name(), ".xlsx") || strings.HasSuffix(f.Name(), ".html") || strings.Contains(read(t, got, f.Name()), "+4930123456") {
			t.Errorf("%s is there, or holds the number", f.Name())
		}
	}
}

// dropped takes files out of a version as if it never had them.
func dropped(t *testing.T, folder string, names ...string) {
	t.Helper()
	var m struct {
		Files []map[string]any `json:"files"`
	}
	if err := json.Unmarshal([]byte(read(t, folder, "manifest.json")), &m); err != nil {
		t.Fatal(err)
	}
	m.Files = slices.DeleteFunc(m.Files, func(f map[string]any) bool { return slices.Contains(names, f["name"].(string)) })
	b, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "manifest.json"), b, 0o600)
	}
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(folder, name)))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is not as it was written is not believed, and figures that look like the
// number stay.
func TestOnlyTextsOfAWholeVersionAreChanged(t *testing.T) {
	from := writeTo(t, sampleResult(), sampleOptions())
	if _, err := redacted(t, from, report.Redaction{Manifest: hashOf("another one")}); !errors.Is(err, report.ErrAltered) {
		t.Errorf("another manifest: %v", err)
	}
	r := sampleResult()
	r.sum.Files[engine.Carrier][0].MS += 4930123456
	r.sum.Classes[engine.Carrier][engine.Superseded].MS = 4930123456
	got, err := redacted(t, writeTo(t, r, sampleOptions()), report.Redaction{})
	if err != nil {
		t.Fatal(err)
	}
	if text := read(t, got, "summary.json"); !strings.Contains(text, "4930123456") || strings.Contains(text, "490001234567890") {
		t.Error("a figure was changed")
	}
	for _, name := range []string{"report.xlsx", "discrepancies.parquet"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte("PAR1"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := redacted(t, from, report.Redaction{}); !errors.Is(err, report.ErrAltered) {
			t.Errorf("an altered %s: %v", name, err)
		}
	}
}

// Every error of a file that is written is reported.
func TestEveryErrorOfARedactedFileIsReported(t *testing.T) {
	from := os.DirFS(writeTo(t, sampleResult(), sampleOptions()))
	for i := 1; ; i++ {
		f := &faulty{at: i}
		_, err := report.Redact(context.Background(), f.create, report.Redaction{
			From: from, Version: 1, Text: withoutNumber, Case: func(id string) string { return id }, Holds: func(string) (bool, error) { return false, nil },
		})
		if f.open != 0 {
			t.Errorf("operation %d failed and left %d files open", i, f.open)
		}
		if f.ops < i {
			if err != nil || i < 30 {
				t.Errorf("%d operations were swept, the clean run says %v", i, err)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
}
