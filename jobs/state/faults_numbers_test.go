package state_test

import (
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

// directory is everything that is remembered of fabrikam's numbers.
func directory(t *testing.T, s *state.Store) (all []any) {
	t.Helper()
	list, err := s.Listings(t.Context(), "fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	for a, err := range s.KnownNumbers(t.Context(), jobs.NumbersAt{Carrier: "fabrikam", Position: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	d, err := s.LastDelivery(t.Context(), "fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	return append(all, list, d)
}

// TestAListingThatCannotBeRecordedLeavesNothing lets each of the statements of
// a listing and of a delivery fail.
func TestAListingThatCannotBeRecordedLeavesNothing(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		l := running(t, s)
		lease := l.Lease()
		record := func(n int) error {
			x := jobs.Listing{Carrier: "fabrikam", Name: "x", Changed: now, AsOf: now.Add(time.Duration(n) * time.Hour), Bytes: int64(n), Status: jobs.ListingTaken}
			_, err := s.RecordListing(t.Context(), lease, x, jobs.Taking{}, func() jobs.ListedRows { return hundredth(300, n) }, now)
			return err
		}
		begin := func() error {
			_, err := s.BeginDelivery(t.Context(), lease, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: 1, Position: 1, AsOf: now}, now)
			return err
		}
		end := func() error {
			return s.EndDelivery(t.Context(), lease, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: 1, Added: 7}, now)
		}
		for _, step := range []struct {
			do     func() error
			faults []fault
		}{
			{func() error { return record(1) }, []fault{{"INSERT", "number_listings", "true"}, {"INSERT", "numbers", "NEW.digits = 493000000000"}, {"INSERT", "numbers", "NEW.digits = 493000000299"}, {"UPDATE", "number_listings", "true"}}},
			{func() error { return record(2) }, []fault{{"UPDATE", "numbers", "NEW.digits = 493000000102"}, {"INSERT", "numbers", "NEW.digits = 493000000202"}, {"UPDATE", "number_listings", "true"}}},
			{begin, []fault{{"INSERT", "number_deliveries", "true"}}},
			{end, []fault{{"UPDATE", "number_deliveries", "true"}}},
		} {
			before := directory(t, s)
			for _, f := range step.faults {
				heal := spoil(t, url, f.statement, f.table, f.when)
				broken(t, step.do())
				heal()
				if d := cmp.Diff(before, directory(t, s)); d != "" {
					t.Errorf("%v: %s", f, d)
				}
			}
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if cmp.Equal(before, directory(t, s)) {
				t.Error("it had no effect")
			}
		}
	})
}
