package formats

import (
	"os"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/dialect"
)

// TestExamplesInTheDocumentAreAccepted reads every example of a text file in
// FORMATS.md as its section says.
func TestExamplesInTheDocumentAreAccepted(t *testing.T) {
	doc, err := os.ReadFile("FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	head := "record_id,correlation_id,direction,caller,callee,start,duration_ms,cause\n"
	for _, c := range []struct {
		section string
		side    engine.Side
		header  string
		rows    int // of all its examples
	}{
		{"canonical CSV", engine.Carrier, head, 1},
		{"a carrier's CSV", engine.Carrier, "", 1},
		{"Microsoft Graph, getPstnCalls and getDirectRoutingCalls", engine.Microsoft, "", 2},
		{"Teams admin centre, PSTN usage export", engine.Microsoft, "", 1},
		{"Teams admin centre, Direct Routing usage export", engine.Microsoft, "", 1},
	} {
		t.Run(c.section, func(t *testing.T) {
			var opts Options
			rows := 0
			for _, e := range examples(string(doc), c.section) {
				if e.language == "yaml" {
					if opts.Profile, err = dialect.Parse("example", []byte(e.text)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				text := e.text
				if !strings.HasPrefix(text, c.header) {
					text = c.header + text
				}
				r := readSide(t, c.side, opts, 10, textInput("example", text))
				if r.err != nil || len(r.bad) > 0 {
					t.Fatalf("%v %v", r.err, r.bad)
				}
				rows += len(r.calls)
			}
			if rows != c.rows {
				t.Errorf("%d rows, want %d", rows, c.rows)
			}
		})
	}
}

type example struct{ language, text string }

// examples returns the fenced blocks of a section.
func examples(doc, section string) (list []example) {
	_, doc, _ = strings.Cut(doc, "## Accepted: "+section+"\n")
	doc, _, _ = strings.Cut(doc, "\n## ")
	for i, block := range strings.Split(doc, "```") {
		if i%2 == 1 {
			language, text, _ := strings.Cut(block, "\n")
			list = append(list, example{language, text})
		}
	}
	return list
}
