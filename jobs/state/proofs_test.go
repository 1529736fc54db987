package state_test

import (
	"fmt"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/jobstest"
	"concord/jobs/state"
)

func TestProofs(t *testing.T) {
	contract(t, func(s *state.Store) jobs.Proofs { return s }, jobstest.TestProofs)
}

func proof(n int) jobs.Proof {
	return jobs.Proof{At: now, Act: jobs.ActPurge, Class: "records", Carrier: "fabrikam", Count: int64(n), Rule: "r", From: now, To: now}
}

// TestProofsAreNeverChangedOrRemoved has the database itself refuse it.
func TestProofsAreNeverChangedOrRemoved(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		if _, err := s.Testify(t.Context(), proof(1)); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"UPDATE privacy_proofs SET count = 7", "DELETE FROM privacy_proofs", "DELETE FROM privacy_head", "UPDATE privacy_head SET seq = 0", "UPDATE privacy_head SET seq = 1",
		} {
			if _, err := database(t, url).Exec(statement); err == nil {
				t.Error(statement)
			}
		}
	})
}

// unguarded lets a test do what the triggers forbid.
func unguarded(t *testing.T, url string) func(statement string) {
	t.Helper()
	db := database(t, url)
	run := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if strings.HasPrefix(url, "postgres:") {
		run("ALTER TABLE privacy_proofs DISABLE TRIGGER ALL")
		run("ALTER TABLE privacy_head DISABLE TRIGGER ALL")
		return run
	}
	for _, trigger := range []string{"privacy_proofs_are_never_changed", "privacy_proofs_are_never_removed", "privacy_head_goes_forward", "privacy_head_stays"} {
		run("DROP TRIGGER " + trigger)
	}
	return run
}

// TestWhatIsDoneToTheChainIsFound changes every column of every proof, removes
// each and exchanges two.
func TestWhatIsDoneToTheChainIsFound(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		for i := range 4 {
			if _, err := s.Testify(t.Context(), proof(i)); err != nil {
				t.Fatal(err)
			}
		}
		run := unguarded(t, url)
		run("CREATE TABLE kept AS SELECT * FROM privacy_proofs")
		columns := []string{"act", "class", "country", "carrier", "rule", "ref", "run", "asked_by", "items", "prev", "sum"}
		for seq := 1; seq <= 4; seq++ {
			for _, c := range columns {
				found(t, s, run, fmt.Sprintf("UPDATE privacy_proofs SET %s = 'x' WHERE seq = %d", c, seq), seq)
			}
			for _, c := range []string{"count", "bytes"} {
				found(t, s, run, fmt.Sprintf("UPDATE privacy_proofs SET %s = 99 WHERE seq = %d", c, seq), seq)
			}
			for _, c := range []string{"data_from", "data_to"} {
				found(t, s, run, fmt.Sprintf("UPDATE privacy_proofs SET %s = NULL WHERE seq = %d", c, seq), seq)
			}
			found(t, s, run, fmt.Sprintf("DELETE FROM privacy_proofs WHERE seq = %d", seq), min(seq, 3))
		}
		found(t, s, run, "UPDATE privacy_proofs SET seq = 7 WHERE seq = 4", 4)
		found(t, s, run, "UPDATE privacy_proofs SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); UPDATE privacy_proofs SET seq = -seq WHERE seq < 0", 2)
		found(t, s, run, "DELETE FROM privacy_proofs", 0)
		found(t, s, run, "UPDATE privacy_head SET seq = 3", 4)
	})
}

// found runs statements, checks that the fault is said with the number of the
// proof, and puts the chain back.
func found(t *testing.T, s *state.Store, run func(string), statement string, seq int) {
	t.Helper()
	run(statement)
	c, err := jobs.VerifyProofs(t.Context(), s)
	if err != nil || !strings.Contains(c.Fault, fmt.Sprintf(" %d", seq)) {
		t.Errorf("%s: %q, %v", statement, c.Fault, err)
	}
	run("DELETE FROM privacy_proofs")
	run("INSERT INTO privacy_proofs SELECT * FROM kept")
}
