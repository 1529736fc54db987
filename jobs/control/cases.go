package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"concord/jobs"
	"concord/jobs/casework"

	"github.com/google/uuid"
)

// Book is what a desk needs of jobs.CaseBook, and of what it learns from.
type Book interface {
	casework.State
	ListCases(ctx context.Context, f jobs.CasesFilter) (list []jobs.Case, next string, err error)
	CaseTrail(ctx context.Context, f jobs.CasesFilter) (jobs.Case, []jobs.CaseNote, error)
	WorkOnCases(ctx context.Context, w jobs.CaseWork, now time.Time) (jobs.CaseWorkDone, error)
	AgeCases(ctx context.Context, f jobs.CasesFilter, bounds []time.Time) ([]jobs.CaseAge, error)
}

// Case is one discrepancy and what people have made of it. Durations of a side
// that has no call are 0.
type Case struct {
	ID           string     `json:"case"`
	Carrier      string     `json:"carrier"`
	Period       Period     `json:"period"`
	Class        string     `json:"class"`
	Start        *time.Time `json:"start_utc,omitempty"`
	MicrosoftMS  int64      `json:"microsoft_ms"`
	CarrierMS    int64      `json:"carrier_ms"`
	DifferenceMS int64      `json:"difference_ms"` // carrier less Microsoft, of a case that both have
	EffectMS     int64      `json:"effect_ms"`     // what it adds to the difference of the totals
	Present      bool       `json:"present"`       // in the newest version
	Since        time.Time  `json:"since"`         // it has been open
	State        string     `json:"state"`         // open, disputed, accepted or resolved
	Owner        string     `json:"owner,omitempty"`
	Revision     int64      `json:"revision"`
	Changed      *time.Time `json:"changed,omitempty"` // nil: nobody has worked on it
}

// CasePage is a part of a list of cases.
type CasePage struct {
	Cases []Case `json:"cases"`
	Next  string `json:"next,omitempty"`
	// Waiting are versions of which the list does not know yet, because their
	// files are not in their place or cannot be read.
	Waiting []string `json:"waiting,omitempty"`
}

// CaseDetail is one case with all that happened to it, the oldest first.
type CaseDetail struct {
	Case
	Trail []CaseNote `json:"trail"`
}

// CaseNote is one entry in a trail.
type CaseNote struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // empty: a version did it
	Work    string    `json:"work"`         // id; that of bulk work is with every case of it
	Before  string    `json:"before"`       // states
	After   string    `json:"after"`
	Owner   *string   `json:"owner,omitempty"` // nil: it stayed; empty: nobody
	Comment string    `json:"comment,omitempty"`
	Version int       `json:"version,omitempty"` // that did it
}

// CaseWork asks for work on all cases that a filter selects.
type CaseWork struct {
	Filter   jobs.CasesFilter
	State    string  // empty: it stays
	Owner    *string // nil: it stays; empty: nobody
	Comment  string
	Revision int64  // of the one case that is meant, as it was seen
	Expect   *int64 // how many cases are to be changed, as a dry run has said
	DryRun   bool
	Key      string // makes it a request that can be repeated
	By       By
}

// CaseWorkDone says what came of it, or would.
type CaseWorkDone struct {
	Work     string        `json:"work,omitempty"`      // id; empty: nothing was changed
	Matched  int64         `json:"matched"`             // cases that the filter selects
	Applied  jobs.CaseSums `json:"applied"`             // those that were changed: the others may not go there, or are there
	EffectMS *int64        `json:"effect_ms,omitempty"` // of those of a dry run
	Repeated bool          `json:"repeated"`            // it was done before, by the same key
	DryRun   bool          `json:"dry_run"`
}

// CaseAges count cases by state and age.
type CaseAges struct {
	At      time.Time `json:"at"`
	Buckets []CaseAge `json:"buckets"`
	Waiting []string  `json:"waiting,omitempty"`
}

// CaseAge are the cases of one state that have been open for so many days:
// OverDays or more, and less than UnderDays, where 0 is without end.
type CaseAge struct {
	State     string `json:"state"`
	OverDays  int    `json:"over_days"`
	UnderDays int    `json:"under_days,omitempty"`
	CaseSums
}

// ageBounds are the ends of the buckets, in days.
var ageBounds = []int{7, 30, 60, 90}

