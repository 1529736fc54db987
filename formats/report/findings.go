package report

import (
	"fmt"
	"strings"

	"concord/engine"
	"concord/formats/report/page"
)

// findings say in words what a person should know: first of the totals, then
// what the run has found, then what is left to do.
func (d *summaryDoc) findings() []string {
	list := append(d.lacking(), d.totalWords())
	for _, f := range d.Findings {
		if f.Code != noData { // lacking has said it
			list = append(list, f.Text)
		}
	}
	list = appendAbout(list, d.class(engine.MissingAtCarrier).Microsoft, "record of Microsoft’s is", "records of Microsoft’s are", "missing at the carrier: %s minutes")
	list = appendAbout(list, d.class(engine.MissingAtMicrosoft).Carrier, "record of the carrier’s is", "records of the carrier’s are", "missing at Microsoft: %s minutes")
	if text := d.emptyDays(); text != "" {
		list = append(list, text)
	}
	late := d.class(engine.PendingLate)
	pending := tallyDoc{late.Microsoft.Records + late.Carrier.Records, late.Microsoft.MS + late.Carrier.MS}
	list = appendAbout(list, pending, "record waits", "records wait", "for a partner that may still come: %s minutes, not part of the totals")
	var rejected, unverified int64
	for _, in := range d.Inputs {
		rejected += in.Rejected
		if in.Integrity != integrityVerified {
			unverified++
		}
	}
	if rejected > 0 {
		list = append(list, page.Counted(rejected, "row", "rows")+" could not be read; rejected.csv says which and why")
	}
	if unverified > 0 {
		list = append(list, fmt.Sprintf("files that bring no control totals or checksums: %d of %d; what was read of them is unverified", unverified, len(d.Inputs)))
	}
	return list
}

// noData is the finding that a side has no record.
const noData = "no_data"

// lacking says that one side's records are known not to be all there, or are
// none: then the figures are no ground for a dispute.
func (d *summaryDoc) lacking() (list []string) {
	for _, f := range d.Findings {
		if f.Code == noData {
			list = append(list, strings.ToUpper(f.Text[:1])+f.Text[1:]+". Do not send dispute.xlsx.")
		}
	}
	for _, side := range []struct{ name, whose, then string }{
		{engine.Microsoft.String(), "Microsoft’s", "Do not send dispute.xlsx"},
		{engine.Carrier.String(), "The carrier’s", "Do not send dispute.xlsx before its files are all there"},
	} {
		var incomplete int64
		for _, in := range d.Inputs {
			if in.Side == side.name && in.Incomplete {
				incomplete++
			}
		}
		if incomplete > 0 {
			list = append(list, fmt.Sprintf("%s data is incomplete: %s of more that is not in what was read, so that calls look as if they were missing. %s.",
				side.whose, page.Counted(incomplete, "file tells", "files tell"), side.then))
		}
	}
	return list
}

// ofCarrier says what the carrier should know of the data that it sent, in
// words to the carrier.
func (d *summaryDoc) ofCarrier() (list []string) {
	for _, f := range d.Findings {
		if strings.HasPrefix(f.Code, "clock_") {
			list = append(list, "We found: "+f.Text+".")
		}
	}
	if offset := d.Clock.Offset.String(); offset != "0" && offset != "" {
		how := "as agreed"
		if d.Settings.ClockOffset == "auto" {
			how = "measured on " + page.Counted(d.Clock.Pairs, "pair", "pairs") + " of calls"
		}
		list = append(list, fmt.Sprintf("We took %s s off the starts of your records before we compared them (%s). The sheet shows them as you sent them.", signedText(offset), how))
	}
	for _, in := range d.Inputs {
		if in.Side == engine.Carrier.String() && in.Rejected > 0 {
			list = append(list, fmt.Sprintf("%s of %s could not be read.", page.Counted(in.Rejected, "row", "rows"), in.Name))
		}
	}
	return list
}

// signedText writes a decimal with its sign.
func signedText(s string) string {
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		return "−" + rest
	}
	return "+" + s
}

// class returns what is known of a class; nothing if a summary lacks it.
func (d *summaryDoc) class(c engine.Class) classDoc {
	for _, x := range d.Classes {
		if x.Class == c.String() {
			return x
		}
	}
	return classDoc{}
}

func appendAbout(list []string, t tallyDoc, one, more, words string) []string {
	if t.Records == 0 {
		return list
	}
	return append(list, page.Counted(t.Records, one, more)+" "+fmt.Sprintf(words, page.Minutes(t.MS)))
}

func (d *summaryDoc) totalWords() string {
	b := pageBalance(d.Totals)
	ms := b.DifferenceMS()
	switch {
	case b.Microsoft.Records+b.Carrier.Records == 0:
		return "no record of either side counts: there is nothing to compare"
	case ms == 0:
		return "both sides have the same time"
	}
	word := "more"
	if ms < 0 {
		word, ms = "less", -ms
	}
	return fmt.Sprintf("%s has %s minutes %s than Microsoft (%s): verdict %s", d.Carrier, page.Minutes(ms), word, page.Share(b), b.Verdict)
}

// roundingWords say what the agreed rounding makes of the difference in calls
// that agree by it, which is all that is known of it; "" when that is nothing.
func roundingWords(s *engine.Summary, r engine.Rounding) string {
	explained, raw := s.RoundingExplainedMS, s.Totals.DifferenceMS()
	least := "at least " // rounding one way makes more of the other calls, never less
	if r.Mode == engine.RoundNearest {
		least = ""
	}
	switch {
	case explained == 0:
		return ""
	case raw != 0 && (explained > 0) == (raw > 0) && max(explained, -explained) <= max(raw, -raw):
		return fmt.Sprintf("rounding %s explains %s%.0f %% of the raw difference: %s of %s minutes, in calls that agree by it",
			r, least, 100*float64(explained)/float64(raw), page.SignedMinutes(explained), page.SignedMinutes(raw))
	}
	return fmt.Sprintf("rounding %s makes %s%s minutes, in calls that agree by it; the raw difference is %s minutes, so that other calls differ the other way",
		r, least, page.SignedMinutes(explained), page.SignedMinutes(raw))
}
