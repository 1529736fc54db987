package dialect

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"concord/engine"

	"pgregory.net/rapid"
)

func TestDurationsAreReadInTheirUnit(t *testing.T) {
	cases := []struct {
		name   string
		e      expr
		text   string
		want   int64
		reason string
	}{
		{"whole seconds", expr{unit: unitS}, "61", 61_000, ""},
		{"seconds with a fraction", expr{unit: unitS}, "61.25", 61_250, ""},
		{"a decimal comma", expr{unit: unitS, comma: true}, "61,25", 61_250, ""},
		{"a comma that is not the decimal mark", expr{unit: unitS}, "61,25", 0, reasonNotDuration},
		{"half a millisecond goes up", expr{unit: unitMS}, "0.5", 1, ""},
		{"less than half goes down", expr{unit: unitMS}, "0.4999999999999999999999999", 0, ""},
		{"minutes", expr{unit: unitMin}, "1.5", 90_000, ""},
		{"a third of a minute", expr{unit: unitMin}, "0.3333333333333333333", 20_000, ""},
		{"hours", expr{unit: unitH}, "2", 7_200_000, ""},
		{"microseconds", expr{unit: unitUS}, "1500", 2, ""},
		{"tenths of a second", expr{unit: unitS, divide: 10}, "615", 61_500, ""},
		{"negative", expr{unit: unitS}, "-1", 0, ReasonNegative},
		{"minus nothing", expr{unit: unitS}, "-0", 0, ""},
		{"a word", expr{unit: unitS}, "long", 0, reasonNotDuration},
		{"a minus and a word", expr{unit: unitS}, "-long", 0, reasonNotDuration},
		{"an exponent", expr{unit: unitS}, "1e3", 0, reasonNotDuration},
		{"a point without digits", expr{unit: unitS}, "1.", 0, reasonNotDuration},
		{"ten years", expr{unit: unitMS}, fmt.Sprint(engine.MaxDuration), engine.MaxDuration, ""},
		{"more than ten years", expr{unit: unitMS}, fmt.Sprint(engine.MaxDuration + 1), 0, ReasonLong},
		{"more than a word holds", expr{unit: unitH}, strings.Repeat("9", 40), 0, ReasonLong},
		{"a clock", expr{unit: unitHMS}, "1:02:03", 3_723_000, ""},
		{"a clock with a fraction", expr{unit: unitHMS}, "00:00:01.5", 1_500, ""},
		{"a clock of more than a day", expr{unit: unitHMS}, "25:00:00", 90_000_000, ""},
		{"a clock of sixty minutes", expr{unit: unitHMS}, "0:60:00", 0, reasonNotHMS},
		{"a clock of sixty seconds", expr{unit: unitHMS}, "0:00:60", 0, reasonNotHMS},
		{"a clock with a colon too few", expr{unit: unitHMS}, "00:01", 0, reasonNotHMS},
		{"a clock with a colon too many", expr{unit: unitHMS}, "00:00:00:01", 0, reasonNotHMS},
		{"minutes and seconds", expr{unit: unitMS2}, "75:03", 4_503_000, ""},
		{"minutes and seconds, negative", expr{unit: unitMS2}, "-1:00", 0, ReasonNegative},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newDurationReader(&c.e)
			got, reason := d.read([]byte(c.text))
			if got != c.want || reason != c.reason {
				t.Errorf("%q: got %d, %q; want %d, %q", c.text, got, reason, c.want, c.reason)
			}
		})
	}
}

func TestDurationsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{1,12}(\.[0-9]{1,24})?`).Draw(t, "text")
		u := rapid.SampledFrom([]unit{unitUS, unitMS, unitS, unitMin, unitH}).Draw(t, "unit")
		div := rapid.Int64Range(1, 1_000_000_000).Draw(t, "divide")
		d := newDurationReader(&expr{unit: u, divide: div})
		got, reason := d.read([]byte(text))
		want, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		num, den := u.scale()
		want.Mul(want, new(big.Rat).SetFrac64(int64(num), int64(den)))
		want.Quo(want, new(big.Rat).SetInt64(div))
		want.Add(want, big.NewRat(1, 2))
		ms := new(big.Int).Div(want.Num(), want.Denom())
		if ms.Cmp(big.NewInt(engine.MaxDuration)) > 0 {
			if reason != ReasonLong {
				t.Fatalf("%s: got %d, %q", text, got, reason)
			}
			return
		}
		if reason != "" || got != ms.Int64() {
			t.Fatalf("%s in %d/%d/%d: got %d, %q; want %s", text, num, den, div, got, reason, ms)
		}
	})
}

func TestAmountsAreNeverRounded(t *testing.T) {
	cases := []struct {
		name, text, want string
		d                decimalReader
	}{
		{"as sent", "0.10", "0.10", decimalReader{}},
		{"negative", "-1.25", "-1.25", decimalReader{}},
		{"a decimal comma", "1,25", "1.25", decimalReader{comma: true}},
		{"cents", "125", "1.25", decimalReader{shift: 2}},
		{"a fraction of cents", "0.5", "0.005", decimalReader{shift: 2}},
		{"an exponent that would fill the memory", "1e999999999", "", decimalReader{shift: 2}},
		{"a word", "free", "", decimalReader{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.d.read([]byte(c.text))
			if ok != (c.want != "") || ok && got != c.want {
				t.Errorf("got %q, %v; want %q", got, ok, c.want)
			}
		})
	}
}

func BenchmarkDuration(b *testing.B) {
	for _, text := range []string{"61", "61.250"} {
		b.Run(text, func(b *testing.B) {
			d := newDurationReader(&expr{unit: unitS})
			for b.Loop() {
				if _, reason := d.read([]byte(text)); reason != "" {
					b.Fatal(reason)
				}
			}
		})
	}
}
