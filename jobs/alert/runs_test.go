package alert_test

import (
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

const (
	failedKey = "run_failed/daily/fabrikam/20261001T000000Z-20261002T000000Z"
	lateKey   = "run_late/daily/fabrikam/20261001T000000Z-20261002T000000Z"
)

// enqueue asks for a run about 1 October that is due now.
func (w *world) enqueue() jobs.Run {
	w.Helper()
	r, err := w.store.Enqueue(w.Context(), jobs.Run{
		Job: "daily", Kind: "reconcile", Carrier: "fabrikam", ScheduledFor: w.now, Trigger: jobs.TriggerSchedule,
		Period: jobs.Period{From: at("2026-10-01T00:00:00Z"), To: at("2026-10-02T00:00:00Z"), Text: "2026-10-01"},
	}, w.now)
	w.must(err)
	return r
}

func (w *world) claim() jobs.Run {
	w.Helper()
	r, err := w.store.Claim(w.Context(), jobs.ClaimOptions{Owner: "me", Now: w.now, Lease: time.Hour})
	w.must(err)
	return r
}

// end records how a run ended and tells nobody.
func (w *world) end(r jobs.Run, e jobs.Ending) {
	w.Helper()
	_, err := w.store.Finish(w.Context(), r.Lease(), e, w.now)
	w.must(err)
}

var (
	broke = jobs.Ending{State: jobs.RunFailed, Error: "read the file: input/output error\nsecond line"}
	fine  = jobs.Ending{State: jobs.RunSucceeded}
)

func TestAFailedRunIsToldUntilOneSucceeds(t *testing.T) {
	w := newWorld(t, "2026-10-02T06:00:00Z")
	w.enqueue()
	r := w.claim()
	w.end(r, jobs.Ending{State: jobs.RunFailed, Error: "busy", RetryAt: w.now})
	w.desk.RunEnded(t.Context(), r, true, false)
	w.told()
	r = w.claim()
	w.end(r, broke)
	w.desk.RunEnded(t.Context(), r, true, true)
	w.tick()
	w.told("raised " + failedKey)
	w.says(w.text(failedKey), "read the file: input/output error;", "concord rerun "+r.ID)
	w.enqueue()
	r = w.claim()
	w.tick()
	w.told()
	w.end(r, fine)
	w.desk.RunEnded(t.Context(), r, false, true)
	w.tick()
	w.told("resolved " + failedKey)
}

func TestALateRunIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		how    jobs.Ending
		failed bool
		want   []string
	}{
		"it succeeds after all": {fine, false, []string{"resolved " + lateKey}},
		"it is cancelled":       {jobs.Ending{State: jobs.RunCancelled}, false, []string{"resolved " + lateKey}},
		"it fails":              {broke, true, []string{"raised " + failedKey}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "2026-10-02T06:00:00Z")
			w.enqueue()
			w.tickAt("2026-10-02T08:00:00Z")
			w.told()
			w.tickAt("2026-10-02T08:00:30Z")
			w.tickAt("2026-10-02T08:01:00Z")
			w.told("raised " + lateKey)
			w.says(w.text(lateKey), "2026-10-02T06:00:00Z", "queued", "concord runs show ")
			r := w.claim()
			w.tick()
			w.end(r, c.how)
			w.desk.RunEnded(t.Context(), r, c.failed, true)
			w.tickAt("2026-10-02T09:00:00Z")
			w.told(c.want...)
		})
	}
}

func TestEndsThatNobodyWasToldOf(t *testing.T) {
	w := newWorld(t, "2026-10-02T06:00:00Z")
	r := w.enqueue()
	w.tickAt("2026-10-02T09:00:00Z")
	w.told("raised " + lateKey)
	_, err := w.store.Cancel(t.Context(), r.ID, "ops", w.now)
	w.must(err)
	w.tick()
	w.told("resolved " + lateKey)

	w.enqueue()
	w.end(w.claim(), broke) // and the service crashes
	w.restart()
	w.tick()
	w.told("raised " + failedKey)

	w.enqueue()
	w.end(w.claim(), fine)
	w.restart()
	w.tick()
	w.told("resolved " + failedKey)
	w.restart()
	w.tickAt("2026-10-02T10:00:00Z")
	w.told()
}

func TestAFailureThatAnotherRunFollowedIsOld(t *testing.T) {
	w := newWorld(t, "2026-10-02T06:00:00Z")
	w.enqueue()
	w.end(w.claim(), broke)
	w.enqueue()
	w.tick()
	w.told()
}

func TestFailuresOfLongAgoAreLeftAlone(t *testing.T) {
	w := newWorld(t, "2026-10-02T06:00:00Z")
	w.enqueue()
	w.end(w.claim(), broke)
	w.tickAt("2026-10-20T06:00:00Z")
	w.told()
}

func TestRunsOfAJobThatIsGone(t *testing.T) {
	for name, change := range map[string]func(c *config.Config){
		"the job":                 func(c *config.Config) { c.Jobs = nil },
		"the carrier":             func(c *config.Config) { c.Carriers = nil },
		"the carrier of the job":  func(c *config.Config) { c.Jobs[0].Carriers = []string{"contoso"} },
		"the job's name, renamed": func(c *config.Config) { c.Jobs[0].Name = "nightly" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "2026-10-02T06:00:00Z")
			w.enqueue()
			w.end(w.claim(), broke)
			w.enqueue()
			w.tickAt("2026-10-02T09:00:00Z")
			w.end(w.claim(), broke)
			w.tickAt("2026-10-02T09:10:00Z")
			w.told("raised "+lateKey, "raised "+failedKey)
			change(&w.config)
			w.tick()
			w.tickAt("2026-10-02T10:00:00Z")
			w.told("resolved "+lateKey, "resolved "+failedKey)
		})
	}
}

func TestADatabaseOutOfOrderDelaysAlertsAboutRuns(t *testing.T) {
	for broken := 0; ; broken++ {
		w := newWorld(t, "2026-10-02T06:00:00Z")
		s := &shaky{Store: w.store, at: broken}
		w.desk = w.newDesk(s)
		w.enqueue()
		r := w.claim()
		w.now = at("2026-10-02T08:30:00Z")
		w.tickUntilFine()
		w.end(r, broke)
		w.desk.RunEnded(t.Context(), r, true, true)
		w.tickUntilFine()
		got := w.messages()
		if want := "raised " + failedKey; len(got) == 0 || got[len(got)-1] != want {
			t.Errorf("call %d fails: told %v, want %s", broken, got, want)
		}
		if !s.failed {
			return
		}
	}
}
