package state_test

import (
	"errors"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

// held is all that a store knows of what is purged and held.
func held(t *testing.T, s *state.Store) []any {
	t.Helper()
	proofs, err := s.Proofs(t.Context(), jobs.ProofFilter{})
	seq, sum, err2 := s.ProofHead(t.Context())
	left, err3 := s.Remaining(t.Context(), "fabrikam")
	holds, err4 := s.HoldList(t.Context(), "", false)
	files, err5 := s.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{Carrier: "fabrikam"})
	deliveries, err6 := s.CallsDeliveries(t.Context(), jobs.CallsFilter{})
	hosts, err7 := s.HostFiles(t.Context(), "host")
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	return append(memory(t, s), proofs, seq, sum, left, holds, files, deliveries, hosts)
}

// dealt records a file of Microsoft's that came from a host, and a delivery.
func dealt(t *testing.T, s *state.Store, r jobs.Run) {
	t.Helper()
	const name = "host/q_493012345678.csv"
	_, err := s.RecordMicrosoft(t.Context(), jobs.MicrosoftFile{Carrier: "fabrikam", Name: name, Bytes: 1, Received: now, SHA256: "q", Status: landing.StatusAccepted, Decided: now})
	err2 := s.KeepHostFile(t.Context(), jobs.HostFile{Host: "host", Name: name, Bytes: 1, Changed: now, Taken: now})
	d, err3 := s.BeginCalls(t.Context(), r.Lease(), jobs.CallsDelivery{Carrier: "fabrikam", Sequence: 1, Version: 1, Period: jobs.Period{From: now, To: now.Add(time.Hour), Text: "p"}, Settings: []byte("{}")}, now)
	if err := errors.Join(err, err2, err3, s.EndCalls(t.Context(), r.Lease(), d, now)); err != nil {
		t.Fatal(err)
	}
}

// TestAPurgeThatCannotBeRecordedLeavesNothing lets each of the statements of a
// purge and of a hold fail.
func TestAPurgeThatCannotBeRecordedLeavesNothing(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		a := jobs.Arrival{Carrier: "fabrikam", Name: "cdr_493012345678.csv", SHA256: "x", Received: now}
		if _, err := s.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
			return jobs.Entry{ID: "x", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: now, Status: landing.StatusAccepted, Days: []jobs.Day{{Date: "2026-10-01", Rows: 1}}}
		}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Settle(t.Context(), "fabrikam", "x"), s.Follow(t.Context(), "x")); err != nil {
			t.Fatal(err)
		}
		r := running(t, s)
		dealt(t, s, r)
		purge := func(class jobs.Class) func() error {
			return func() error {
				things, err := s.Purgeable(t.Context(), class, "fabrikam", jobs.PurgeBounds{}, now)
				if err == nil {
					_, _, err = s.Purge(t.Context(), jobs.PurgeOrder{Lease: r.Lease(), Class: class, Carrier: "fabrikam", Rule: "r", Things: things}, now)
				}
				return err
			}
		}
		place := func() error {
			_, _, err := s.PlaceHold(t.Context(), jobs.Hold{ID: "h", Carrier: "fabrikam", Period: jobs.Period{From: now, To: now.Add(time.Hour)}, Placed: now}, "")
			return err
		}
		release := func() error { return second3(s.ReleaseHold(t.Context(), "h", "ann", "over", "", now)) }
		for _, step := range []struct {
			do     func() error
			faults []fault
		}{
			{purge(jobs.ClassRaw), []fault{{"INSERT", "privacy_proofs", "true"}, {"UPDATE", "privacy_head", "true"}, {"UPDATE", "files", "true"}, {"UPDATE", "microsoft_files", "true"}, {"INSERT", "host_files", "true"}, {"DELETE", "host_files", "true"}, {"INSERT", "purge_remains", "NEW.class = 'raw'"}, {"INSERT", "purge_remains", "NEW.class = 'database'"}}},
			{purge(jobs.ClassRecords), []fault{{"UPDATE", "files", "NEW.records_purged > 0 AND NEW.name <> OLD.name"}, {"UPDATE", "privacy_head", "true"}}},
			{purge(jobs.ClassDeliveries), []fault{{"UPDATE", "call_deliveries", "true"}, {"INSERT", "privacy_proofs", "true"}}},
			{place, []fault{{"INSERT", "holds", "true"}, {"INSERT", "privacy_proofs", "true"}}},
			{release, []fault{{"UPDATE", "holds", "true"}, {"UPDATE", "privacy_head", "true"}}},
		} {
			before := held(t, s)
			for _, f := range step.faults {
				heal := spoil(t, url, f.statement, f.table, f.when)
				broken(t, step.do())
				heal()
				if d := cmp.Diff(before, held(t, s)); d != "" {
					t.Errorf("%v: %s", f, d)
				}
			}
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if cmp.Equal(before, held(t, s)) {
				t.Error("it had no effect")
			}
		}
	})
}

func second3[A, B any](_ A, _ B, err error) error { return err }
