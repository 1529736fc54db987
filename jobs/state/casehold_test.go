package state_test

import (
	"context"
	"testing"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/jackc/pgx/v5"
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

// The register of a period goes with the class cases, also when its only version
// has changed nothing, and what people wrote about its cases goes with it.
func TestTheRegisterIsPurged(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		r, err := publish(t, s, running(t, s), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), r, true, newsOf("opened", "x"), now); err != nil {
			t.Fatal(err)
		}
		const said = "the customer +4930199988877 called"
		if _, err := s.WorkOnCases(t.Context(), jobs.CaseWork{ID: "w", Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseAccepted, Comment: said}, now); err != nil {
			t.Fatal(err)
		}
		kept := func() (n int64) {
			list, err := s.FindText(t.Context(), func(text string) bool { return text == said })
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				n += c.Rows
			}
			return n
		}
		if kept() != 1 {
			t.Fatalf("%d rows have the comment", kept())
		}
		things, err := s.Purgeable(t.Context(), jobs.ClassCases, "fabrikam", jobs.PurgeBounds{}, now)
		if err != nil || len(things) != 1 || things[0].ID != r.ID || things[0].Count == 0 {
			t.Fatalf("%+v, %v", things, err)
		}
		run := running(t, s)
		o := jobs.PurgeOrder{Lease: run.Lease(), Class: jobs.ClassCases, Carrier: "fabrikam", Rule: "test", Things: things}
		if _, _, err := s.Purge(t.Context(), o, now); err != nil {
			t.Fatal(err)
		}
		if page, _, err := s.ListCases(t.Context(), jobs.CasesFilter{Carrier: "fabrikam"}); err != nil || len(page) > 0 || kept() > 0 {
			t.Errorf("%+v, %v; %d rows have the comment", page, err, kept())
		}
	})
}

// A purge that is under way, and has found nothing disputed, is over before a case
// can be disputed: it would remove the case, and whoever disputed it would have been
// told that it is held.
func TestADisputeWaitsForAPurgeThatIsUnderWay(t *testing.T) {
	url := postgres.Database(t)
	s := open(t, url)
	r, err := publish(t, s, running(t, s), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Register(t.Context(), r, true, newsOf("opened", "x"), now); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	purge, err := c.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := purge.Exec(t.Context(), "SELECT pg_advisory_xact_lock(20261101, hashtext($1))", r.Carrier); err != nil { // as Purge begins
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.WorkOnCases(t.Context(), jobs.CaseWork{ID: "w", Filter: jobs.CasesFilter{Cases: []string{"a"}}, To: jobs.CaseDisputed}, now)
		done <- err
	}()
	for waits := 0; waits == 0; {
		if err := purge.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&waits); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			t.Fatalf("a case was disputed while its carrier was purged: %v", err)
		default:
		}
	}
	if err := purge.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
