package control

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"concord/formats/report"
	"concord/jobs"
)

// Summary is what summary.json of a report says, as formats/report/REPORTS.md
// describes it.
type Summary struct {
	Carrier string `json:"carrier"`
	Period  *struct {
		From string `json:"from_utc"`
		To   string `json:"to_utc"`
		Zone string `json:"zone"`
	} `json:"period"`
	Totals   Balance `json:"totals"`
	Rounding int64   `json:"rounding_explained_milliseconds"`
	Findings []struct {
		Code string `json:"code"`
		Text string `json:"text"`
	} `json:"findings"`
	Classes   []ClassTotal   `json:"classes"`
	Days      []Balance      `json:"days"`
	Countries []Balance      `json:"countries"`
	TieOut    TieOut         `json:"tie_out"`
	Inputs    []SummaryInput `json:"inputs"`
	Settings  map[string]any `json:"settings"`
}

// Amount counts records and their durations.
type Amount struct {
	Records int64 `json:"records"`
	MS      int64 `json:"milliseconds"`
}

// Balance is what both sides have of something.
type Balance struct {
	Name         string       `json:"name"` // of a day or a country
	Microsoft    Amount       `json:"microsoft"`
	Carrier      Amount       `json:"carrier"`
	DifferenceMS int64        `json:"difference_milliseconds"`
	Percent      *json.Number `json:"difference_percent"`
	Verdict      string       `json:"verdict"`
}

// ClassTotal is what both sides have in one class.
type ClassTotal struct {
	Class     string `json:"class"`
	Action    string `json:"action"`
	Microsoft Amount `json:"microsoft"`
	Carrier   Amount `json:"carrier"`
	Listed    int64  `json:"discrepancies"`
}

// Counts reports whether the class is part of the totals.
func (c *ClassTotal) Counts() bool { return report.Counts(c.Class) }

// DifferenceMS is what the class adds to the difference of the totals.
func (c *ClassTotal) DifferenceMS() int64 {
	if !c.Counts() {
		return 0
	}
	return c.Carrier.MS - c.Microsoft.MS
}

// TieOut says whether all that was read is in a class.
type TieOut struct {
	Agrees bool `json:"agrees"`
	Sides  []struct {
		Side     string `json:"side"`
		Rows     int64  `json:"rows"`
		Accepted int64  `json:"accepted"`
		Rejected int64  `json:"rejected"`
		Read     Amount `json:"read"`
		Classed  Amount `json:"in_classes"`
	} `json:"sides"`
}

// SummaryInput is one file that was read.
type SummaryInput struct {
	Side      string      `json:"side"`
	Name      string      `json:"name"`
	SHA256    string      `json:"sha256"`
	Bytes     int64       `json:"bytes"`
	Format    string      `json:"format"`
	Rows      int64       `json:"rows"`
	FileRows  *int64      `json:"file_rows"`
	Accepted  int64       `json:"accepted"`
	Rejected  int64       `json:"rejected"`
	Filtered  int64       `json:"filtered"`
	Seconds   json.Number `json:"seconds"`
	Integrity string      `json:"integrity"`
	Notes     []string    `json:"notes"`
}

const maxSummary = 64 << 20 // bytes

// Summary returns what a report sums up. It holds no number: names of files are
// masked.
func (d *Desk) Summary(ctx context.Context, id string) (s *Summary, err error) {
	f, _, err := d.find(ctx, id, "summary.json")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s = &Summary{}
	if err := json.NewDecoder(io.LimitReader(f, maxSummary)).Decode(s); err != nil {
		return nil, fmt.Errorf("read the summary of report %s: %w", id, err)
	}
	for i := range s.Inputs {
		s.Inputs[i].Name = jobs.Mask(s.Inputs[i].Name)
		for j := range s.Inputs[i].Notes {
			s.Inputs[i].Notes[j] = jobs.Mask(s.Inputs[i].Notes[j])
		}
	}
	return s, nil
}

// CustomerUsage is what one customer has used, as customers.csv has it: seconds
// are decimals.
type CustomerUsage struct {
	Tenant           string
	Calls            int64
	MicrosoftSeconds json.Number
	CarrierSeconds   json.Number
	UsedSeconds      json.Number
	OperatorSourced  int64
}

// customerColumns are those of customers.csv.
const customerColumns = 7

// Customers returns the first customers of a usage.
func (d *Desk) Customers(ctx context.Context, id string, most int) (list []CustomerUsage, err error) {
	f, _, err := d.find(ctx, id, "customers.csv")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(bufio.NewReader(f))
	r.FieldsPerRecord, r.ReuseRecord = customerColumns, true
	if _, err := r.Read(); err != nil {
		return nil, fmt.Errorf("read the customers of report %s: %w", id, err)
	}
	for len(list) < most {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var x CustomerUsage
		if err == nil {
			x, err = customerOf(row)
		}
		if err != nil {
			return nil, fmt.Errorf("read the customers of report %s: %w", id, err)
		}
		list = append(list, x)
	}
	return list, nil
}

