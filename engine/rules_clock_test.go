package engine_test

import (
	"testing"
	"time"

	"concord/engine"
)

// clockWorld has n calls between numbers of their own that both sides answer,
// the i-th of them wrong by error(i) at the carrier.
func clockWorld(n int, wrong func(i int) time.Duration) *world {
	w := &world{rules: engine.DefaultRules(), sides: [2][][]row{{nil}, {nil}}}
	noon := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		var m row
		m.Caller, m.Callee = engine.E164(uint64(4930_00000+i)), engine.E164(33_140_000)
		m.Start = noon.Add(time.Duration(i) * time.Minute).UnixMicro()
		m.DurationMS = 60_000
		m.RecordID = time.Duration(i).String()
		c := m
		c.Start += wrong(i).Microseconds()
		w.sides[engine.Microsoft][0] = append(w.sides[engine.Microsoft][0], m)
		w.sides[engine.Carrier][0] = append(w.sides[engine.Carrier][0], c)
	}
	return w
}

// always is the same error for every call.
func always(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

// firstN is d for the first n calls and far off, each in its own way, after.
func firstN(n int, d time.Duration) func(int) time.Duration {
	return func(i int) time.Duration {
		if i < n {
			return d
		}
		return d + time.Duration(i)*time.Hour
	}
}

// halves is a for the first 25 of 50 calls and b for the others.
func halves(a, b time.Duration) func(int) time.Duration {
	return func(i int) time.Duration {
		if i < 25 {
			return a
		}
		return b
	}
}

func TestClockOffset(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name  string
		calls int
		wrong func(int) time.Duration
		set   func(*world)
		want  time.Duration
	}{
		{"fifty calls are enough to see a fast clock", 50, always(37 * s), nil, 37 * s},
		{"forty-nine are not", 49, always(37 * s), nil, 0},
		{"a wrong time zone is seen", 60, always(-time.Hour), nil, -time.Hour},
		{"four in five must agree", 50, firstN(40, 37*s), nil, 37 * s},
		{"fewer than four in five measure nothing", 50, firstN(39, 37*s), nil, 0},
		{"four in five of an odd number, just not reached", 51, firstN(40, 37*s), nil, 0},
		{"four in five of an odd number, just reached", 51, firstN(41, 37*s), nil, 37 * s},
		{"of an even number the lower median counts", 50, halves(10*s, 12*s), nil, 10 * s},
		{"the lower median of negative errors is the more negative", 50, halves(-12*s, -10*s), nil, -12 * s},
		{"half a second rounds away from zero", 50, always(1500 * time.Millisecond), nil, 2 * s},
		{"half a second slow rounds away from zero", 50, always(-1500 * time.Millisecond), nil, -2 * s},
		{"just under half a second rounds to zero", 50, always(499_999 * time.Microsecond), nil, 0},
		{"just under one and a half rounds to one", 50, always(1_499_999 * time.Microsecond), nil, s},
		{"a difference at the tolerance of the rounded median is near it", 50, halves(10*s, 15*s), nil, 10 * s},
		{"a difference just beyond the tolerance is not", 50, halves(10*s, 15*s+time.Microsecond), nil, 0},
		{"nearness is judged from the rounded median", 50, halves(10*s+500*time.Millisecond, 16*s), nil, 11 * s},
		{"a wider start tolerance lets more agree", 50, halves(10*s, 16*s), func(w *world) { w.rules.StartTolerance = 6 * s }, 10 * s},
		{"a fixed offset is taken as it is", 50, always(0), func(w *world) {
			w.rules.AutoOffset, w.rules.ClockOffset = false, -90*s
		}, -90 * s},
		{"a fixed offset of zero measures nothing", 50, always(37 * s), func(w *world) { w.rules.AutoOffset = false }, 0},
		{"numbers that call twice are not measured on", 50, always(37 * s), callAgain, 0},
		{"unanswered calls between the same numbers do not matter", 50, always(37 * s), ringAgain, 37 * s},
		{"unanswered calls are not measured on", 50, always(37 * s), ringOnly, 0},
		{"withheld numbers are not measured on", 50, always(37 * s), withholdOne, 0},
		{"a number with the same hidden digits on both sides counts", 50, always(37 * s), maskOne, 37 * s},
		{"a repeat is not a second call", 50, always(37 * s), repeatOne, 37 * s},
		{"records far outside the period are measured on", 50, always(37 * s), periodAfter(1000 * time.Hour), 37 * s},
		{"near only: records 14 h and a margin before the period are measured on", 50, always(37 * s), nearOnly(15*time.Hour - 50*time.Minute), 37 * s},
		{"near only: records further outside the period are not", 50, always(37 * s), nearOnly(16 * time.Hour), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := clockWorld(c.calls, c.wrong)
			if c.set != nil {
				c.set(w)
			}
			if got := reference(w).offset; got != c.want {
				t.Errorf("reference: offset %v, want %v", got, c.want)
			}
			if got := mustRun(t, w).offset; got != c.want {
				t.Errorf("engine: offset %v, want %v", got, c.want)
			}
		})
	}
}

