package state_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

const injected = "injected fault"

// spoil has the database at url refuse a kind of statement for the rows of a
// table to which a condition applies. heal ends it.
func spoil(t *testing.T, url, statement, table, when string) (heal func()) {
	t.Helper()
	statements := []string{fmt.Sprintf("CREATE TRIGGER spoiled BEFORE %s ON %s WHEN %s BEGIN SELECT RAISE(ABORT, '%s'); END", statement, table, when, injected)}
	end := "DROP TRIGGER spoiled"
	if strings.HasPrefix(url, "postgres:") {
		statements = []string{
			fmt.Sprintf("CREATE OR REPLACE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%s'; END; $$", injected),
			fmt.Sprintf("CREATE TRIGGER spoiled BEFORE %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION spoil()", statement, table, when),
		}
		end += " ON " + table
	}
	db := database(t, url)
	run := func(statement string) {
		if _, err := db.Exec(statement); err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	for _, statement := range statements {
		run(statement)
	}
	return func() { run(end) }
}

func broken(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), injected) || !strings.Contains(err.Error(), "state database") {
		t.Errorf("the error is %v", err)
	}
}

// fault is one place where a transaction may end.
type fault struct{ statement, table, when string }

// TestAVersionThatCannotBePublishedLeavesNothing lets each of the statements
// of a publication fail.
func TestAVersionThatCannotBePublishedLeavesNothing(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		events := make([]jobs.CaseEvent, 450)
		for i := range events {
			events[i] = jobs.CaseEvent{CaseID: fmt.Sprint("case ", i), Event: "opened"}
		}
		first, err := publish(t, s, running(t, s), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := running(t, s)
		before := memory(t, s)
		for _, f := range []fault{
			{"INSERT", "reports", "true"}, {"UPDATE", "reports", "true"}, {"INSERT", "cases", "NEW.case_id = 'case 0'"}, {"INSERT", "cases", "NEW.case_id = 'case 49'"},
			{"INSERT", "cases", "NEW.case_id = 'case 50'"}, {"INSERT", "cases", "NEW.case_id = 'case 449'"}, {"UPDATE", "runs", "true"},
		} {
			heal := spoil(t, url, f.statement, f.table, f.when)
			_, err := publish(t, s, r, 2, events)
			broken(t, err)
			heal()
			if d := cmp.Diff(before, memory(t, s)); d != "" {
				t.Errorf("%v: %s", f, d)
			}
		}
		second, err := publish(t, s, r, 2, events)
		if err != nil || second.Supersedes != first.ID {
			t.Fatal(second, err)
		}
		if list, err := s.Cases(t.Context(), jobs.CaseFilter{}); len(list) != len(events) || err != nil {
			t.Error(len(list), err)
		}
	})
}

// running is a run that is held.
func running(t *testing.T, s *state.Store) jobs.Run {
	t.Helper()
	_, err := s.Enqueue(t.Context(), jobs.Run{Job: "daily", Carrier: "fabrikam"}, now)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Claim(t.Context(), jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func publish(t *testing.T, s *state.Store, r jobs.Run, version int, events []jobs.CaseEvent) (jobs.Report, error) {
	return s.Publish(t.Context(), r.Lease(), jobs.Report{ID: "of " + r.ID, Folder: r.ID, Carrier: r.Carrier, Period: r.Period, Version: version}, events, now)
}

// memory is all that a store knows, in order to compare it.
func memory(t *testing.T, s *state.Store) (all []any) {
	t.Helper()
	ctx := t.Context()
	add := func(v any, err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
		all = append(all, v)
	}
	runs, err := s.Runs(ctx, jobs.RunFilter{})
	add(runs, err)
	reports, err := s.Reports(ctx, jobs.ReportFilter{})
	add(reports, err)
	cases, err := s.Cases(ctx, jobs.CaseFilter{})
	add(cases, err)
	alerts, err := s.Alerts(ctx, jobs.AlertFilter{})
	add(alerts, err)
	messages, err := s.Messages(ctx, now.AddDate(1, 0, 0), 0)
	add(messages, err)
	files, err := s.ListFiles(ctx, jobs.FileFilter{})
	add(files, err)
	news, err := s.Unfollowed(ctx, "", 0)
	add(news, err)
	return all
}

// TestWhatCannotBeDoneWholeIsNotDone lets each of the statements of a file and
// of an alert fail.
func TestWhatCannotBeDoneWholeIsNotDone(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		record := func() error {
			a := jobs.Arrival{Carrier: "fabrikam", Name: "x", SHA256: "x", Received: now}
			return second(s.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
				days := []jobs.Day{{Date: "2026-10-01", Rows: 1}, {Date: "2026-10-02", Rows: 1}}
				return jobs.Entry{ID: "x", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: now, Status: landing.StatusAccepted, Days: days}
			}))
		}
		raise := func() error {
			_, _, err := s.Raise(t.Context(), jobs.Alert{Key: "k", Kind: jobs.AlertDisk}, now)
			return err
		}
		resolve := func() error { return second(s.Resolve(t.Context(), "k", now)) }
		for _, step := range []struct {
			do     func() error
			faults []fault
		}{
			{record, []fault{{"INSERT", "files", "true"}, {"INSERT", "file_days", "NEW.day = '2026-10-01'"}, {"INSERT", "file_days", "NEW.day = '2026-10-02'"}}},
			{raise, []fault{{"INSERT", "alerts", "true"}, {"INSERT", "messages", "true"}}},
			{resolve, []fault{{"UPDATE", "alerts", "true"}, {"INSERT", "messages", "true"}}},
		} {
			before := memory(t, s)
			for _, f := range step.faults {
				heal := spoil(t, url, f.statement, f.table, f.when)
				broken(t, step.do())
				heal()
				if d := cmp.Diff(before, memory(t, s)); d != "" {
					t.Errorf("%v: %s", f, d)
				}
			}
			if err := step.do(); err != nil {
				t.Error(err)
			}
			if cmp.Equal(before, memory(t, s)) {
				t.Error("nothing was done")
			}
		}
	})
}
