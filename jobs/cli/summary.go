package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"concord/engine"
	"concord/jobs"
)

// wordsFor says what a class means to someone who has not read the rules.
func wordsFor(c engine.Class) string {
	return [engine.NumClasses]string{
		engine.AnswerConflict:       "answered on one side only",
		engine.DurationOver:         "longer at the carrier",
		engine.DurationUnder:        "shorter at the carrier",
		engine.NumberMismatch:       "numbers differ",
		engine.TimeMismatch:         "start times differ",
		engine.NotIndependent:       "agree, but Microsoft's figure came from the carrier",
		engine.MatchedSplit:         "agree, in several parts at the carrier",
		engine.MatchedRounding:      "agree by the agreed rounding",
		engine.Matched:              "agree",
		engine.Invalid:              "rows that cannot be read",
		engine.Duplicate:            "sent twice",
		engine.ConflictingDuplicate: "sent twice with different content",
		engine.Superseded:           "replaced by a correction",
		engine.UnansweredOneSided:   "unanswered, on one side only",
		engine.PendingLate:          "may still arrive",
		engine.MissingAtCarrier:     "missing at the carrier",
		engine.MissingAtMicrosoft:   "missing at Microsoft",
		engine.OutsidePeriod:        "outside the period",
	}[c]
}

// writeSummary shows a run to a reader who knows invoices, not records.
func writeSummary(w io.Writer, o *jobs.Outcome) {
	s := &o.Summary
	fmt.Fprintf(w, "%s%s\n\n", s.Carrier, periodWords(s, o.Zone))
	writeTotals(w, s)
	fmt.Fprintln(w, "  Counted: records that have a partner on the other side, or should have one.")
	fmt.Fprintf(w, "\nVerdict: %s\n", verdictWords(s.Totals, o))
	if s.RoundingExplainedMS != 0 {
		fmt.Fprintf(w, "The agreed rounding makes %s minutes of it in calls that agree by it; of others that is not known.\n", signedMinutes(s.RoundingExplainedMS))
	}
	writeDiscrepancies(w, s)
	writeRest(w, s)
	for i, f := range s.Findings {
		if i == 0 {
			fmt.Fprintln(w, "\nFindings")
		}
		fmt.Fprintf(w, "  %s\n", f.Text)
	}
	for i, r := range o.Remarks {
		if i == 0 {
			fmt.Fprintln(w, "\nOn the files")
		}
		fmt.Fprintf(w, "  %s\n", r)
	}
	fmt.Fprintf(w, "\nReport: %s (report.html is for reading, report.xlsx for finance, dispute.xlsx for the carrier)\n", o.Out)
}

func periodWords(s *engine.Summary, zone string) string {
	if s.From.IsZero() && s.To.IsZero() {
		return ", everything in the files"
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	const layout = "2006-01-02 15:04"
	return fmt.Sprintf(", %s to %s (%s)", s.From.In(loc).Format(layout), s.To.In(loc).Format(layout), zone)
}

func writeTotals(w io.Writer, s *engine.Summary) {
	t := s.Totals
	g := grid{right: []bool{false, true, true, true}}
	g.add("", "records", "minutes")
	g.add("Microsoft", grouped(t.Microsoft.Records), minutes(t.Microsoft.MS))
	g.add("Carrier", grouped(t.Carrier.Records), minutes(t.Carrier.MS))
	g.add("Difference", signed(t.Carrier.Records-t.Microsoft.Records), signedMinutes(t.DifferenceMS()), percent(t))
	g.write(w, "  ")
}

// verdictWords explains the totals verdict.
func verdictWords(b engine.Balance, o *jobs.Outcome) string {
	switch b.Verdict {
	case engine.TotalsDispute:
		return "DISPUTE: the minutes differ by " + share(o.DisputeAt) + " or more"
	case engine.TotalsWarning:
		return "WARNING: the minutes differ by " + share(o.WarnAt) + " or more, but by less than " + share(o.DisputeAt)
	}
	return "OK: the minutes differ by less than " + share(o.WarnAt)
}

// writeDiscrepancies shows the cases that someone must look at.
func writeDiscrepancies(w io.Writer, s *engine.Summary) {
	g := grid{right: []bool{false, true, true, true, true}}
	g.add("Discrepancies", "cases", "Microsoft min", "carrier min", "difference", "who acts")
	for i := range engine.NumClasses {
		c := engine.Class(i)
		m, k := s.Classes[engine.Microsoft][c], s.Classes[engine.Carrier][c]
		if !c.Discrepancy() || m.Records+k.Records+s.Discrepancies[c] == 0 {
			continue
		}
		g.add("  "+wordsFor(c), grouped(s.Discrepancies[c]), minutes(m.MS), minutes(k.MS), signedMinutes(k.MS-m.MS), c.Action())
	}
	if len(g.rows) == 1 {
		fmt.Fprintln(w, "\nDiscrepancies: none")
		return
	}
	fmt.Fprintln(w)
	g.write(w, "")
}

// writeRest shows the records that are no discrepancy.
func writeRest(w io.Writer, s *engine.Summary) {
	g := grid{right: []bool{false, true, true, true, true}}
	g.add("Everything else", "Microsoft records", "carrier records", "Microsoft min", "carrier min")
	for i := range engine.NumClasses {
		c := engine.Class(i)
		m, k := s.Classes[engine.Microsoft][c], s.Classes[engine.Carrier][c]
		if !c.Discrepancy() && m.Records+k.Records > 0 {
			g.add("  "+wordsFor(c), grouped(m.Records), grouped(k.Records), minutes(m.MS), minutes(k.MS))
		}
	}
	if len(g.rows) > 1 {
		fmt.Fprintln(w)
		g.write(w, "")
	}
}

// minutes writes milliseconds as minutes with one decimal, a half rounded
// away from zero.
func minutes(ms int64) string {
	tenths := (max(ms, -ms) + 3000) / 6000
	s := grouped(tenths/10) + "." + strconv.FormatInt(tenths%10, 10)
	if ms < 0 && tenths > 0 {
		return "-" + s
	}
	return s
}

// signedMinutes has a plus before what is more than nothing when shown.
func signedMinutes(ms int64) string {
	m := minutes(ms)
	if m == "0.0" {
		return m
	}
	return plus(ms) + m
}

func signed(v int64) string { return plus(v) + grouped(v) }

func plus(v int64) string {
	if v > 0 {
		return "+"
	}
	return ""
}

// grouped writes a number with a comma between thousands.
func grouped(v int64) string {
	s := strconv.FormatInt(v, 10)
	sign := ""
	if v < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// percent writes the difference as a share of Microsoft's minutes.
func percent(b engine.Balance) string {
	if b.Microsoft.MS == 0 {
		return ""
	}
	return fmt.Sprintf("%+.2f %%", 100*float64(b.DifferenceMS())/float64(b.Microsoft.MS))
}

// share writes parts per million as a percentage.
func share(ppm int64) string {
	return strconv.FormatFloat(float64(ppm)/10000, 'f', -1, 64) + " %"
}
