package qualityio

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"concord/formats"
)

// Every column of what is delivered is explained, and FORMATS.md names it.
func TestDictionaryIsComplete(t *testing.T) {
	calls, err := formats.CallDictionary(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	entries := append(calls, Dictionary()...)
	for _, e := range entries {
		if e.Meaning == "" || e.Type == "" || e.Column == "" || e.File == "" {
			t.Errorf("not explained: %+v", e)
		}
		if !strings.Contains(string(doc), e.Column) {
			t.Errorf("FORMATS.md does not name %s", e.Column)
		}
	}
	var b strings.Builder
	if err := formats.WriteDictionary(&b, entries); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != len(entries)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, want := range [][]string{
		{"calls", "duration_ms", "int64", "ms", "no", "from answer to end; 0 for a call that was never answered"},
		{"quality", "jitter_avg_ms", "decimal(18,6)", "ms", "yes", "average jitter; above 30 the stream is poor"},
	} {
		if !slices.ContainsFunc(rows, func(r []string) bool { return slices.Equal(r, want) }) {
			t.Errorf("%q is missing", want)
		}
	}
}

// The examples of quality rows in FORMATS.md are accepted, and both are the
// same stream.
func TestExamplesInTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []outcome
	for _, section := range []string{"Microsoft Graph, callRecords", "canonical quality rows"} {
		_, text, ok := strings.Cut(string(doc), "\n## Accepted: "+section+"\n")
		parts := strings.SplitN(text, "```", 3)
		if !ok || len(parts) < 3 {
			t.Fatalf("no example of %s", section)
		}
		_, example, _ := strings.Cut(parts[1], "\n")
		out := readAll([]byte(example), Options{Carrier: "fabrikam"})
		if out.err != nil || len(out.bad) > 0 || len(out.rows) != 1 {
			t.Fatalf("%s: %v %v %v", section, out.err, out.bad, out.rows)
		}
		found = append(found, out)
	}
	if found[0].rows[0] != found[1].rows[0] {
		t.Errorf("%+v\n%+v", found[0].rows[0], found[1].rows[0])
	}
}
