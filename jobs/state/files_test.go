package state_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

var auditRow = jobs.AuditRow{Time: now, Who: "ann", What: "run.cancel", Object: "1"}

func TestFilesAreListedByWhatPeopleAskFor(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		var all []jobs.Entry // newest first
		for i, status := range []landing.Status{landing.StatusAccepted, landing.StatusRejected, landing.StatusDuplicate, landing.StatusAccepted} {
			a := jobs.Arrival{
				Carrier: []string{"fabrikam", "contoso"}[i%2], Name: fmt.Sprintf("sub/FAB_%06d.csv", i), SHA256: fmt.Sprint(i),
				Received: now.Add(time.Duration(i) * time.Hour), Microsoft: i >= 2,
			}
			e, err := s.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
				return jobs.Entry{
					ID: fmt.Sprint("id", i), Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: a.Received, Status: status,
					Microsoft: a.Microsoft, Profile: fmt.Sprint("p", i), Days: []jobs.Day{{Date: "2026-10-01", Rows: int64(i)}},
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			all = slices.Insert(all, 0, e)
		}
		for name, c := range map[string]struct {
			f    jobs.FileFilter
			want []int
		}{
			"all":         {jobs.FileFilter{}, []int{0, 1, 2, 3}},
			"carrier":     {jobs.FileFilter{Carrier: "contoso"}, []int{0, 2}},
			"status":      {jobs.FileFilter{Status: landing.StatusAccepted}, []int{0, 3}},
			"name":        {jobs.FileFilter{Name: "FAB_000002"}, []int{1}},
			"no such":     {jobs.FileFilter{Name: "fab_"}, nil},
			"no wildcard": {jobs.FileFilter{Name: "%"}, nil},
			"since":       {jobs.FileFilter{Since: now.Add(2 * time.Hour)}, []int{0, 1}},
			"first page":  {jobs.FileFilter{Limit: 3}, []int{0, 1, 2}},
			"next page":   {jobs.FileFilter{Limit: 3, Before: all[2].ID}, []int{3}},
			"carrier's":   {jobs.FileFilter{Side: "carrier"}, []int{2, 3}},
			"Microsoft's": {jobs.FileFilter{Side: "microsoft"}, []int{0, 1}},
			"no side":     {jobs.FileFilter{Side: "Microsoft"}, nil},
			"everything": {jobs.FileFilter{Carrier: "fabrikam", Side: "microsoft", Status: landing.StatusDuplicate, Name: "sub/", Since: now,
				Before: all[0].ID, Limit: 5}, []int{1}},
		} {
			var want []jobs.Entry
			for _, i := range c.want {
				want = append(want, all[i])
			}
			got, err := s.ListFiles(t.Context(), c.f)
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, d)
			}
		}
		for _, want := range all {
			got, err := s.File(t.Context(), want.ID)
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("%s: %v %s", want.ID, err, d)
			}
		}
		for _, err := range []error{second(s.ListFiles(t.Context(), jobs.FileFilter{Before: "no such"})), second(s.File(t.Context(), "no such"))} {
			if !errors.Is(err, jobs.ErrNoFile) {
				t.Error(err)
			}
		}
	})
}

// TestANameThatIsNotUTF8 and a time finer than what is kept still tell one
// upload from another.
func TestANameThatIsNotUTF8(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		record := func(s *state.Store, name string) jobs.Entry {
			a := jobs.Arrival{Carrier: "fabrikam", Name: name, SHA256: "aa", Received: now.Add(1234)}
			e, err := s.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
				return jobs.Entry{ID: "id of " + fmt.Sprintf("%q", name), Carrier: a.Carrier, Name: name, SHA256: a.SHA256, Received: a.Received, Status: landing.StatusRejected}
			})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		s := open(t, url)
		names := []string{"a\xff\n", "a\xfe\n", "a\uFFFD\n", "\u202egpj.csv"}
		for range 2 {
			for _, name := range names {
				if e := record(s, name); e.Name != name || !e.Received.Equal(now.Add(1000)) {
					t.Errorf("%+v", e)
				}
			}
			s = open(t, url)
		}
		list, err := s.Files(t.Context(), "fabrikam")
		var got []string
		for _, e := range list {
			got = append(got, e.Name)
		}
		if !slices.Equal(got, names) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// TestACarrierDoesNotWaitForAnother records for one while another decides.
func TestACarrierDoesNotWaitForAnother(t *testing.T) {
	s := open(t, postgres.Database(t))
	inner := errors.New("not called")
	a := jobs.Arrival{Carrier: "slow", Name: "x", SHA256: "x", Received: now}
	_, err := s.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, inner = recordFile(ctx, s, "y")
		return jobs.Entry{ID: "x", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: now, Status: landing.StatusAccepted}
	})
	if err != nil || inner != nil {
		t.Error(err, inner)
	}
}
