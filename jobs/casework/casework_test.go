package casework_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/casework"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)

const (
	listed  = "case_id,class,microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,difference_seconds,microsoft_row,carrier_row\n"
	changed = "change,case_id,class_before,class,difference_seconds_before,difference_seconds,microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,differs,microsoft_seconds_before,carrier_seconds_before\n"
)

// shop is a clerk with a database and a folder of reports.
type shop struct {
	*testing.T
	casework.Clerk
	store *state.Store
	n     int
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &shop{t, casework.Clerk{State: s, Folder: t.TempDir(), Now: func() time.Time { return now }}, s, 0}
}

// publish records a version, of which files that are not empty are in its place.
func (s *shop) publish(version int, discrepancies, changes string) jobs.Report {
	s.Helper()
	_, err := s.store.Enqueue(s.Context(), jobs.Run{Job: "daily", Carrier: "fabrikam", Period: jobs.Period{From: now.Add(-time.Hour), To: now, Text: "hour"}}, now)
	s.must(err)
	r, err := s.store.Claim(s.Context(), jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Hour})
	s.must(err)
	s.n++
	rep, err := s.store.Publish(s.Context(), r.Lease(), jobs.Report{ID: fmt.Sprint("r", s.n), Carrier: r.Carrier, Period: r.Period, Version: version, Job: "daily",
		Folder: fmt.Sprint("fabrikam/hour/v", version)}, nil, now.Add(time.Duration(version)*time.Minute))
	s.must(err)
	s.put(version, "discrepancies.csv", listed, discrepancies)
	s.put(version, "changes.csv", changed, changes)
	return rep
}

func (s *shop) put(version int, name, header, text string) {
	if text == "" {
		return
	}
	dir := filepath.Join(s.Folder, fmt.Sprint("fabrikam/hour/v", version))
	s.must(os.MkdirAll(dir, 0o750))
	s.must(os.WriteFile(filepath.Join(dir, name), []byte(header+text), 0o600))
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shop) catchUp(waiting ...string) {
	s.Helper()
	list, err := s.CatchUp(s.Context(), "")
	s.must(err)
	var got []string
	for _, r := range list {
		got = append(got, r.ID)
	}
	if d := cmp.Diff(waiting, got); d != "" {
		s.Error(d)
	}
}

func (s *shop) cases(want ...string) {
	s.Helper()
	list, _, err := s.store.ListCases(s.Context(), jobs.CasesFilter{})
	s.must(err)
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprint(c.CaseID, " ", c.Class, " ", c.MicrosoftMS, " ", c.CarrierMS, " ", c.DiffMS, " ", c.Since.Sub(now)))
	}
	if d := cmp.Diff(want, got); d != "" {
		s.Error(d)
	}
}

const (
	v1 = "a,duration_over,2026-10-01T12:00:00Z,,60,66.5,6.5,1,1\nb,missing_at_carrier,2026-10-01T12:01:00Z,,30,,,2,\n"
	v2 = "closed,b,missing_at_carrier,,,,2026-10-01T12:01:00Z,,30,,,,\nchanged,a,duration_over,duration_over,6.5,4,2026-10-01T12:00:00Z,,60,64,carrier_seconds difference_seconds,,66.5\n" +
		"opened,c,,missing_at_microsoft,,,,2026-10-01T12:05:00Z,,10,,,\n"
	v3 = "closed,c,missing_at_microsoft,,,,,2026-10-01T12:05:00Z,,10,,,\nchanged,a,duration_over,duration_over,4,6.5,2026-10-01T12:00:00Z,,60,66.5,carrier_seconds difference_seconds,,64\n" +
		"opened,d,,duration_under,,-5,2026-10-01T12:06:00Z,,15,10,,,\n"
)

func TestTheRegisterFollowsTheVersions(t *testing.T) {
	s := newShop(t)
	s.publish(1, "", "")
	s.catchUp("r1") // its files are on their way
	s.put(1, "discrepancies.csv", listed, v1)
	s.catchUp()
	s.cases("b missing_at_carrier 30000 0 0 1m0s", "a duration_over 60000 66500 6500 1m0s")
	s.publish(2, "", "")
	s.publish(3, v1, v3)
	s.catchUp("r2") // and version 3 behind it
	s.put(2, "changes.csv", changed, v2)
	s.catchUp()
	s.cases("d duration_under 15000 10000 -5000 3m0s", "a duration_over 60000 66500 6500 1m0s")
	s.put(3, "changes.csv", changed, "opened,x,,y,no number,,,,,,,,\n")
	s.catchUp() // what is known is not read again
}