// another adds a copy of Microsoft's first call.
func another(w *world, change func(*row)) {
	m := w.sides[engine.Microsoft][0][0]
	m.RecordID = "again"
	m.Start += time.Hour.Microseconds()
	change(&m)
	w.sides[engine.Microsoft][0] = append(w.sides[engine.Microsoft][0], m)
}

func callAgain(w *world) { another(w, func(*row) {}) }

func ringAgain(w *world) { another(w, func(m *row) { m.DurationMS = 0 }) }

func repeatOne(w *world) {
	first := w.sides[engine.Microsoft][0][0]
	w.sides[engine.Microsoft][0] = append(w.sides[engine.Microsoft][0], first)
}

// both changes the first call of either side.
func both(w *world, change func(*row)) {
	change(&w.sides[engine.Microsoft][0][0])
	change(&w.sides[engine.Carrier][0][0])
}

func ringOnly(w *world) { both(w, func(r *row) { r.DurationMS = 0 }) }

func withholdOne(w *world) { both(w, func(r *row) { r.Caller = engine.Number{} }) }

func maskOne(w *world) { both(w, func(r *row) { r.Caller = engine.OtherNumber("+49308***") }) }

// nearOnly has only calls around that period show the clock.
func nearOnly(d time.Duration) func(*world) {
	return func(w *world) {
		periodAfter(d)(w)
		w.nearClock = true
	}
}

// periodAfter sets a period that begins so long after the first call.
func periodAfter(d time.Duration) func(*world) {
	return func(w *world) {
		w.from = time.UnixMicro(w.sides[engine.Microsoft][0][0].Start).Add(d)
		w.to = w.from.AddDate(0, 0, 1)
	}
}

// A wrong clock by itself is a finding of the run and no fault of any call.
func TestClockOffsetChangesNoClass(t *testing.T) {
	for _, wrong := range []time.Duration{0, 37 * time.Second, -time.Hour, 26 * time.Hour} {
		w := clockWorld(50, always(wrong))
		for _, a := range []*answer{reference(w), mustRun(t, w)} {
			if n := a.classes[engine.Carrier][engine.Matched].Records; n != 50 {
				t.Errorf("%v wrong: %d of 50 calls match", wrong, n)
			}
		}
	}
}

// Three quarters of the calls an hour off: half a file in the wrong zone. It
// must not be corrected, and finance must not have to guess why nothing pairs.
func TestAClockThatIsNotCorrectedIsNamed(t *testing.T) {
	for share, want := range map[int]string{
		39: "78 % of the calls measured show a carrier clock +3600 s: carrier file is one hour ahead: wrong time zone?; that is less than the 80 % it takes to correct for it, so nothing was corrected",
		40: "carrier clock +3600 s: carrier file is one hour ahead: wrong time zone?",
	} {
		w := clockWorld(50, firstN(share, time.Hour))
		w.rules.AutoOffset = true
		a, err := run(t.Context(), w, setup{workers: 1, partRows: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.findings) != 1 || a.findings[0].Text != want {
			t.Errorf("%d of 50 calls: findings %v, want %q", share, a.findings, want)
		}
	}
}
