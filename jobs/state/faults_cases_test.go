package state_test

import (
	"iter"
	"testing"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

// book is all that a store knows of cases and sign-offs.
func book(t *testing.T, s *state.Store) []any {
	t.Helper()
	list, _, err := s.ListCases(t.Context(), jobs.CasesFilter{Gone: true})
	if err != nil {
		t.Fatal(err)
	}
	news, _, err1 := s.Unregistered(t.Context(), "")
	signed, err2 := s.SignOffs(t.Context(), jobs.SignOffFilter{})
	audit, err3 := s.Audit(t.Context(), jobs.AuditFilter{})
	all := append(memory(t, s), list, len(news), signed, audit)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range list {
		_, trail, err := s.CaseTrail(t.Context(), jobs.CasesFilter{Cases: []string{c.CaseID}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, trail)
	}
	return all
}

func newsOf(event string, class string) func() iter.Seq2[jobs.CaseNews, error] {
	return func() iter.Seq2[jobs.CaseNews, error] {
		return func(yield func(jobs.CaseNews, error) bool) {
			for _, id := range []string{"a", "b", "c"} {
				if !yield(jobs.CaseNews{CaseFacts: jobs.CaseFacts{CaseID: id, Class: class, CarrierMS: 1}, Event: event}, nil) {
					return
				}
			}
		}
	}
}

// TestCaseWorkIsDoneWholeOrNotAtAll lets each of the statements of a version that
// is taken over, of work on cases and of a sign-off fail.
func TestCaseWorkIsDoneWholeOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		first, err := publish(t, s, running(t, s), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		noted := func() *state.Store { return s.Noted(jobs.AuditRow{Time: now, Who: "ann", What: "x"}) }
		work := func(to jobs.CaseState, ids ...string) func() error {
			return func() error {
				_, err := noted().WorkOnCases(t.Context(), jobs.CaseWork{ID: "w " + string(to), By: "ann", Key: string(to), Filter: jobs.CasesFilter{Carrier: "fabrikam", Cases: ids}, To: to, Comment: "x"}, now)
				return err
			}
		}
		step := func(report string, step jobs.SignOffStep, by string) func() error {
			return func() error {
				_, err := noted().TakeStep(t.Context(), report, step, by, "x", now)
				return err
			}
		}
		var second jobs.Report
		many := []fault{{"INSERT", "case_actions", "true"}, {"UPDATE", "case_groups", "true"}, {"INSERT", "case_group_trail", "true"}, {"INSERT", "audit", "true"}}
		named := []fault{
			{"INSERT", "case_actions", "true"}, {"INSERT", "case_groups", "true"}, {"UPDATE", "case_groups", "true"}, {"UPDATE", "case_register", "NEW.case_id = 'c'"},
			{"INSERT", "case_trail", "NEW.case_id = 'c' AND NEW.after = 'disputed'"}, {"INSERT", "case_trail", "NEW.case_id = 'c' AND NEW.after = 'open'"}, {"INSERT", "audit", "true"},
		}
		for _, c := range []struct {
			name   string
			do     func() error
			faults []fault
		}{
			{"take over", func() error { return s.Register(t.Context(), first, true, newsOf("opened", "x"), now) },
				[]fault{{"INSERT", "case_periods", "true"}, {"INSERT", "case_register", "NEW.case_id = 'c'"}, {"INSERT", "case_groups", "true"}, {"UPDATE", "case_groups", "true"}, {"UPDATE", "case_periods", "true"}}},
			{"dispute", work(jobs.CaseDisputed), many},
			{"take two back", work(jobs.CaseOpen, "a", "c"), named},
			{"accept", work(jobs.CaseAccepted), many},
			{"publish", func() (err error) {
				second, err = publish(t, s, running(t, s), 2, nil)
				return err
			}, nil},
			{"take over what changed", func() error { return s.Register(t.Context(), second, false, newsOf("changed", "y"), now) },
				[]fault{{"INSERT", "case_actions", "true"}, {"INSERT", "case_trail", "NEW.case_id = 'c'"}, {"UPDATE", "case_register", "NEW.case_id = 'c'"}, {"UPDATE", "case_actions", "true"}, {"UPDATE", "case_periods", "true"}}},
			{"submit", func() error { return step(second.ID, jobs.StepSubmit, "ann")() }, []fault{{"INSERT", "signoffs", "true"}, {"INSERT", "audit", "true"}}},
			{"approve", func() error { return step(second.ID, jobs.StepApprove, "bob")() }, []fault{{"UPDATE", "signoffs", "true"}, {"INSERT", "audit", "true"}}},
			{"raise", func() error {
				_, _, err := s.Raise(t.Context(), jobs.Alert{Key: jobs.LockedKey(second.Carrier, second.Period), Kind: jobs.AlertLocked}, now)
				return err
			}, nil},
			{"reopen", func() error { return step(second.ID, jobs.StepReopen, "root")() },
				[]fault{{"UPDATE", "signoffs", "true"}, {"UPDATE", "alerts", "true"}, {"INSERT", "runs", "true"}, {"INSERT", "audit", "true"}}},
		} {
			before := book(t, s)
			for _, f := range c.faults {
				heal := spoil(t, url, f.statement, f.table, f.when)
				broken(t, c.do())
				heal()
				if d := cmp.Diff(before, book(t, s)); d != "" {
					t.Errorf("%s, %v: %s", c.name, f, d)
				}
			}
			if err := c.do(); err != nil {
				t.Fatal(c.name, err)
			}
			if d := cmp.Diff(before, book(t, s)); d == "" {
				t.Errorf("%s changed nothing", c.name)
			}
		}
	})
}
