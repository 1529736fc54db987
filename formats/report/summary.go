package report

import (
	"context"
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"concord/engine"
)

// The types below are summary.json; REPORTS.md describes each field.

type summaryDoc struct {
	Carrier   string       `json:"carrier"`
	Period    *periodDoc   `json:"period"`
	AsOf      *string      `json:"as_of_utc"`
	Totals    balanceDoc   `json:"totals"`
	Rounding  int64        `json:"rounding_explained_milliseconds"`
	Clock     clockDoc     `json:"clock"`
	Findings  []findingDoc `json:"findings"`
	Classes   []classDoc   `json:"classes"`
	Days      []namedDoc   `json:"days"`
	Countries []namedDoc   `json:"countries"`
	TieOut    tieOutDoc    `json:"tie_out"`
	Inputs    []inputDoc   `json:"inputs"`
	Numbers   *numbersDoc  `json:"numbers,omitempty"`
	Settings  settingsDoc  `json:"settings"`
}

type periodDoc struct {
	From string `json:"from_utc"`
	To   string `json:"to_utc"`
	Zone string `json:"zone"`
}

type tallyDoc struct {
	Records int64 `json:"records"`
	MS      int64 `json:"milliseconds"`
}

type balanceDoc struct {
	Microsoft  tallyDoc     `json:"microsoft"`
	Carrier    tallyDoc     `json:"carrier"`
	Difference int64        `json:"difference_milliseconds"`
	Percent    *json.Number `json:"difference_percent"`
	Verdict    string       `json:"verdict"`
}

type namedDoc struct {
	Name string `json:"name"`
	balanceDoc
}

type clockDoc struct {
	Offset json.Number `json:"offset_seconds"`
	Pairs  int64       `json:"measured_on_pairs"`
}

type findingDoc struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Calls *tallyDoc `json:"calls,omitempty"`
}

type classDoc struct {
	Class     string   `json:"class"`
	Action    string   `json:"action"`
	Microsoft tallyDoc `json:"microsoft"`
	Carrier   tallyDoc `json:"carrier"`
	Listed    int64    `json:"discrepancies"`
}

type tieOutDoc struct {
	Agrees bool      `json:"agrees"`
	Sides  []sideDoc `json:"sides"`
}

type sideDoc struct {
	Side     string   `json:"side"`
	Rows     int64    `json:"rows"`
	Accepted int64    `json:"accepted"`
	Rejected int64    `json:"rejected"`
	Read     tallyDoc `json:"read"`
	Classed  tallyDoc `json:"in_classes"`
}

type inputDoc struct {
	Side      string      `json:"side"`
	Name      string      `json:"name"`
	SHA256    string      `json:"sha256"`
	Bytes     int64       `json:"bytes"`
	Format    string      `json:"format"`
	Rows      int64       `json:"rows"`
	FileRows  *int64      `json:"file_rows,omitempty"`
	Accepted  int64       `json:"accepted"`
	Rejected  int64       `json:"rejected"`
	Filtered  int64       `json:"filtered"`
	Seconds   json.Number `json:"seconds"`
	Integrity string      `json:"integrity"`
	Notes     []string    `json:"notes"`
	// Incomplete is absent unless the file tells of more that is not in it.
	Incomplete bool `json:"incomplete,omitempty"`
}

// What is known of whether a file is whole.
const (
	integrityVerified   = "verified"
	integrityUnverified = "unverified"
)

type numbersDoc struct {
	KnownFrom *string      `json:"known_from_utc"`
	Count     int64        `json:"count"`
	Listings  []listingDoc `json:"listings,omitempty"`
}

type listingDoc struct {
	Name     string `json:"name"`
	SHA256   string `json:"sha256"`
	AsOf     string `json:"as_of_utc"`
	Rows     int64  `json:"rows"`
	Rejected int64  `json:"rejected"`
}

type settingsDoc struct {
	Profile           *string     `json:"profile"`
	ClockOffset       string      `json:"clock_offset"`
	StartTolerance    string      `json:"start_tolerance"`
	IDWindow          string      `json:"id_window"`
	SplitGap          string      `json:"split_gap"`
	DurationTolerance string      `json:"duration_tolerance"`
	Rounding          string      `json:"rounding"`
	LateWindow        string      `json:"late_window"`
	Margin            string      `json:"margin"`
	WarnAt            json.Number `json:"warn_at_percent"`
	DisputeAt         json.Number `json:"dispute_at_percent"`
	PeriodZone        string      `json:"period_zone"`
	Numbers           string      `json:"numbers_sha256,omitempty"`
}

func (w *writer) summary(context.Context, Result) error {
	s := w.sum
	doc := summaryDoc{
		Carrier: s.Carrier, Period: periodOf(s, zoneName(w.opts.Rules.Zone)), AsOf: instantOf(s.AsOf),
		Totals: balanceOf(s.Totals), Rounding: s.RoundingExplainedMS,
		Clock:    clockDoc{decimal(appendMicros(nil, s.ClockOffset.Microseconds())), s.OffsetPairs},
		Findings: []findingDoc{}, Classes: classesOf(s),
		Days: namedOf(s.Days), Countries: namedOf(s.Countries),
		TieOut: tieOutOf(s), Inputs: w.inputs(), Settings: settingsOf(w.opts.Rules, w.opts.Profile),
	}
	if n := w.opts.Numbers; n != nil {
		doc.Numbers, doc.Settings.Numbers = numbersOf(n), n.SHA256
	}
	for _, f := range s.Findings {
		doc.Findings = append(doc.Findings, findingOf(f))
	}
	if text := roundingWords(s, w.opts.Rules.Rounding); text != "" {
		doc.Findings = append(doc.Findings, findingDoc{Code: "rounding", Text: text})
	}
	w.doc = doc
	return w.folder.writeJSON(summaryFile, doc)
}