func TestAFileThatIsNoneIsAnErrorThatNamesItsPlace(t *testing.T) {
	s := newShop(t)
	s.publish(1, "a,x,,,sixty,,,1,1\n", "")
	waiting, err := s.CatchUp(t.Context(), "fabrikam")
	s.must(err)
	if err = waiting[0].Err; err == nil || err.Error() != "cases of version 1 of hour of fabrikam: discrepancies.csv of version 1: read cases: row 1: a duration or a difference is no number of seconds" {
		t.Errorf("%v", err)
	}
	s.cases()
}

func TestWhatChangedSinceAnOlderVersion(t *testing.T) {
	s := newShop(t)
	first := s.publish(1, v1, "")
	s.publish(2, v1, v2)
	s.publish(3, v1, v3)
	var got []string
	newest, err := s.Since(t.Context(), first, func(d *casework.Difference) {
		got = append(got, fmt.Sprint(d.Event, " ", d.CaseID, " ", d.Before.MicrosoftMS, " ", d.Now.DiffMS))
	})
	s.must(err)
	// a is again what it was, and c came and went.
	if d := cmp.Diff([]string{"closed b 30000 0", "opened d 0 -5000"}, got); d != "" || newest.Version != 3 {
		t.Error(newest.Version, d)
	}
}

// A case whose call began a second later in between would be listed as changed,
// with the same figures before and now.
func TestWhenACallBeganIsNoDifference(t *testing.T) {
	const moved = "changed,a,duration_over,duration_over,6.5,6.5,2026-10-01T12:00:0%dZ,,60,66.5,microsoft_start_utc,,\n"
	s := newShop(t)
	first := s.publish(1, v1, "")
	s.publish(2, v1, fmt.Sprintf(moved, 1))
	s.publish(3, v1, fmt.Sprintf(moved, 0))
	if got := s.since(first); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func (s *shop) since(old jobs.Report) (list []casework.Difference) {
	s.Helper()
	_, err := s.Since(s.Context(), old, func(d *casework.Difference) { list = append(list, *d) })
	s.must(err)
	return list
}

func TestCasesThatHaveOtherIdsAreFoundAgain(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"before": "a,duration_over,2026-10-01T12:00:00Z,,60,66,6,1,1\nb,duration_over,2026-10-01T12:00:00Z,,60,66,6,2,2\nc,invalid,,,,,,,3\nd,invalid,,,,,,,4\n",
		"now":    "a,duration_over,2026-10-01T12:00:00Z,,60,66,6,1,1\ny,duration_over,2026-10-01T12:00:00Z,,60,66,6,2,2\nx,invalid,,,,,,,4\nz,invalid,,,,,,,3\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "discrepancies.csv"), []byte(listed+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := casework.Renamed(nil, filepath.Join(dir, "before"), filepath.Join(dir, "now"))
	if d := cmp.Diff(map[string]string{"b": "y", "c": "z", "d": "x"}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	if same, err := casework.Renamed(nil, filepath.Join(dir, "now"), filepath.Join(dir, "now")); len(same) > 0 || err != nil {
		t.Error(same, err)
	}
}

// What was written about the row of one file would stand with that of another.
func TestCasesOfRowsOfTheSameNumberInTwoFilesAreToldApart(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"before": "a,invalid,,,,,,,3,,one.csv\nb,invalid,,,,,,,3,,two.csv\n",
		"now":    "y,invalid,,,,,,,3,,one.csv\nx,invalid,,,,,,,3,,two.csv\n", // their ids sort the other way
	} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o750); err != nil {
			t.Fatal(err)
		}
		header := strings.TrimSuffix(listed, "\n") + ",microsoft_file,carrier_file\n"
		if err := os.WriteFile(filepath.Join(dir, name, "discrepancies.csv"), []byte(header+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := casework.Renamed(nil, filepath.Join(dir, "before"), filepath.Join(dir, "now"))
	if d := cmp.Diff(map[string]string{"a": "y", "b": "x"}, got); d != "" || err != nil {
		t.Error(err, d)
	}
}
