package console_test

import (
	"strings"
	"testing"

	"concord/jobs/control"

	"golang.org/x/net/html"
)

// signOffLine is what a report says of its sign-off.
func signOffLine(t *testing.T, page string) (line string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if text := said(n); n.Data == "p" && strings.HasPrefix(text, "Sign-off:") {
			line = strings.Join(strings.Fields(text), " ")
		}
	})
	return line
}

func TestASignOffSaysWhatIsSoNow(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	const was = " It was approved by admin at 2026-11-04 09:00"
	for _, step := range []struct{ step, why, by, want string }{
		{"submit", "", "finance", "Sign-off: in review, submitted by finance."},
		{"send_back", "no", "admin", "Sign-off: draft, sent back: no."},
		{"submit", "", "finance", "Sign-off: in review, submitted by finance."},
		{"approve", "", "admin", "Sign-off: approved, submitted by finance, approved by admin. The period is locked: no further version is published until it is reopened."},
		{"reopen", "late rows", "root", "Sign-off: reopened by root: late rows." + was + "."},
		{"submit", "", "bob", "Sign-off: in review, submitted by bob." + was + " and reopened by root at 2026-11-04 09:00."},
		{"send_back", "no", "ann", "Sign-off: draft, sent back: no." + was + " and reopened by root at 2026-11-04 09:00."},
	} {
		if _, err := w.desk.StepSignOff(t.Context(), control.SignOffStep{Report: w.report.ID, Step: step.step, Why: step.why, By: control.By(step.by)}); err != nil {
			t.Fatal(err)
		}
		_, page := b.get("/console/reports/" + w.report.ID)
		if line := signOffLine(t, page); line != step.want {
			t.Errorf("after %s by %s:\n%s\nwant\n%s", step.step, step.by, line, step.want)
		}
	}
}
