package schedule

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Two services on one store, whose clocks jump, which restart in the middle
// and whose store fails: in the end, each instant that one of the clocks has
// passed has been fired by one of them, once.
func TestEachInstantIsFiredOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// The script is drawn outside of the bubble.
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 5, 20).Draw(rt, "steps")
		start := rapid.SampledFrom([]string{"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2028-02-27T12:00:00Z"}).Draw(rt, "start")
		synctest.Test(t, func(t *testing.T) { act(t, rt, start, steps) })
	})
}

// step is something that happens to one of two services.
type step struct {
	What  string
	Which int
	For   time.Duration
}

func drawStep(t *rapid.T) step {
	return step{
		rapid.SampledFrom([]string{"pass", "pass", "ahead", "back", "restart", "reload", "fail", "mend"}).Draw(t, "what"),
		rapid.IntRange(0, 1).Draw(t, "which"),
		time.Duration(rapid.IntRange(1, 15*3600).Draw(t, "seconds")) * time.Second,
	}
}

func act(t *testing.T, rt *rapid.T, start string, steps []step) {
	from := instant(t, start)
	jobs := []Job{
		{Name: "night", Schedule: parse(t, "30 2 * * *", "Europe/Berlin")},
		{Name: "quarters", Schedule: parse(t, "*/15 0-6 * * *", "Europe/Berlin")},
		{Name: "hourly", Schedule: parse(t, "5 * * * *", "Australia/Lord_Howe")},
		{Name: "leap", Schedule: parse(t, "0 0 29 2 *", "UTC")},
	}
	for i := range jobs {
		jobs[i].Since, jobs[i].Window = from, 1000*hours
	}
	store := &memory{fired: map[string][]time.Time{}}
	worlds := []*world{newWorld(t, start, store), newWorld(t, start, store)}
	for _, w := range worlds {
		w.start(jobs...)
	}
	for _, s := range append(steps, step{"mend", 0, hours}) {
		worlds[s.Which].meets(s, jobs)
		time.Sleep(2 * time.Minute) // more than anything takes to notice and to try again
	}
	latest := from
	var fires int
	for _, w := range worlds {
		w.end()
		fires += len(w.fires)
		if now := w.now(); now.After(latest) {
			latest = now
		}
	}
	var recorded int
	for _, job := range jobs {
		store.fit(rt, job, from, latest.Add(-glance)) // what is due this moment may still come
		recorded += len(store.fired[job.Name])
	}
	if fires != recorded {
		rt.Errorf("%d instants are recorded and %d fired", recorded, fires)
	}
}

func (w *world) meets(s step, jobs []Job) {
	switch s.What {
	case "pass":
		time.Sleep(s.For)
	case "ahead":
		w.jump(s.For)
	case "back":
		w.jump(-s.For)
	case "restart":
		w.end()
		time.Sleep(s.For)
		w.start(jobs...)
	case "reload":
		w.sets <- jobs
	case "fail":
		w.store.fail(errDown)
	case "mend":
		w.store.fail(nil)
	}
}
