package report

import (
	"encoding/csv"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"concord/engine"
	"concord/formats/inert"
)

func TestSecondsAreExact(t *testing.T) {
	for _, c := range []struct {
		ms   int64
		want string
	}{
		{0, "0"}, {1, "0.001"}, {10, "0.01"}, {100, "0.1"}, {101, "0.101"}, {110, "0.11"}, {1000, "1"}, {60_500, "60.5"},
		{-1, "-0.001"}, {-20_001, "-20.001"}, {-2000, "-2"},
		{math.MaxInt64, "9223372036854775.807"}, {math.MinInt64, "-9223372036854775.808"},
	} {
		if got := string(appendSeconds(nil, c.ms)); got != c.want {
			t.Errorf("%d ms: %s, want %s", c.ms, got, c.want)
		}
	}
}

func TestSecondsReadBackAsTheSameMilliseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64().Draw(t, "ms")
		s := string(appendSeconds(nil, ms))
		r, ok := new(big.Rat).SetString(s)
		if !ok || r.Cmp(new(big.Rat).SetFrac64(ms, 1000)) != 0 || strings.Contains(s, ".") && strings.HasSuffix(s, "0") {
			t.Fatalf("%d ms is written as %s", ms, s)
		}
	})
}

func TestTimesHaveAsManyDecimalsAsNeeded(t *testing.T) {
	for us, want := range map[int64]string{
		0: "1970-01-01T00:00:00Z", 1: "1970-01-01T00:00:00.000001Z", 1_500_000: "1970-01-01T00:00:01.5Z",
		-1: "1969-12-31T23:59:59.999999Z", engine.MaxStart: "2262-01-01T00:00:00Z", engine.MinStart: "1900-01-01T00:00:00Z",
	} {
		if got := string(appendUTC(nil, us)); got != want {
			t.Errorf("%d: %s, want %s", us, got, want)
		}
	}
}

func TestSpreadsheetsDoNotCalculateWithTextFromOutside(t *testing.T) {
	for in, want := range map[string]string{
		"":           "",
		"abc":        "abc",
		"=1+1":       "'=1+1",
		"+49":        "'+49",
		"-2":         "'-2",
		"@x":         "'@x",
		"\t=1":       "'\t'=1",
		"\r=1":       "\"'\r'=1\"",
		"a,b":        `"a,b"`,
		`say "hi"`:   `"say ""hi"""`,
		"two\nlines": "\"two\nlines\"",
		`=a"b`:       `"'=a""b"`,
		// Excel splits at semicolons where the comma is that of decimals.
		"a;=1+1;b":     "a;'=1+1;b",
		";+1":          ";'+1",
		`a;"=1+1";b`:   `"a;'""=1+1"";b"`,
		"a|@x":         "a|'@x",
		"a\t-2":        "a\t'-2",
		"a\n=1+1\n":    "\"a\n'=1+1\n\"",
		"a;'=1":        "a;'=1",
		"a=1;b+2;c-3@": "a=1;b+2;c-3@",
		"a;":           "a;",
	} {
		if got := string(appendOutside(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestOnlyANormalisedNumberKeepsItsPlus(t *testing.T) {
	for n, want := range map[engine.Number]string{
		engine.E164(4930123456):            "+4930123456",
		engine.OtherNumber("+4930123***"):  "'+4930123***",
		engine.OtherNumber("+0049"):        "'+0049",
		engine.OtherNumber("110"):          "110",
		engine.OtherNumber("sip:a@b;x=,y"): `"sip:a@b;x=,y"`,
		{}:                                 "",
	} {
		if got := string(appendNumber(nil, n)); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestAnyTextSurvivesTheCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.String(), 2, 5).Draw(t, "cells")
		var b []byte
		for i, s := range in {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendOutside(b, s)
		}
		got, err := csv.NewReader(strings.NewReader(string(b) + "\n")).Read()
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			// The reader of the test makes LF of CRLF inside quotes.
			lines := strings.ReplaceAll(in[i], "\r\n", "\n")
			if got[i] != inert.Text(lines) && got[i] != lines {
				t.Fatalf("%q came back as %q", in[i], got[i])
			}
		}
	})
}

func TestPercentagesAreRoundedNotTruncated(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{1, 3, "33.3333"}, {2, 3, "66.6667"}, {-1, 200, "-0.5"}, {0, 5, "0"}, {-1, math.MaxInt64, "0"}, {math.MaxInt64, 1, "922337203685477580700"}} {
		if got := percent(c.part, c.whole); string(*got) != c.want {
			t.Errorf("%d of %d: %s, want %s", c.part, c.whole, *got, c.want)
		}
	}
	if percent(1, 0) != nil {
		t.Error("a share of nothing is not a number")
	}
}
