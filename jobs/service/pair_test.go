package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/control"
	"concord/jobs/service"
	"concord/jobs/state/pgtest"
)

var postgres pgtest.Server

// second starts a further service on the same data folder and database.
func (h *house) second(t *testing.T) (srv *service.Service, stop func()) {
	t.Helper()
	srv, err := service.Open(t.Context(), h.config(t), h.options(&h.out))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return srv, stop
}

// Two services share the work of one database: nothing is done twice, and the
// second one goes on when the first one ends.
func TestTwoServicesOnOneDatabase(t *testing.T) {
	t.Setenv("CONCORD_TEST_DB", postgres.Database(t))
	h := openHouse(t, "database_env: CONCORD_TEST_DB\n")
	other, _ := h.second(t)
	if other.SFTP() != nil {
		t.Fatal("both have the exchange")
	}
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	var mu sync.Mutex
	got := map[control.Outcome]int{}
	runs := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		desk := []control.Operations{h.desk, other.Desk()}[i%2]
		wg.Go(func() {
			list, err := desk.Start(t.Context(), control.Start{Job: "daily", Period: "2026-10-01", Key: "the same"})
			if err != nil || len(list) != 1 {
				t.Errorf("%+v, %v", list, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got[list[0].Outcome]++
			runs[list[0].Run] = true
		})
	}
	wg.Wait()
	if got[control.Enqueued] != 1 || len(runs) != 1 {
		t.Errorf("outcomes %v, runs %v", got, runs)
	}
	for run := range runs {
		if r := h.ends(run); r.Published == nil || r.Attempt != 1 {
			t.Errorf("%+v", r)
		}
	}
	h.version(1)
	h.stop()
	h.until("the other one has the exchange", func() bool { return other.SFTP() != nil })
	h.until("commands reach it", func() bool {
		c, err := api.DialLocal(t.Context(), filepath.Join(h.dir, "data"))
		if err != nil {
			return false
		}
		_, err = c.Jobs(t.Context())
		return err == nil
	})
	h.srv, h.desk = other, other.Desk()
	h.remote = h.dial("fabrikam", h.key)
	h.send("b.csv", table(call{"c2", "2026-10-01T11:00:00Z", 30}))
	if v := h.version(2); v.CarrierSide.Records != 1 || v.Discrepancies+v.Pending != 1 {
		t.Errorf("version 2: %+v", v)
	}
}

// A schedule that is due in two services fires once.
func TestTwoServicesFireAScheduleOnce(t *testing.T) {
	t.Setenv("CONCORD_TEST_DB", postgres.Database(t))
	h := openHouse(t, "  often: {kind: collect, catch_up: all, schedule: \"* * * * *\"}\ndatabase_env: CONCORD_TEST_DB\n")
	h.stop()
	h.offset = offsetTo("2026-10-02T06:00:55Z")
	h.start()
	h.until("the schedule fires for the first time", func() bool { return len(h.often()) == 1 })
	h.ends(h.often()[0].ID) // a run that waits would stand in for those that were missed
	h.stop()
	h.offset += 3 * time.Minute // three were missed, whoever starts now
	h.start()
	other, _ := h.second(t)
	h.until("what was missed is caught up", func() bool { return len(h.often()) > 1 })
	if other.SFTP() != nil {
		t.Error("both have the exchange")
	}
	list := h.often()
	seen := map[string]bool{}
	for _, r := range list {
		at := fmt.Sprint(r.ScheduledFor)
		if seen[at] {
			t.Errorf("two runs for %s", at)
		}
		seen[at] = true
	}
}

// often lists the runs of the job that is due every minute.
func (h *house) often() []control.Run {
	h.t.Helper()
	list, err := h.desk.Runs(h.t.Context(), jobs.RunFilter{Job: "often"})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// What keeps a service from taking over at first, such as a port that is not
// free yet, must not be the end of both; and until it has the exchange it does
// what it can.
func TestATakeoverIsTriedAgain(t *testing.T) {
	t.Setenv("CONCORD_TEST_DB", postgres.Database(t))
	h := openHouse(t, "database_env: CONCORD_TEST_DB\n")
	other, _ := h.second(t)
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	keys := filepath.Join(h.dir, "data", "hostkeys")
	if err := errors.Join(os.Rename(keys, keys+"-aside"), os.WriteFile(keys, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.until("it fails", func() bool { return strings.Contains(h.out.String(), `"msg":"take over the exchange"`) })
	h.srv, h.desk = other, other.Desk()
	gather, err := h.desk.Start(t.Context(), control.Start{Job: "collect", By: "test"})
	if err != nil || len(gather) != 1 {
		t.Fatal(gather, err)
	}
	if r := h.run(); r.Published == nil || r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
	if r, err := h.desk.Run(t.Context(), gather[0].Run); err != nil || r.State != string(jobs.RunQueued) || r.Attempt != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := errors.Join(os.Remove(keys), os.Rename(keys+"-aside", keys)); err != nil {
		t.Fatal(err)
	}
	h.until("it has the exchange", func() bool { return other.SFTP() != nil })
	if r := h.ends(gather[0].Run); r.State != string(jobs.RunSucceeded) {
		t.Errorf("%+v", r)
	}
	h.remote = h.dial("fabrikam", h.key)
	h.send("a.csv", table(call{"c1", "2026-10-01T11:00:00Z", 30}))
}

// A service with a data folder of its own would look in vain for what others
// took, and carriers would find two homes.
func TestServicesOnOneDatabaseShareTheFolder(t *testing.T) {
	t.Setenv("CONCORD_TEST_DB", postgres.Database(t))
	h := openHouse(t, "database_env: CONCORD_TEST_DB\n")
	other := &house{site: newSite(t), t: t}
	other.append(storyJobs + "database_env: CONCORD_TEST_DB\n")
	_, err := service.Open(t.Context(), other.config(t), other.options(&other.out))
	id, rerr := os.ReadFile(filepath.Join(h.dir, "data", "folder-id"))
	if rerr != nil || err == nil || !strings.Contains(err.Error(), strings.TrimSpace(string(id))) || !strings.Contains(err.Error(), "must share the folder") {
		t.Errorf("%v, %v", err, rerr)
	}
	h.stop()
	h.start() // and finds its own again
}
