package state_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
)

// TestCaseWorkOfBeforeIsKept brings a register of version 13 up to date: nobody
// may lose what was decided, its trail or its owner.
func TestCaseWorkOfBeforeIsKept(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		dialect, folder, at := goose.DialectSQLite3, "migrations/sqlite", "1790834400000000"
		if strings.HasPrefix(url, "postgres:") {
			dialect, folder, at = goose.DialectPostgres, "migrations/postgres", "to_timestamp(1790834400)"
		}
		db := database(t, url)
		p, err := goose.NewProvider(dialect, db, os.DirFS(folder), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
		if err == nil {
			_, err = p.UpTo(t.Context(), 13)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"INSERT INTO case_periods (carrier, period_from, period_to, period, report, version) VALUES ('fabrikam', AT, AT, 'hour', 'r', 1)",
			"INSERT INTO case_actions (id, done_by, done, request, comment, version, matched, cases, microsoft_ms, carrier_ms, diff_ms) VALUES ('w', 'ann', AT, '', 'why', 0, 1, 1, 0, 0, 0)",
			"INSERT INTO case_trail VALUES (1, 'a', 1, 'open', 'disputed')",
			"INSERT INTO case_register VALUES (1, 'a', 'x', NULL, 5, 7, 2, true, AT, 'disputed', 'open', 'bob', 2, AT, 1)",
			"INSERT INTO case_register VALUES (1, 'b', 'x', AT, 5, 8, 3, true, AT, 'open', 'open', '', 1, NULL, 0)",
			"INSERT INTO case_register VALUES (1, 'c', 'x', AT, 5, 8, 3, true, AT, 'open', 'open', '', 1, NULL, 0)",
		} {
			if _, err := db.Exec(strings.ReplaceAll(statement, "AT", at)); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, url)
		list, _, err := s.ListCases(t.Context(), jobs.CasesFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range list {
			got = append(got, fmt.Sprint(c.CaseID, " ", c.State, " ", c.Owner, " ", c.Revision, " ", c.Worked, " ", c.CarrierMS))
		}
		ages, err := s.AgeCases(t.Context(), jobs.CasesFilter{}, nil)
		for _, a := range ages {
			got = append(got, fmt.Sprint(a.State, " ", a.CaseSums))
		}
		if d := cmp.Diff([]string{"c open  1 false 8", "b open  1 false 8", "a disputed bob 2 true 7", "disputed {1 5 7 2}", "open {2 10 16 6}"}, got); d != "" || err != nil {
			t.Error(d, err)
		}
		if _, trail, err := s.CaseTrail(t.Context(), jobs.CasesFilter{Cases: []string{"a"}}); err != nil || len(trail) != 1 || trail[0].Comment != "why" {
			t.Errorf("%+v, %v", trail, err)
		}
	})
}

// TestCasesWaitForAnErasure makes a version again: as long as its files of before
// lie in its place, their ids, which are made of the number that is erased, must
// not come into the register.
func TestCasesWaitForAnErasure(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		r, err := publish(t, s, running(t, s), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ReplaceReport(t.Context(), "e", r, nil, false); err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), r, true, newsOf("opened", "x"), now); err == nil || !strings.Contains(err.Error(), "erasure") {
			t.Error(err)
		}
		if list, _, err := s.ListCases(t.Context(), jobs.CasesFilter{}); len(list) > 0 || err != nil {
			t.Error(list, err)
		}
		if err := s.SettleReport(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Register(t.Context(), r, true, newsOf("opened", "x"), now); err != nil {
			t.Error(err)
		}
	})
}
