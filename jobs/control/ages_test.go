package control_test

import (
	"testing"
	"time"

	"concord/jobs/control"
)

func TestDaysOpenAreOfTwentyFourHours(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 4, 20, 9, 30, 0, 0, time.UTC) // the clocks went forward in March
	want := time.Date(2027, 1, 20, 9, 30, 0, 1000, time.UTC)
	for _, at := range []time.Time{now, now.In(zone)} {
		if got := control.OpenFor(at, 90); !got.Equal(want) {
			t.Errorf("90 days before %s is %s, want %s", at, got, want)
		}
	}
}
