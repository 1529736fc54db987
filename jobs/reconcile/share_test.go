package reconcile

import "testing"

// A list said 1.41 % where the report said 1.42 %.
func TestTheShareIsThatOfTheSummary(t *testing.T) {
	for _, c := range []struct{ part, whole, want int64 }{
		{14_151, 1_000_000, 14_151}, {1, 3, 333_333}, {2, 3, 666_667}, {-2, 3, -666_667}, {29, 100, 290_000}, {-1, 2_000_000, -1}, {5, 0, 0},
		{9_000_000_000_000, 90_000_000_000_000, 100_000},
	} {
		if got := perMillion(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: %d per million, want %d", c.part, c.whole, got, c.want)
		}
	}
}
