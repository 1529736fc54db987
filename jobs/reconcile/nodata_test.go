package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"concord/engine"
	"concord/jobs"
)

// A night in which no feed worked would be published as one without a difference.
func TestASideWithoutRecordsIsToldBeforeTheVersionIsPublished(t *testing.T) {
	w := newWorld(t)
	var told []string
	fails := errors.New("no database")
	w.r.Empty = func(_ context.Context, r jobs.Run, microsoft, carrier bool) error {
		told = append(told, fmt.Sprintf("%s %t %t", r.Period.Text, microsoft, carrier))
		return fails
	}
	if _, err := w.do(daily()); !errors.Is(err, fails) || len(w.a.reports) > 0 {
		t.Errorf("%v, and %d versions", err, len(w.a.reports))
	}
	fails = nil
	w.must(daily())
	w.count[engine.Microsoft] = 3
	w.file("late.csv", "s3", true)
	w.must(jobs.Run{Trigger: jobs.TriggerUpload})
	w.must(jobs.Run{Trigger: jobs.TriggerUpload}) // there is nothing new
	w.count[engine.Carrier] = 3
	w.must(jobs.Run{Trigger: jobs.TriggerManual}) // which makes it anew
	if want := []string{"2026-10-01 true true", "2026-10-01 true true", "2026-10-01 false true", "2026-10-01 false false"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// Who asks for a day at noon gets a report without calls; when the day is over
// and nothing has come, there is no further version, and it is told all the same.
func TestWhatWasMadeBeforeThePeriodWasOverIsToldAfterIt(t *testing.T) {
	w := newWorld(t)
	w.now = at("2026-10-01T12:00:00Z")
	w.must(jobs.Run{Trigger: jobs.TriggerManual})
	told := 0
	w.r.Empty = func(_ context.Context, _ jobs.Run, microsoft, carrier bool) error {
		if microsoft && carrier {
			told++
		}
		return nil
	}
	w.now = at("2026-10-02T06:30:00Z")
	w.must(daily())
	if told != 1 || len(w.versions()) != 1 {
		t.Errorf("told %d times, versions %v", told, w.versions())
	}
}
