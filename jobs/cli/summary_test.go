package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/jobs"
)

func TestMinutesAreRoundedAndGroupedForReaders(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "0.0", 2_999: "0.0", 3_000: "+0.1", -3_000: "-0.1", -2_999: "0.0", 60_000: "+1.0", 90_000: "+1.5",
		60_000_000_000: "+1,000,000.0", -59_999_999: "-1,000.0", 7_384_512_345: "+123,075.2",
	} {
		if got := signedMinutes(ms); got != want {
			t.Errorf("%d ms: %s, want %s", ms, got, want)
		}
	}
	for v, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := grouped(v); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
}

func TestEveryClassHasWordsForReaders(t *testing.T) {
	seen := make(map[string]bool)
	for i := range engine.NumClasses {
		words := wordsFor(engine.Class(i))
		if words == "" || seen[words] {
			t.Errorf("%s has no words of its own", engine.Class(i))
		}
		seen[words] = true
	}
}

func TestTheSummarySaysWhatFinanceAsks(t *testing.T) {
	o := &jobs.Outcome{Out: "reports/october", Zone: "Europe/Berlin", WarnAt: 5000, DisputeAt: 10000}
	s := &o.Summary
	s.Carrier = "fabrikam"
	s.From, s.To = time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)
	s.Totals = engine.Balance{Microsoft: engine.Tally{Records: 1200, MS: 60_000_000}, Carrier: engine.Tally{Records: 1190, MS: 60_400_000}, Verdict: engine.TotalsWarning}
	s.Classes[engine.Carrier][engine.MissingAtMicrosoft] = engine.Tally{Records: 3, MS: 240_000}
	s.Discrepancies[engine.MissingAtMicrosoft] = 3
	s.Findings = []engine.Finding{{Code: "clock_offset", Text: "carrier clock +37 s"}}
	s.RoundingExplainedMS = 480_000
	o.Remarks = []string{"m.json: the last page says that more pages follow"}
	var b bytes.Buffer
	writeSummary(&b, o)
	for _, want := range []string{
		"fabrikam, 2026-10-01 00:00 to 2026-11-01 00:00 (Europe/Berlin)\n",
		"  Microsoft      1,200   1,000.0\n", "  Carrier        1,190   1,006.7\n", "  Difference       -10      +6.7   +0.67 %\n",
		"The agreed rounding makes +8.0 minutes of it in calls that agree by it; of others that is not known.\n",
		"On the files\n  m.json: the last page says that more pages follow\n",
		"Verdict: WARNING: the minutes differ by 0.5 % or more, but by less than 1 %\n",
		"  missing at Microsoft       3             0.0           4.0         +4.0   finance disputes\n",
		"Findings\n  carrier clock +37 s\n", "Report: reports/october ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}

func TestSizesAreReadWithTheirUnit(t *testing.T) {
	for in, want := range map[string]size{"1": 1, "64KiB": 64 << 10, "512MiB": 512 << 20, "2 GiB": 2 << 30} {
		var s size
		if err := s.UnmarshalText([]byte(in)); err != nil || s != want {
			t.Errorf("%s: %d, %v", in, s, err)
		}
	}
	for _, in := range []string{"", "MiB", "-1MiB", "0", "1.5GiB", "512MB", "9999999999GiB"} {
		var s size
		if s.UnmarshalText([]byte(in)) == nil {
			t.Errorf("%q is taken for a size", in)
		}
	}
}

func TestAnEmptyFlagIsNotTakenForNone(t *testing.T) {
	for _, flag := range []string{"--period", "--as-of", "--profile", "--carrier-name"} {
		var errs bytes.Buffer
		args := []string{"match", "--microsoft", "m.csv", "--carrier", "c.csv", "--out", "out", flag, ""}
		code := Run(t.Context(), args, Streams{Out: &errs, Err: &errs})
		if code != exitUsage || !strings.Contains(errs.String(), flag+": its value is empty") {
			t.Errorf("%s: exit code %d, %s", flag, code, errs.String())
		}
	}
}
