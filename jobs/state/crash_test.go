package state_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// serve is a service that does one thing after the other and says what is
// done, until it is killed.
func serve(ctx context.Context, url string) error {
	s, err := state.Open(ctx, url)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := step(ctx, s, n); err != nil {
			return err
		}
	}
}

func step(ctx context.Context, s *state.Store, n int) error {
	name := uuid.NewString()
	e, err := recordFile(ctx, s, name)
	if err != nil {
		return err
	}
	fmt.Println("recorded", e.ID)
	if n%2 == 0 {
		if err := s.Settle(ctx, e.Carrier, e.ID); err != nil {
			return err
		}
		fmt.Println("settled", e.ID)
	}
	r, err := s.Enqueue(ctx, jobs.Run{Job: "daily", Carrier: name, Inputs: []jobs.RunInput{{File: e.ID}, {File: name}}}, now)
	if err != nil {
		return err
	}
	fmt.Println("enqueued", r.ID)
	if r, err = s.Claim(ctx, jobs.ClaimOptions{Owner: "child", Now: now, Lease: time.Hour}); err != nil {
		return err
	}
	fmt.Println("claimed", r.ID)
	switch n % 3 {
	case 0:
		return nil
	case 1:
		return announce(ctx, s, r)
	}
	if _, err := s.Finish(ctx, r.Lease(), jobs.Ending{State: jobs.RunSucceeded, Report: name}, now); err != nil {
		return err
	}
	fmt.Println("finished", r.ID)
	return nil
}

var now = time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)

func recordFile(ctx context.Context, s *state.Store, name string) (jobs.Entry, error) {
	a := jobs.Arrival{Carrier: "fabrikam", Name: name, SHA256: name, Received: now}
	return s.Record(ctx, a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{ID: "id of " + name, Carrier: a.Carrier, Name: name, SHA256: name, Received: now, Status: landing.StatusAccepted}
	})
}

// TestWhatIsSaidToBeDoneOutlivesAKill kills a service again and again, in the
// middle of whatever it does.
func TestWhatIsSaidToBeDoneOutlivesAKill(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		kills := 25
		if testing.Short() {
			kills = 3
		}
		url := fresh(t)
		random := rand.New(rand.NewPCG(3, 4))
		said := map[string][]string{}
		for range kills {
			listen(t, url, time.Duration(50+random.IntN(150))*time.Millisecond, said)
			if !strings.HasPrefix(url, "postgres:") {
				unharmed(t, url)
			}
		}
		s := open(t, url)
		filesAreThere(t, s, said)
		runsAreThere(t, s, said)
		versionsAreThere(t, s, said)
		alertsAreThere(t, s, said)
		t.Logf("%d kills, %d files, %d runs, %d versions, %d alerts", kills, len(said["recorded"]), len(said["enqueued"]), len(said["published"]), len(said["raised"]))
	})
}

// listen starts a service, kills it a while after its first word, and adds
// what it said.
func listen(t *testing.T, url string, after time.Duration, said map[string][]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "serve", url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that is torn was not said
		}
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
		}
		word, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		said[word] = append(said[word], id)
	}
	_ = cmd.Wait() // it was killed
	if kill == nil || kill.Stop() {
		t.Fatal("the service ended by itself")
	}
}

// unharmed has SQLite check a file.
func unharmed(t *testing.T, path string) {
	t.Helper()
	c, err := sqlite.NewConnector("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	var result string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Fatal(result, err)
	}
	if err := db.QueryRow("PRAGMA foreign_key_check").Scan(&result, new(any), new(any), new(any)); err != sql.ErrNoRows {
		t.Fatal(result, err)
	}
}

func filesAreThere(t *testing.T, s *state.Store, said map[string][]string) {
	t.Helper()
	list, err := s.Files(t.Context(), "fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	settled, names := map[string]bool{}, map[string]bool{}
	for _, e := range list {
		settled[e.ID] = e.Settled
		names[e.Name] = true
	}
	if len(names) != len(list) {
		t.Errorf("%d files are recorded as %d", len(names), len(list))
	}
	for _, id := range said["recorded"] {
		if _, there := settled[id]; !there {
			t.Errorf("%s was recorded and is lost", id)
		}
	}
	for _, id := range said["settled"] {
		if !settled[id] {
			t.Errorf("%s was settled and is not", id)
		}
	}
}

func runsAreThere(t *testing.T, s *state.Store, said map[string][]string) {
	t.Helper()
	list, err := s.Runs(t.Context(), jobs.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	states, carriers := map[string]jobs.RunState{}, map[string]bool{}
	for _, r := range list {
		states[r.ID] = r.State
		carriers[r.Carrier] = true
		if (r.State == jobs.RunSucceeded) != (r.Report != "") || (r.State == jobs.RunRunning) != !r.LeaseUntil.IsZero() {
			t.Errorf("half done: %+v", r)
		}
		if whole, err := s.Run(t.Context(), r.ID); err != nil || len(whole.Inputs) != 2 {
			t.Errorf("half recorded: %+v, %v", whole, err)
		}
	}
	if len(carriers) != len(list) {
		t.Errorf("%d requests are %d runs", len(carriers), len(list))
	}
	for word, want := range map[string][]jobs.RunState{
		"enqueued": {jobs.RunQueued, jobs.RunRunning, jobs.RunSucceeded},
		"claimed":  {jobs.RunRunning, jobs.RunSucceeded},
		"finished": {jobs.RunSucceeded},
		"ended":    {jobs.RunSucceeded},
	} {
		for _, id := range said[word] {
			if !slices.Contains(want, states[id]) {
				t.Errorf("%s was %s and is %q", id, word, states[id])
			}
		}
	}
}