// daysAgo counts days of 24 hours: a case does not get older by a change of clocks.
func daysAgo(now time.Time, days int) time.Time { return now.UTC().AddDate(0, 0, -days) }

// OpenFor is the Before of a filter for the cases that CaseAges counts as open for
// so many days or more.
func OpenFor(now time.Time, days int) time.Time {
	return daysAgo(now, days).Add(time.Microsecond) // that of the very instant, too: times are kept in whole ones
}

func caseOf(c jobs.Case) Case {
	x := Case{
		ID: c.CaseID, Carrier: c.Carrier, Period: *periodOf(c.Period), Class: c.Class, MicrosoftMS: c.MicrosoftMS, CarrierMS: c.CarrierMS, DifferenceMS: c.DiffMS, EffectMS: effectOf(&c.CaseFacts),
		Present: c.Present, Since: utc(c.Since), State: string(c.State), Owner: jobs.Mask(c.Owner), Revision: c.Revision,
	}
	if !c.Start.IsZero() {
		x.Start = &c.Start
	}
	if !c.Changed.IsZero() {
		x.Changed = &c.Changed
	}
	return x
}

func caseNoteOf(n jobs.CaseNote) CaseNote {
	x := CaseNote{At: utc(n.At), By: n.By, Work: n.Action, Before: string(n.Before), After: string(n.After), Comment: jobs.Mask(n.Comment), Version: n.Version}
	if n.Owner != nil {
		masked := jobs.Mask(*n.Owner)
		x.Owner = &masked
	}
	return x
}

// Cases implements Operations.
func (d *Desk) Cases(ctx context.Context, f jobs.CasesFilter) (CasePage, error) {
	waiting, err := d.catchUp(ctx, f.Carrier)
	if err == nil {
		err = checkStates(f.States)
	}
	if err != nil {
		return CasePage{}, err
	}
	list, next, err := d.Book.ListCases(ctx, f)
	if err != nil {
		return CasePage{}, explain(err, "case", "to go on from")
	}
	return CasePage{Cases: each(list, caseOf), Next: next, Waiting: waiting}, nil
}

// Case implements Operations.
func (d *Desk) Case(ctx context.Context, id string, f jobs.CasesFilter) (CaseDetail, error) {
	if _, err := d.catchUp(ctx, f.Carrier); err != nil {
		return CaseDetail{}, err
	}
	c, notes, err := d.Book.CaseTrail(ctx, jobs.CasesFilter{Carrier: f.Carrier, Period: f.Period, Cases: []string{id}})
	if err != nil {
		return CaseDetail{}, explain(err, "case", id)
	}
	return CaseDetail{Case: caseOf(c), Trail: each(notes, caseNoteOf)}, nil
}

// Bounds of what is asked for.
const (
	maxComment   = 2000
	maxOwner     = 100
	maxCaseNames = 1000
)

// WorkOnCases implements Operations.
func (d *Desk) WorkOnCases(ctx context.Context, w CaseWork) (CaseWorkDone, error) {
	if err := w.check(); err != nil {
		return CaseWorkDone{}, err
	}
	if err := d.readable(ctx, w.Filter); err != nil {
		return CaseWorkDone{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return CaseWorkDone{}, err
	}
	x := jobs.CaseWork{
		ID: id.String(), By: string(w.By), Key: w.Key, Filter: w.Filter, To: jobs.CaseState(w.State), Owner: w.Owner, Comment: w.Comment,
		Revision: w.Revision, Expect: w.Expect, DryRun: w.DryRun,
	}
	done, err := d.noted(w.By, "cases.work", x.ID, w.inShort()).WorkOnCases(ctx, x, d.now())
	if err != nil {
		return CaseWorkDone{}, explain(err, "case", strings.Join(w.Filter.Cases, " "))
	}
	if done.Applied.Cases == 0 && w.Revision > 0 {
		return CaseWorkDone{}, refuse(Conflict, nil, "the case cannot become %s from the state that it is in, or it is no discrepancy any more", w.State)
	}
	out := CaseWorkDone{Work: done.ID, Matched: done.Matched, Applied: done.Applied, Repeated: done.Repeated, DryRun: w.DryRun}
	if w.DryRun {
		out.EffectMS, err = d.effectOfWork(ctx, x)
	}
	return out, err
}

func (w *CaseWork) check() error {
	f := &w.Filter
	var wrong []string
	refused := func(yes bool, format string, args ...any) {
		if yes {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	refused(w.State == "" && w.Owner == nil && w.Comment == "", "say what to do: a state, an owner or a comment")
	refused(w.State == string(jobs.CaseOpen) && w.Comment == "", "comment: say why what was decided is taken back")
	refused(f.Carrier == "" && f.Period == "" && f.From.IsZero() && f.To.IsZero() && len(f.Cases)+len(f.Classes)+len(f.States) == 0 && f.Owner == "" && !f.Unowned && f.Before.IsZero(),
		"name the cases: by carrier, period, class, state, owner, age or their ids")
	refused(w.Revision < 0 || w.Revision > 0 && len(f.Cases) != 1, "revision: name the one case that it is of")
	refused(len(f.Cases) > maxCaseNames, "cases: name %d at most, or select them by carrier, period and class", maxCaseNames)
	refused(!plain(w.Comment, maxComment, true), "comment: write up to %d signs of text", maxComment)
	refused(w.Owner != nil && !plain(*w.Owner, maxOwner, false), "owner: write up to %d signs of text in one line", maxOwner)
	for _, err := range []error{checkStates(f.States), checkState(w.State)} {
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return refuse(Invalid, nil, "%s", strings.Join(wrong, "; "))
	}
	return nil
}

// plain reports whether a text is one that people can read.
func plain(s string, most int, lines bool) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!lines || r != '\n' && r != '\t') })
}

