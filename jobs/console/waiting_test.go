package console_test

import (
	"strings"
	"testing"

	"concord/jobs/control"
)

// A carrier says that it has sent a file, and nobody sees it or why it is not taken.
func TestACarriersPageShowsWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.desk.Waiting = func(carrier string) []control.WaitingFile {
		if carrier != "fabrikam" {
			return nil
		}
		return []control.WaitingFile{{File: payloads[0], Why: "only one column was found", Told: w.now}}
	}
	b := w.as(t, "ops")
	_, page := b.get("/console/carriers/fabrikam")
	if !strings.Contains(page, "Files that wait") || !strings.Contains(page, "only one column was found") {
		t.Error("the page does not say what waits")
	}
	inert(t, "carrier", page)
	if _, page := b.get("/console/carriers/litware"); strings.Contains(page, "Files that wait") {
		t.Error("nothing of litware waits")
	}
}
