package console_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"concord/jobs"
)

func TestCasesThatAreOpenForSoManyDaysAreThoseOfTheirColumn(t *testing.T) {
	w := newWorld(t)
	w.as(t, "finance").get("/console/cases") // the register knows the cases, which are open since now
	began := w.now
	for _, days := range []string{"7", "30", "60", "90"} {
		n, err := strconv.Atoi(days)
		if err != nil {
			t.Fatal(err)
		}
		for at, found := range map[time.Time]bool{began.AddDate(0, 0, n): true, began.AddDate(0, 0, n).Add(-time.Second): false} {
			w.now = at
			_, page := w.as(t, "finance").get("/console/cases?days=" + days)
			ages, err := w.desk.CaseAges(t.Context(), jobs.CasesFilter{})
			if err != nil || len(ages.Buckets) != 1 || ages.Buckets[0].OverDays >= n != found || strings.Contains(page, "No case is like that") == found {
				t.Errorf("%s days: found is %t, and the ages are %v, %v", days, !found, ages.Buckets, err)
			}
		}
	}
}
