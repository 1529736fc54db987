package console_test

import (
	"strings"
	"testing"

	"concord/jobs"
)

// A carrier that bills minutes of which Microsoft knows none is the first to look
// at, and not one that differs by 0 %.
func TestADifferenceOfNothingHasNoShareAndIsTheFirst(t *testing.T) {
	w := newWorld(t)
	w.published(t, "2026-10", jobs.Figures{Verdict: "dispute", Carrier: jobs.Tally{Records: 5, DurationMS: 24_000_000}})
	b := w.as(t, "finance")
	for _, path := range []string{"/console/", "/console/reports?carrier=litware", "/console/carriers"} {
		_, page := b.get(path)
		if strings.Contains(page, "0.00 %") {
			t.Errorf("%s has a share of nothing", path)
		}
	}
	_, page := b.get("/console/")
	litware, fabrikam := strings.Index(page, "Why litware differs in 2026-10"), strings.Index(page, "Why fabrikam differs in 2026-10")
	if litware < 0 || fabrikam < litware {
		t.Errorf("litware stands at %d, fabrikam, which differs by 1.30 %%, at %d", litware, fabrikam)
	}
}