func findingOf(f engine.Finding) findingDoc {
	d := findingDoc{Code: f.Code, Text: f.Text}
	if f.Calls.Records > 0 {
		calls := tallyDoc(f.Calls)
		d.Calls = &calls
	}
	return d
}

func numbersOf(n *Numbers) *numbersDoc {
	d := &numbersDoc{KnownFrom: instantOf(n.KnownFrom), Count: n.Count}
	for _, l := range n.Listings {
		d.Listings = append(d.Listings, listingDoc{l.Name, l.SHA256, rfc3339(l.AsOf), l.Rows, l.Rejected})
	}
	return d
}

func periodOf(s *engine.Summary, zone string) *periodDoc {
	if s.From.IsZero() && s.To.IsZero() {
		return nil
	}
	return &periodDoc{rfc3339(s.From), rfc3339(s.To), zone}
}

func instantOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := rfc3339(t)
	return &s
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func zoneName(z *time.Location) string {
	if z == nil {
		return "UTC"
	}
	return z.String()
}

func balanceOf(b engine.Balance) balanceDoc {
	return balanceDoc{
		Microsoft: tallyDoc(b.Microsoft), Carrier: tallyDoc(b.Carrier),
		Difference: b.DifferenceMS(), Percent: percent(b.DifferenceMS(), b.Microsoft.MS),
		Verdict: b.Verdict.String(),
	}
}

func namedOf(list []engine.Named) []namedDoc {
	docs := make([]namedDoc, len(list))
	for i, n := range list {
		docs[i] = namedDoc{n.Name, balanceOf(n.Balance)}
	}
	return docs
}

func classesOf(s *engine.Summary) []classDoc {
	docs := make([]classDoc, engine.NumClasses)
	for i := range docs {
		c := engine.Class(i)
		docs[i] = classDoc{
			Class: c.String(), Action: c.Action(), Listed: s.Discrepancies[c],
			Microsoft: tallyDoc(s.Classes[engine.Microsoft][c]), Carrier: tallyDoc(s.Classes[engine.Carrier][c]),
		}
	}
	return docs
}

func tieOutOf(s *engine.Summary) tieOutDoc {
	doc := tieOutDoc{Agrees: true}
	for _, side := range []engine.Side{engine.Microsoft, engine.Carrier} {
		d := sideDoc{Side: side.String()}
		for _, f := range s.Files[side] {
			d.Rows += f.Rows
			d.Accepted += f.Accepted
			d.Rejected += f.Rejected
		}
		read, classed := sideTotals(s, side)
		d.Read, d.Classed = tallyDoc(read), tallyDoc(classed)
		doc.Agrees = doc.Agrees && read == classed && d.Rows == d.Accepted+d.Rejected
		doc.Sides = append(doc.Sides, d)
	}
	return doc
}

func (w *writer) inputs() []inputDoc {
	docs := []inputDoc{}
	for side, files := range w.opts.Inputs {
		for i, f := range files {
			docs = append(docs, inputOf(engine.Side(side), f, w.sum.Files[side][i]))
		}
	}
	return docs
}

func inputOf(side engine.Side, f Input, t engine.FileTally) inputDoc {
	d := inputDoc{
		Side: side.String(), Name: f.Name, SHA256: f.SHA256, Bytes: f.Bytes, Format: f.Format,
		Rows: f.Rows, FileRows: f.FileRows, Accepted: t.Accepted, Rejected: t.Rejected, Filtered: f.Filtered,
		Seconds: decimal(appendSeconds(nil, t.MS)), Integrity: integrityUnverified, Notes: f.Notes, Incomplete: f.Incomplete,
	}
	if f.Verified {
		d.Integrity = integrityVerified
	}
	if d.Notes == nil {
		d.Notes = []string{}
	}
	return d
}

func settingsOf(r engine.Rules, profile string) settingsDoc {
	d := settingsDoc{
		ClockOffset: "auto", StartTolerance: r.StartTolerance.String(), IDWindow: r.IDWindow.String(),
		SplitGap: r.SplitGap.String(), DurationTolerance: r.DurationTolerance.String(), Rounding: r.Rounding.String(),
		LateWindow: r.LateWindow.String(), Margin: r.Margin.String(),
		WarnAt: partsPerMillion(r.WarnAt), DisputeAt: partsPerMillion(r.DisputeAt), PeriodZone: zoneName(r.Zone),
	}
	if !r.AutoOffset {
		d.ClockOffset = r.ClockOffset.String()
	}
	if profile != "" {
		d.Profile = &profile
	}
	return d
}

func decimal(b []byte) json.Number { return json.Number(b) }

// appendMicros appends microseconds as decimal seconds.
func appendMicros(b []byte, us int64) []byte {
	if us%1000 == 0 {
		return appendSeconds(b, us/1000)
	}
	return append(b, trimmed(new(big.Rat).SetFrac64(us, 1e6).FloatString(6))...)
}

// partsPerMillion writes a share as a percentage.
func partsPerMillion(ppm int64) json.Number {
	return json.Number(trimmed(new(big.Rat).SetFrac64(ppm, 10_000).FloatString(4)))
}

// percent writes part of whole as a percentage of four decimals, or nil when
// there is no whole.
func percent(part, whole int64) *json.Number {
	if whole == 0 {
		return nil
	}
	r := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(part), big.NewInt(100)), big.NewInt(whole))
	n := json.Number(trimmed(r.FloatString(4)))
	return &n
}

// trimmed takes trailing zeros off a decimal.
func trimmed(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}
