package console_test

import (
	"net/http"
	"slices"
	"testing"
)

// Whoever looks into a refusal has to know of which job, report or case it was,
// and is shown no number that somebody typed into an address.
func TestARefusalIsNotedWithWhatItWasAbout(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	for _, path := range []string{"/console/jobs/monthly/pause", "/console/jobs/" + canary + "/pause", "/console/reload"} {
		if status, _ := b.post(path, "why", "x"); status != http.StatusForbidden {
			t.Errorf("%s answers %d", path, status)
		}
	}
	want := []string{"finance POST /console/reload ", "finance POST /console/jobs/{job}/pause job=…3456", "finance POST /console/jobs/{job}/pause job=monthly"}
	if got := w.audit(t, "console.denied"); !slices.Equal(got, want) {
		t.Errorf("noted: %q, want %q", got, want)
	}
}
