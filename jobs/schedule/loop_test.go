package schedule

import (
	"slices"
	"testing"
	"time"
)

const hours = time.Hour

func nightly(t testing.TB) Job {
	return Job{Name: "nightly", Schedule: parse(t, "0 4 * * *", "UTC")}
}

func TestJobsFireWhenTheyAreDue(t *testing.T) {
	for _, c := range []struct {
		name, start, spec, zone string
		days                    int
		want                    []string
	}{
		{"ordinary days", "2026-10-01T00:00:00Z", "0 4 * * *", "UTC", 2, []string{"j 10-01T04:00 schedule", "j 10-02T04:00 schedule"}},
		{"a night of 23 hours", "2026-03-28T12:00:00Z", "30 2 * * *", "Europe/Berlin", 2, []string{"j 03-29T01:00 schedule", "j 03-30T00:30 schedule"}},
		{"a night of 25 hours", "2026-10-24T12:00:00Z", "30 2 * * *", "Europe/Berlin", 2, []string{"j 10-25T00:30 schedule", "j 10-26T01:30 schedule"}},
		{"every two hours of it", "2026-10-24T22:30:00Z", "0 */6 * * *", "Europe/Berlin", 1, []string{"j 10-25T05:00 schedule", "j 10-25T11:00 schedule", "j 10-25T17:00 schedule"}},
		{"a leap day", "2028-02-27T00:00:00Z", "0 4 29 2 *", "UTC", 10, []string{"j 02-29T04:00 schedule"}},
		{"month ends", "2026-01-30T00:00:00Z", "0 0 31 * *", "UTC", 100, []string{"j 01-31T00:00 schedule", "j 03-31T00:00 schedule"}},
		{"a day that was skipped", "2011-12-29T12:00:00Z", "0 5 * * *", "Pacific/Apia", 2, []string{"j 12-29T15:00 schedule", "j 12-30T10:00 schedule", "j 12-30T15:00 schedule"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, c.start, func(w *world) {
				w.start(Job{Name: "j", Schedule: parse(t, c.spec, c.zone)})
				time.Sleep(time.Duration(c.days) * 24 * hours)
				w.end()
				w.has(c.want...)
				if w.late > time.Second {
					t.Errorf("fired %s after it was due", w.late)
				}
			})
		})
	}
}

// A process that was down and a machine that was asleep are caught up alike.
func TestMissedInstantsAreCaughtUpAsTheJobSays(t *testing.T) {
	for _, c := range []struct {
		policy CatchUp
		window time.Duration
		away   time.Duration
		want   []string
		skips  []string
	}{
		{"", 0, 54 * hours, []string{"nightly 10-02T04:00 catch_up", "nightly 10-03T04:00 catch_up"}, nil},
		{All, 0, 54 * hours, []string{"nightly 10-02T04:00 catch_up", "nightly 10-03T04:00 catch_up"}, nil},
		{Last, 0, 54 * hours, []string{"nightly 10-03T04:00 catch_up"}, []string{"nightly 10-02T04:00 to 10-02T04:00"}},
		{None, 0, 54 * hours, nil, []string{"nightly 10-02T04:00 to 10-03T04:00"}},
		{None, 0, 16 * hours, []string{"nightly 10-02T04:00 schedule"}, nil},
		{All, 24 * hours, 54 * hours, []string{"nightly 10-03T04:00 catch_up"}, []string{"nightly 10-02T04:00 to 10-02T18:00"}},
		{Last, 0, 24 * 10 * hours, []string{"nightly 10-11T04:00 catch_up"}, []string{"nightly 10-02T04:00 to 10-04T12:00", "nightly 10-05T04:00 to 10-10T04:00"}},
	} {
		for _, asleep := range []bool{true, false} {
			name := "down"
			if asleep {
				name = "asleep"
			}
			t.Run(name+", "+string(c.policy)+", "+c.away.String(), func(t *testing.T) {
				inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
					job := nightly(t)
					job.CatchUp, job.Window = c.policy, c.window
					w.start(job)
					time.Sleep(12 * hours)
					w.has("nightly 10-01T04:00 schedule")
					if asleep {
						w.jump(c.away)
					} else {
						w.end()
						time.Sleep(c.away)
						w.start(job)
					}
					time.Sleep(time.Minute)
					w.has(c.want...)
					if !slices.Equal(w.skips, c.skips) {
						t.Errorf("skipped %q, want %q", w.skips, c.skips)
					}
					time.Sleep(24 * hours)
					if n := len(w.new()); n != 1 {
						t.Errorf("a day later %d have fired, want 1", n)
					}
					w.end()
				})
			})
		}
	}
}

func TestAClockThatIsPutBackFiresNothingTwice(t *testing.T) {
	inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
		w.start(nightly(t))
		time.Sleep(36 * hours)
		w.has("nightly 10-01T04:00 schedule", "nightly 10-02T04:00 schedule")
		w.jump(-34 * hours)
		time.Sleep(34 * hours)
		w.has()
		time.Sleep(24 * hours)
		w.has("nightly 10-03T04:00 schedule")
		w.end()
	})
}

