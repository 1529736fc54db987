package control

import (
	"strings"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

// A header that is none, and the name of a file in an error, may hold numbers.
func TestReasonsAndErrorsShowNoNumber(t *testing.T) {
	const number = "+49 (0) 30 12 34 56"
	f := fileOf(jobs.Entry{Name: "a.csv", Reasons: []landing.Reason{{Reason: "the file has the columns " + number}}, Notes: []string{"skipped " + number}})
	r := runOf(jobs.Run{Error: "listing " + number + ".csv cannot be used"})
	for _, text := range []string{f.Reasons[0].Reason, f.Notes[0], r.Error} {
		if strings.Contains(text, "30 12 34") || !strings.Contains(text, "…3456") {
			t.Errorf("%q", text)
		}
	}
}