func customerOf(row []string) (CustomerUsage, error) {
	calls, err1 := strconv.ParseInt(row[2], 10, 64)
	sourced, err2 := strconv.ParseInt(row[6], 10, 64)
	return CustomerUsage{
		Tenant: jobs.Mask(row[1]), Calls: calls, OperatorSourced: sourced,
		MicrosoftSeconds: json.Number(row[3]), CarrierSeconds: json.Number(row[4]), UsedSeconds: json.Number(row[5]),
	}, errors.Join(err1, err2)
}

// Question asks for discrepancies of a report.
type Question struct {
	Report string
	report.Question
	// Unmask shows numbers. It is noted before they are handed out; the caller
	// has seen to it that By may have them.
	Unmask bool
	By     By
}

// Discrepancies returns discrepancies of a report, with masked numbers unless
// Unmask asks for them.
func (d *Desk) Discrepancies(ctx context.Context, q Question) (a report.Answer, err error) {
	f, size, err := d.find(ctx, q.Report, "discrepancies.parquet")
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c, err := report.OpenCases(f, size)
	if err != nil {
		return a, fmt.Errorf("report %s: %w", q.Report, err)
	}
	if !q.Order.Known() {
		return a, refuse(Invalid, nil, "order: there is none like that; order by start, effect, microsoft or carrier")
	}
	if q.Order != report.ByStart && q.Offset+q.Limit > report.MostOrdered {
		return a, refuse(Invalid, nil, "only the first %d can be shown in this order; narrow the filter, or order by start", report.MostOrdered)
	}
	q.Shown, q.ShownNumber = jobs.Mask, maskNumber
	if a, err = c.Find(ctx, q.Question); err != nil {
		return report.Answer{}, fmt.Errorf("report %s: %w", q.Report, err)
	}
	if q.Unmask && len(a.Rows) > 0 {
		return a, d.note(ctx, q.By, "number.unmask", q.Report, unmasked(a.Rows))
	}
	for i := range a.Rows {
		mask(&a.Rows[i])
	}
	return a, nil
}

// unmasked says which cases' numbers were shown.
func unmasked(rows []report.Discrepancy) string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return strings.Join(ids, " ")
}

// mask hides numbers, also where a carrier has put them into an id.
func mask(d *report.Discrepancy) {
	d.Caller, d.Callee = maskNumber(d.Caller), maskNumber(d.Callee)
	for _, s := range []*string{&d.MicrosoftID, &d.CarrierIDs, &d.CorrelationID, &d.TenantID, &d.MicrosoftFile, &d.CarrierFile} {
		*s = jobs.Mask(*s)
	}
}

// shownDigits is how many digits a masked number shows.
const shownDigits = 4

// maskNumber is what is shown in a number's place to who may not see it: of one
// of more than six digits the last four, of others nothing.
func maskNumber(s string) string {
	if s == "" {
		return ""
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	if len(digits) <= shownDigits+2 {
		return "…"
	}
	return "…" + digits[len(digits)-shownDigits:]
}

// CaseEvidence is one case of a report with what became of it.
type CaseEvidence struct {
	report.Discrepancy
	Report  Report
	History []CaseEvent // in versions of the same period, the newest first
	// MicrosoftInput and CarrierInput are the files that hold its records, as
	// far as they are known by name; their ids are empty otherwise.
	MicrosoftInput, CarrierInput Input
}

// CaseEvent is what became of a case in a version.
type CaseEvent struct {
	Report  string
	Version int
	Change
}

// CaseEvidence returns one case of a report, with masked numbers unless unmask asks for
// them.
func (d *Desk) CaseEvidence(ctx context.Context, id, caseID string, unmask bool, by By) (x CaseEvidence, err error) {
	rep, err := d.Report(ctx, id)
	if err != nil {
		return x, err
	}
	a, err := d.Discrepancies(ctx, Question{Report: id, Question: report.Question{Case: caseID, Limit: 1}, Unmask: unmask, By: by})
	if err != nil {
		return x, err
	}
	if len(a.Rows) == 0 {
		return x, refuse(NotFound, nil, "report %s has no case %s; another version may have it", id, jobs.Mask(caseID))
	}
	x.Discrepancy, x.Report = a.Rows[0], rep.Report
	for _, in := range rep.Inputs {
		switch {
		case in.Role == "microsoft" && in.Name == jobs.Mask(x.MicrosoftFile):
			x.MicrosoftInput = in
		case in.Role == "carrier" && in.Name == jobs.Mask(x.CarrierFile):
			x.CarrierInput = in
		}
	}
	events, err := d.Archive.Cases(ctx, jobs.CaseFilter{Carrier: rep.Carrier, CaseID: caseID})
	for _, e := range events {
		if !slices.ContainsFunc(rep.Versions, func(v Report) bool { return v.ID == e.Report }) {
			continue // a day and its month have the same call
		}
		x.History = append(x.History, CaseEvent{Report: e.Report, Version: e.Version, Change: changeOf(e)})
	}
	return x, err
}