func checkState(s string) error {
	if s == "" {
		return nil
	}
	return checkStates([]jobs.CaseState{jobs.CaseState(s)})
}

func checkStates(list []jobs.CaseState) error {
	for _, s := range list {
		if !slices.Contains(jobs.CaseStates, s) {
			return refuse(Invalid, nil, "a case is open, disputed, accepted or resolved, and not %q", s)
		}
	}
	return nil
}

// inShort says in the audit trail what was asked for. Comments stay in the trail
// of the cases.
func (w *CaseWork) inShort() string {
	var said []string
	put := func(yes bool, format string, args ...any) {
		if yes {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	f := &w.Filter
	put(w.State != "", "state %s", w.State)
	if w.Owner != nil {
		put(true, "owner %q", *w.Owner)
	}
	put(w.Comment != "", "a comment")
	put(true, "of cases")
	put(f.Carrier != "", "of %s", f.Carrier)
	put(f.Period != "", "of %s", f.Period)
	put(!f.From.IsZero() || !f.To.IsZero(), "from %s to %s", stamp(f.From), stamp(f.To))
	put(len(f.Classes) > 0, "of class %s", strings.Join(f.Classes, ", "))
	put(len(f.States) > 0, "that are %v", f.States)
	put(f.Owner != "", "of owner %q", f.Owner)
	put(f.Unowned, "of nobody")
	put(!f.Before.IsZero(), "open since before %s", stamp(f.Before))
	put(len(f.Cases) > 0, "named: %s", strings.Join(f.Cases[:min(len(f.Cases), 10)], ", "))
	put(len(f.Cases) > 10, "and %d more", len(f.Cases)-10)
	return jobs.Mask(strings.Join(said, " "))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "…"
	}
	return t.UTC().Format(time.RFC3339)
}

// CaseAges implements Operations.
func (d *Desk) CaseAges(ctx context.Context, f jobs.CasesFilter) (CaseAges, error) {
	waiting, err := d.catchUp(ctx, f.Carrier)
	if err == nil {
		err = checkStates(f.States)
	}
	if err != nil {
		return CaseAges{}, err
	}
	a := CaseAges{At: d.now().UTC(), Waiting: waiting, Buckets: []CaseAge{}}
	var bounds []time.Time
	for _, days := range ageBounds {
		bounds = append(bounds, daysAgo(a.At, days))
	}
	list, err := d.Book.AgeCases(ctx, f, bounds)
	if err != nil {
		return CaseAges{}, err
	}
	effects, err := d.effectsByAge(ctx, f, bounds)
	for _, x := range list {
		b := CaseAge{State: string(x.State), CaseSums: CaseSums{x.CaseSums, effects[ageSpot{x.State, x.Bucket}]}}
		if x.Bucket > 0 {
			b.OverDays = ageBounds[x.Bucket-1]
		}
		if x.Bucket < len(ageBounds) {
			b.UnderDays = ageBounds[x.Bucket]
		}
		a.Buckets = append(a.Buckets, b)
	}
	return a, err
}
