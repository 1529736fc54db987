package report

import (
	"context"
	"fmt"
	"strings"
)

// usageDoc is summary.json of a usage; REPORTS.md describes each field.
type usageDoc struct {
	Carrier    string           `json:"carrier"`
	Period     periodDoc        `json:"period"`
	Version    int              `json:"version"`
	Supersedes *supersededDoc   `json:"supersedes"`
	Totals     UsageTotal       `json:"totals"`
	Customers  int64            `json:"customers"`
	Findings   []findingDoc     `json:"findings"`
	Missing    []string         `json:"missing_days"`
	Days       []usageDayDoc    `json:"days"`
	Reports    []usageReportDoc `json:"reports"`
	TieOut     usageTieOutDoc   `json:"tie_out"`
}

type usageDayDoc struct {
	Date   string  `json:"date"`
	Report *string `json:"report"`
}

type usageReportDoc struct {
	ID       string `json:"id"`
	Period   string `json:"period"`
	Version  int    `json:"version"`
	Manifest string `json:"manifest_sha256"`
	Whole    bool   `json:"whole"`
	UsageTotal
}

type usageTieOutDoc struct {
	Agrees    bool       `json:"agrees"`
	Reports   UsageTotal `json:"reports"`
	Usage     UsageTotal `json:"usage"`
	Customers UsageTotal `json:"customers"`
}

func newUsageDoc(o *UsageOptions) *usageDoc {
	d := &usageDoc{
		Carrier: o.Carrier, Period: periodDoc{rfc3339(o.From), rfc3339(o.To), zoneName(o.Zone)}, Version: o.Version,
		Findings: []findingDoc{}, Missing: []string{}, Days: []usageDayDoc{}, Reports: []usageReportDoc{},
	}
	if o.Previous > 0 {
		d.Supersedes = &supersededDoc{o.Previous, o.PreviousManifest}
	}
	for _, day := range o.Days {
		if day.Report < 0 {
			d.Missing = append(d.Missing, day.Date)
			d.Days = append(d.Days, usageDayDoc{Date: day.Date})
			continue
		}
		d.Days = append(d.Days, usageDayDoc{day.Date, &o.Reports[day.Report].ID})
	}
	for _, r := range o.Reports {
		d.Reports = append(d.Reports, usageReportDoc{ID: r.ID, Period: r.Period, Version: r.Version, Manifest: r.Manifest, Whole: r.Whole})
	}
	return d
}

func (d *usageDoc) find(code, text string) {
	d.Findings = append(d.Findings, findingDoc{Code: code, Text: text})
}

// summary writes summary.json, when the figures tie out.
func (w *usageWriter) summary(context.Context) error {
	d := w.doc
	d.TieOut.Usage = d.Totals
	if d.TieOut.Reports != d.Totals || d.TieOut.Customers != d.Totals {
		return fmt.Errorf("%w: the reports come to %+v, the usage to %+v, the customers to %+v", ErrTieOut, d.TieOut.Reports, d.Totals, d.TieOut.Customers)
	}
	d.TieOut.Agrees = true
	if n := len(d.Missing); n > 0 {
		d.find("missing_days", fmt.Sprintf("%d of %d days have no report, and nothing of them is in here: %s", n, len(d.Days), strings.Join(d.Missing, ", ")))
	}
	if n := w.opts.Astray; n > 0 {
		d.find("other_days", fmt.Sprintf("%d reports have a part in the period and cover no whole day of it in %s; if they should count, give their job and this one the same zone", n, zoneName(w.opts.Zone)))
	}
	if w.pending > 0 {
		d.find("pending_calls", fmt.Sprintf("%d calls still wait for the other side's record; what is used may change when it comes", w.pending))
	}
	return w.folder.writeJSON(summaryFile, d)
}
