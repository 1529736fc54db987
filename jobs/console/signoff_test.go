package console_test

import (
	"cmp"
	"fmt"
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

// Enter in a field takes the first button of its form, so one that a reason is
// typed in must not approve: the period would be locked by who found it wrong.
func TestEnterInTheReasonDoesNotApprove(t *testing.T) {
	w := newWorld(t)
	if _, err := w.desk.StepSignOff(t.Context(), control.SignOffStep{Report: w.report.ID, Step: "submit", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	_, page := w.as(t, "finance").get("/console/reports/" + w.report.ID)
	var steps [][]string
	every(t, page, func(n *html.Node) {
		if n.Data != "form" || !strings.HasSuffix(attribute(n, "action"), "/signoff") {
			return
		}
		var form []string
		for c := range n.Descendants() {
			if value := attribute(c, "value"); c.Data == "button" {
				form = append(form, value)
			} else if c.Data == "input" {
				form = append(form, attribute(c, "name")+" required: "+attribute(c, "required"))
			}
		}
		steps = append(steps, form)
	})
	if got := fmt.Sprint(steps); got != "[[approve] [why required: yes send_back]]" {
		t.Errorf("the forms are %s", got)
	}
}

// attribute returns an attribute of an element; one without a value is yes.
func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return cmp.Or(a.Val, "yes")
		}
	}
	return ""
}
