package report

import (
	"fmt"

	"concord/engine"
	"concord/formats/report/page"
)

// findings say in words what a person should know: first of the totals, then
// what the run has found, then what is left to do.
func (d *summaryDoc) findings() []string {
	list := []string{d.totalWords()}
	for _, f := range d.Findings {
		list = append(list, f.Text)
	}
	list = appendAbout(list, d.class(engine.MissingAtCarrier).Microsoft, "%s of Microsoft’s records are missing at the carrier: %s minutes")
	list = appendAbout(list, d.class(engine.MissingAtMicrosoft).Carrier, "%s of the carrier’s records are missing at Microsoft: %s minutes")
	late := d.class(engine.PendingLate)
	pending := tallyDoc{late.Microsoft.Records + late.Carrier.Records, late.Microsoft.MS + late.Carrier.MS}
	list = appendAbout(list, pending, "%s records wait for a partner that may still come: %s minutes, not part of the totals")
	var rejected, unverified int64
	for _, in := range d.Inputs {
		rejected += in.Rejected
		if in.Integrity != integrityVerified {
			unverified++
		}
	}
	if rejected > 0 {
		list = append(list, page.Count(rejected)+" rows could not be read; rejected.csv says which and why")
	}
	if unverified > 0 {
		list = append(list, fmt.Sprintf("%d of %d files bring no control totals or checksums: what was read of them is unverified", unverified, len(d.Inputs)))
	}
	return list
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

func appendAbout(list []string, t tallyDoc, words string) []string {
	if t.Records == 0 {
		return list
	}
	return append(list, fmt.Sprintf(words, page.Count(t.Records), page.Minutes(t.MS)))
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

// roundingWords say what the agreed rounding alone explains of the difference;
// "" when it explains nothing.
func roundingWords(s *engine.Summary, r engine.Rounding) string {
	explained, raw := s.RoundingExplainedMS, s.Totals.DifferenceMS()
	switch {
	case explained == 0:
		return ""
	case raw != 0 && (explained > 0) == (raw > 0) && max(explained, -explained) <= max(raw, -raw):
		return fmt.Sprintf("rounding %s explains %.0f %% of the raw difference: %s of %s minutes",
			r, 100*float64(explained)/float64(raw), page.SignedMinutes(explained), page.SignedMinutes(raw))
	}
	return fmt.Sprintf("rounding %s explains %s minutes, while the raw difference is %s minutes: without it there would be %s",
		r, page.SignedMinutes(explained), page.SignedMinutes(raw), page.SignedMinutes(raw-explained))
}
