package jobs_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

func rowsOf(list ...string) []byte { return []byte(`{"rows": [` + strings.Join(list, ",") + `]}`) }

const goodRow = `{"record_id": "r1", "caller": "+493012345678", "callee": null, "start": "2026-10-01T10:00:00+02:00", "duration_ms": 61000, "cause": 16}`

func TestRowsBecomeACanonicalFile(t *testing.T) {
	body := rowsOf(goodRow, `{"duration_ms":"1","start":"2026-10-01T10:00:00Z","record_id":"a,\"b\"\nc","direction":"out"}`)
	content, rows, faults, err := jobs.RowsFile(t.Context(), "fabrikam", body)
	if err != nil || rows != 2 || len(faults) != 0 {
		t.Fatal(rows, faults, err)
	}
	table, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	want := [][]string{
		{"record_id", "correlation_id", "direction", "caller", "callee", "start", "end", "duration_ms", "cause", "revision"},
		{"r1", "", "", "+493012345678", "", "2026-10-01T10:00:00+02:00", "", "61000", "16", ""},
		{"a,\"b\"\nc", "", "out", "", "", "2026-10-01T10:00:00Z", "", "1", "", ""},
	}
	if err != nil || !slices.EqualFunc(table, want, slices.Equal[[]string]) {
		t.Errorf("%q, %v", table, err)
	}
	again, _, _, err := jobs.RowsFile(t.Context(), "fabrikam", body)
	if err != nil || string(again) != string(content) {
		t.Error("the same rows make another file")
	}
}

// What is wrong is named by row and field, and no value is in it.
func TestRowsWithFaults(t *testing.T) {
	const value = "493012345678"
	for name, c := range map[string]struct {
		row, field, reason string
	}{
		"no start":            {`{"duration_ms":1}`, "start", ""},
		"no duration":         {`{"start":"2026-10-01T10:00:00Z"}`, "duration_ms", ""},
		"a time without zone": {`{"start":"2026-10-01T10:00:00","duration_ms":1}`, "start", ""},
		"a number for a time": {`{"start":` + value + `,"duration_ms":1}`, "start", ""},
		"a negative duration": {`{"start":"2026-10-01T10:00:00Z","duration_ms":-` + value + `}`, "duration_ms", ""},
		"an exponent":         {`{"start":"2026-10-01T10:00:00Z","duration_ms":1e3}`, "duration_ms", ""},
		"a cause of letters":  {`{"start":"2026-10-01T10:00:00Z","duration_ms":1,"cause":"` + value + `x"}`, "cause", ""},
		"an object":           {`{"start":"2026-10-01T10:00:00Z","duration_ms":{"ms":` + value + `}}`, "duration_ms", "neither a text nor a number"},
		"a truth value":       {`{"start":"2026-10-01T10:00:00Z","duration_ms":1,"direction":true}`, "direction", "neither a text nor a number"},
		"another field":       {`{"start":"2026-10-01T10:00:00Z","duration_ms":1,"` + value + `":1}`, "", "a field that is none of"},
		"a field twice":       {`{"start":"2026-10-01T10:00:00Z","duration_ms":1,"duration_ms":2}`, "duration_ms", "is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			content, rows, faults, err := jobs.RowsFile(t.Context(), "fabrikam", rowsOf(goodRow, c.row, goodRow))
			if err != nil || content != nil || rows != 3 || len(faults) != 1 || faults[0].Row != 2 || faults[0].Field != c.field || !strings.Contains(faults[0].Reason, c.reason) || faults[0].Reason == "" {
				t.Errorf("%d rows, %+v, %v", rows, faults, err)
			}
			if strings.Contains(fmt.Sprint(faults), value) {
				t.Errorf("a value is told: %v", faults)
			}
		})
	}
}

func TestWhatIsNoRows(t *testing.T) {
	const value = "493012345678"
	for name, body := range map[string]string{
		"nothing": "", "a list": "[" + goodRow + "]", "no rows": `{"rows": []}`, "another name": `{"` + value + `": []}`, "cut off": `{"rows": [` + goodRow, "cut off in a row": `{"rows": [{"start":"` + value,
		"more behind": string(rowsOf(goodRow)) + value, "another member": `{"rows": [` + goodRow + `], "more": 1}`, "a text for a row": string(rowsOf(`"` + value + `"`)), "null": "null", "not JSON": "record_id,start\n" + value,
		"deep":     `{"rows": [{"start":` + strings.Repeat("[", 20_000) + `]}`,
		"too many": string(rowsOf(slices.Repeat([]string{goodRow}, jobs.MostRows+1)...)),
	} {
		content, _, faults, err := jobs.RowsFile(t.Context(), "fabrikam", []byte(body))
		if !errors.Is(err, jobs.ErrRows) || content != nil || len(faults) != 0 || strings.Contains(err.Error(), value) {
			t.Errorf("%s: %v, %v", name, faults, err)
		}
	}
	if _, rows, faults, err := jobs.RowsFile(t.Context(), "fabrikam", rowsOf(slices.Repeat([]string{goodRow}, jobs.MostRows)...)); err != nil || rows != jobs.MostRows || len(faults) > 0 {
		t.Errorf("as many as may be: %d, %v, %v", rows, faults, err)
	}
}

// The name of a batch depends on its key, holds nothing of it, and looks like no
// number to those who mask them.
func TestNamesOfRows(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		key := fmt.Sprint("+4930123456", i)
		name := jobs.RowsName(key)
		if !landing.IsReserved(name) || landing.IsTemporary(name) || jobs.Masked(jobs.Mask(name)) || strings.ContainsAny(name, "0123456789") || seen[name] || name != jobs.RowsName(key) {
			t.Fatal(name)
		}
		seen[name] = true
	}
}

func FuzzRows(f *testing.F) {
	f.Add(string(rowsOf(goodRow)))
	f.Add(`{"rows":[{"start":"2026-10-01T10:00:00Z","duration_ms":1,"record_id":"\u0000\ud800\r\n"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		content, rows, faults, err := jobs.RowsFile(t.Context(), "fabrikam", []byte(body))
		switch {
		case err != nil && !errors.Is(err, jobs.ErrRows):
			t.Errorf("it is nobody's fault: %v", err)
		case err == nil && len(faults) == 0 && (rows == 0 || content == nil):
			t.Error("there is neither a file nor a fault")
		}
	})
}