// A clock that was wrong by years must not silence a job for as long.
func TestAClockThatRanAheadDoesNotSilenceAJob(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
			job := nightly(t)
			w.start(job)
			time.Sleep(6 * hours)
			w.jump(366 * 24 * hours)
			time.Sleep(time.Minute)
			if n := len(w.new()); n != 8 {
				t.Errorf("%d have fired when the clock went ahead, want one and seven of the window", n)
			}
			w.jump(-366 * 24 * hours)
			if restart {
				w.end()
				w.start(job)
			}
			time.Sleep(time.Minute)
			w.new()
			time.Sleep(48 * hours)
			w.has("nightly 10-02T04:00 schedule", "nightly 10-03T04:00 schedule")
			w.end()
		})
	}
}

func TestANewJobBeginsNow(t *testing.T) {
	inWorld(t, "2026-10-01T12:00:00Z", func(w *world) {
		w.start(nightly(t))
		time.Sleep(17 * hours)
		w.has("nightly 10-02T04:00 schedule")
		w.end()
	})
}

func TestNothingBeforeSinceWasMissed(t *testing.T) {
	inWorld(t, "2026-10-05T12:00:00Z", func(w *world) {
		job := nightly(t)
		w.store.fired[job.Name] = []time.Time{instant(t, "2026-10-01T04:00:00Z")}
		job.Since = instant(t, "2026-10-03T12:00:00Z")
		w.start(job)
		w.has("nightly 10-04T04:00 catch_up", "nightly 10-05T04:00 catch_up")
		w.end()
		other := Job{Name: "other", Schedule: job.Schedule, Since: job.Since}
		w.start(job, other)
		w.has("other 10-04T04:00 catch_up", "other 10-05T04:00 catch_up")
		w.end()
	})
}

// Not even a job that catches nothing up loses an instant to a store that
// fails or hangs while the loop is there.
func TestAStoreThatFailsDelaysAndLosesNothing(t *testing.T) {
	inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
		job := Job{Name: "q", Schedule: parse(t, "*/20 * * * *", "UTC"), CatchUp: None}
		w.store.fail(errDown)
		w.start(job)
		time.Sleep(70 * time.Minute)
		w.has()
		w.store.fail(nil)
		time.Sleep(time.Minute)
		w.has("q 10-01T00:20 schedule", "q 10-01T00:40 schedule", "q 10-01T01:00 schedule")
		w.store.fail(errDown)
		time.Sleep(30 * time.Minute)
		w.store.fail(nil)
		time.Sleep(time.Minute)
		w.has("q 10-01T01:20 schedule", "q 10-01T01:40 schedule")
		w.store.slow(45 * time.Minute)
		time.Sleep(5 * hours)
		w.store.slow(0)
		time.Sleep(5 * hours)
		w.end()
		w.store.fit(t, job, instant(t, "2026-10-01T00:00:00Z"), w.now())
		if w.failed < 60 || w.failed > 130 {
			t.Errorf("%d calls of the store failed in 100 minutes", w.failed)
		}
	})
}

func TestOneJobThatCatchesUpDoesNotHoldBackAnother(t *testing.T) {
	inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
		busy := Job{Name: "busy", Schedule: parse(t, "* * * * *", "UTC"), Since: instant(t, "2026-09-25T00:00:00Z")}
		w.store.slow(10 * time.Second)
		w.start(busy, nightly(t))
		time.Sleep(4*hours + time.Minute)
		if !slices.Contains(w.new(), "nightly 10-01T04:00 schedule") {
			t.Errorf("the nightly job waits for one that catches up")
		}
		w.end()
	})
}

func TestSetsAreReplacedWithoutALossOrARepeat(t *testing.T) {
	inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
		a := Job{Name: "a", Schedule: parse(t, "0 4 * * *", "UTC")}
		b := Job{Name: "b", Schedule: parse(t, "0 5 * * *", "UTC")}
		w.start(a)
		time.Sleep(4*hours + time.Minute)
		w.has("a 10-01T04:00 schedule")
		w.sets <- []Job{a, b}
		time.Sleep(24 * hours)
		w.has("b 10-01T05:00 schedule", "a 10-02T04:00 schedule")
		a.Schedule = parse(t, "0 3 * * *", "UTC") // today's has passed
		w.sets <- []Job{a}
		time.Sleep(24 * hours)
		w.has("a 10-03T03:00 schedule")
		w.sets <- nil
		time.Sleep(72 * hours)
		w.has()
		w.sets <- []Job{a}
		time.Sleep(time.Minute)
		w.has("a 10-04T03:00 catch_up", "a 10-05T03:00 catch_up", "a 10-06T03:00 catch_up")
		close(w.sets)
		time.Sleep(24 * hours)
		w.has("a 10-07T03:00 schedule")
		w.end()
	})
}

// What is due by the old schedule and waits for the store is still owed when
// the schedule changes.
func TestANewScheduleForgetsNoDebt(t *testing.T) {
	inWorld(t, "2026-10-01T00:00:00Z", func(w *world) {
		job := nightly(t)
		w.start(job)
		time.Sleep(hours)
		w.store.fail(errDown)
		time.Sleep(4 * hours)
		job.Schedule = parse(t, "0 6 * * *", "UTC")
		w.sets <- []Job{job}
		time.Sleep(2 * hours)
		w.store.fail(nil)
		time.Sleep(2 * time.Minute)
		w.has("nightly 10-01T04:00 schedule", "nightly 10-01T06:00 schedule")
		w.end()
	})
}
