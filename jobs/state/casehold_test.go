package state_test

import (
	"testing"

	"concord/jobs"
	"concord/jobs/state"
)

// TestADisputedCaseHoldsItsPeriodFromPurge also ends the dispute.
func TestADisputedCaseHoldsItsPeriodFromPurge(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		r, err := publish(t, s, running(t, s), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), r, true, newsOf("opened", "x"), now); err != nil {
			t.Fatal(err)
		}
		holds := func(s *state.Store, carrier string) []jobs.Hold {
			g, err := s.PurgeGuard(t.Context(), carrier, jobs.PurgeBounds{}, now)
			if err != nil {
				t.Fatal(err)
			}
			return g.Holds
		}
		for _, c := range []struct {
			to   jobs.CaseState
			held int
		}{{"", 0}, {jobs.CaseDisputed, 1}, {jobs.CaseAccepted, 0}} {
			if c.to != "" {
				if _, err := s.WorkOnCases(t.Context(), jobs.CaseWork{ID: string(c.to), Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: c.to}, now); err != nil {
					t.Fatal(err)
				}
			}
			if got := holds(s, "fabrikam"); len(got) != c.held || c.held == 1 && !got[0].Period.From.Equal(r.Period.From) {
				t.Errorf("%q: %+v", c.to, got)
			}
			if got := holds(s, "contoso"); len(got) > 0 {
				t.Errorf("another carrier: %+v", got)
			}
		}
	})
}
