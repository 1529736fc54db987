package engine_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"concord/engine"
)

func TestBill(t *testing.T) {
	for _, c := range []struct {
		rule       string
		ms, billed int64
	}{
		{"none", 61_001, 61_001},
		{"60/60 up", 0, 0},
		{"60/60 up", 1, 60_000},
		{"60/60 up", 60_000, 60_000},
		{"60/60 up", 60_001, 120_000},
		{"60/60 up", 120_000, 120_000},
		{"30/6 up", 1, 30_000},
		{"30/6 up", 30_000, 30_000},
		{"30/6 up", 30_001, 36_000},
		{"30/6 up", 36_000, 36_000},
		{"30/6 up", 36_001, 42_000},
		{"60/1 up", 60_001, 61_000},
		{"1/1 up", 1, 1_000},
		{"30/6 nearest", 0, 0},
		{"30/6 nearest", 14_999, 0},
		{"30/6 nearest", 15_000, 30_000},
		{"30/6 nearest", 32_999, 30_000},
		{"30/6 nearest", 33_000, 36_000},
		{"30/6 nearest", 38_999, 36_000},
		{"30/6 nearest", 39_000, 42_000},
		{"1/1 nearest", 499, 0},
		{"1/1 nearest", 500, 1_000},
		{"60/60 down", 59_999, 0},
		{"60/60 down", 60_000, 60_000},
		{"60/60 down", 119_999, 60_000},
		{"30/6 down", 35_999, 30_000},
		{"30/6 down", 36_000, 36_000},
	} {
		r := parseRounding(t, c.rule)
		if got := r.Bill(c.ms); got != c.billed {
			t.Errorf("%s bills %d ms for %d ms, want %d", c.rule, got, c.ms, c.billed)
		}
	}
}

func parseRounding(t interface {
	Helper()
	Fatal(...any)
}, rule string) engine.Rounding {
	t.Helper()
	r, err := engine.ParseRounding(rule)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBillOfNegativeAndHugeDurations(t *testing.T) {
	r := parseRounding(t, "60/60 up")
	if got := r.Bill(-1); got != 0 {
		t.Errorf("a negative duration bills %d ms", got)
	}
	for _, ms := range []int64{engine.MaxDuration, math.MaxInt64 - 60_000, math.MaxInt64} {
		if got := r.Bill(ms); got < ms-120_000 {
			t.Errorf("%d ms bills %d ms", ms, got)
		}
	}
}

func TestBillIsAStepFunction(t *testing.T) {
	check(t, 2000, func(t *rapid.T) {
		r := engine.Rounding{
			First: rapid.Int64Range(1, 90).Draw(t, "first") * 1000,
			Next:  rapid.Int64Range(1, 90).Draw(t, "next") * 1000,
			Mode:  rapid.SampledFrom([]engine.RoundingMode{engine.RoundUp, engine.RoundNearest, engine.RoundDown}).Draw(t, "mode"),
		}
		ms := rapid.Int64Range(0, 400_000).Draw(t, "ms")
		got := r.Bill(ms)
		switch {
		case got != bill(r, ms):
			t.Fatalf("%v bills %d ms for %d ms, the rule says %d", r, got, ms, bill(r, ms))
		case r.Bill(got) != got:
			t.Fatalf("%v bills %d ms for a billed %d ms", r, r.Bill(got), got)
		case r.Bill(ms+1) < got:
			t.Fatalf("%v bills less for %d ms than for %d ms", r, ms+1, ms)
		}
	})
}

func TestParseRounding(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"", "none"},
		{"none", "none"},
		{"  ", "none"},
		{"60/60", "60/60 up"},
		{"60/60 up", "60/60 up"},
		{" 30/6   nearest ", "30/6 nearest"},
		{"1/1 down", "1/1 down"},
		{"86400/1 up", "86400/1 up"},
	} {
		r := parseRounding(t, c.in)
		if r.String() != c.out || r.Set() != (c.out != "none") {
			t.Errorf("%q is read as %q, set %v", c.in, r, r.Set())
		}
		if again := parseRounding(t, r.String()); again != r {
			t.Errorf("%q is read again as %q", r, again)
		}
	}
}

func TestParseRoundingRefuses(t *testing.T) {
	for _, in := range []string{
		"60", "60/", "/60", "60/0", "0/60", "0/0", "-60/60", "60/-60", "60.5/60", "60/60/60", "60/60 upward",
		"60/60 up up", "60/60 UP", "up", "86401/60", "sixty/sixty", "60 /60", "none up",
	} {
		r, err := engine.ParseRounding(in)
		if err == nil {
			t.Errorf("%q is read as %q", in, r)
		} else if !strings.Contains(err.Error(), "60/60 up") {
			t.Errorf("%q: %v does not show how to write it", in, err)
		}
	}
}

func TestRulesSayWhatIsWrong(t *testing.T) {
	if err := engine.DefaultRules().Validate(); err != nil {
		t.Errorf("default rules: %v", err)
	}
	if err := (engine.Rules{}).Validate(); err != nil {
		t.Errorf("zero rules: %v", err)
	}
	bad := engine.Rules{
		StartTolerance: -1, IDWindow: -1, SplitGap: 1, DurationTolerance: 1, LateWindow: -1, Margin: -1,
		ClockOffset: math.MaxInt64, WarnAt: 2, DisputeAt: 1, Rounding: engine.Rounding{First: 1},
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("nothing is said of wrong rules")
	}
	for _, name := range []string{
		"start_tolerance", "id_window", "split_gap", "duration_tolerance", "late_window", "margin", "clock_offset", "dispute_at", "rounding",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}
