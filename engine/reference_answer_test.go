package engine_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"concord/engine"
)

// A place is where a record stands in its side.
type place struct {
	file int
	row  int64
}

// A verdict is what a run says of one row.
type verdict struct {
	side    engine.Side
	place   place
	id      string
	class   engine.Class
	pass    engine.Pass
	partner *place
	flags   engine.Flags // of its case, when the case is a discrepancy
	carrier []place      // the carrier's records of its case, likewise
}

// usageKey names one line of the usage.
type usageKey struct {
	tenant, date, callType string
	direction              engine.Direction
}

// An answer is everything that a run decides, from the reference or the
// engine, in a form that can be compared.
type answer struct {
	offset          time.Duration
	offsetPairs     int64
	verdicts        []verdict
	classes         [2][engine.NumClasses]engine.Tally
	discrepancies   [engine.NumClasses]int64
	files           [2][]engine.FileTally
	roundingMS      int64
	totals          engine.Balance
	unassigned      engine.Tally
	days, countries map[string]engine.Balance
	usage           map[usageKey]engine.UsageRow
	// usageRows and userRows are the engine's own rows, country and all.
	usageRows, userRows []engine.UsageRow
	scratchFiles        int              // that the engine made
	findings            []engine.Finding // of the engine
}

func (a *answer) fill(w *world, all [2][]*record, pairs []*pair) {
	for side := range all {
		a.fillVerdicts(w, engine.Side(side), all[side])
		for _, r := range all[side] {
			add(&a.classes[side][r.class], r.DurationMS)
			if r.pair == nil && r.class.Discrepancy() {
				a.discrepancies[r.class]++
			}
		}
	}
	for _, p := range pairs {
		a.roundingMS += roundedBy(w.rules, p)
		if p.m.class.Discrepancy() {
			a.discrepancies[p.m.class]++
		}
	}
	a.fillTotals(w, all)
	a.fillUsage(w, all[engine.Microsoft])
	a.fillUnassigned(w, all)
}

func add(t *engine.Tally, ms int64) { t.Records, t.MS = t.Records+1, t.MS+ms }

// fillVerdicts says what became of each row, unreadable ones included.
func (a *answer) fillVerdicts(w *world, side engine.Side, records []*record) {
	for f, rows := range w.sides[side] {
		tally := engine.FileTally{Rows: int64(len(rows))}
		for i, r := range rows {
			if r.bad {
				tally.Rejected++
				a.classes[side][engine.Invalid].Records++
				a.discrepancies[engine.Invalid]++
				a.verdicts = append(a.verdicts, verdict{side: side, place: place{f, int64(i + 1)}, id: r.RecordID, class: engine.Invalid})
				continue
			}
			tally.Accepted++
			tally.MS += r.DurationMS
		}
		a.files[side] = append(a.files[side], tally)
	}
	for _, r := range records {
		a.verdicts = append(a.verdicts, verdictOf(w, r))
	}
	slices.SortStableFunc(a.verdicts, func(x, y verdict) int {
		return cmp.Or(cmp.Compare(x.side, y.side), cmp.Compare(x.place.file, y.place.file), cmp.Compare(x.place.row, y.place.row))
	})
}

func (r *record) place() *place { return &place{r.file, r.Row} }

func verdictOf(w *world, r *record) verdict {
	v := verdict{side: r.side, place: *r.place(), id: r.RecordID, class: r.class}
	if r.class.Discrepancy() && r.ClockUntrusted {
		v.flags = engine.ClockUntrusted
	}
	if r.class.Discrepancy() && r.pair == nil && w.onUnassigned(r) {
		v.flags |= engine.UnassignedNumber
	}
	if r.pair == nil || r.class == engine.OutsidePeriod {
		return v
	}
	v.pass, v.partner = r.pair.pass, r.pair.m.place()
	switch r {
	case r.pair.m:
		v.partner = r.pair.segments[0].place()
	case r.pair.segments[0]:
	default:
		v.pass = engine.PassSplit
	}
	if r.class.Discrepancy() {
		v.flags = caseFlags(w, r.pair)
		for _, c := range r.pair.segments {
			v.carrier = append(v.carrier, *c.place())
		}
	}
	return v
}

// fillTotals is the totals verdict of section 7.
func (a *answer) fillTotals(w *world, all [2][]*record) {
	a.days, a.countries = map[string]engine.Balance{}, map[string]engine.Balance{}
	for side := range all {
		for _, r := range all[side] {
			if !r.class.Paired() && r.class != engine.MissingAtCarrier && r.class != engine.MissingAtMicrosoft {
				continue
			}
			of := r
			if r.pair != nil {
				of = r.pair.m
			}
			addTo(&a.totals, r)
			addToNamed(a.days, w.day(of.at), r)
			addToNamed(a.countries, country(of.Callee), r)
		}
	}
	a.totals.Verdict = totalsVerdict(w.rules, a.totals)
	for _, named := range []map[string]engine.Balance{a.days, a.countries} {
		for name, b := range named {
			b.Verdict = totalsVerdict(w.rules, b)
			named[name] = b
		}
	}
}

func addTo(b *engine.Balance, r *record) {
	if r.side == engine.Microsoft {
		add(&b.Microsoft, r.DurationMS)
	} else {
		add(&b.Carrier, r.DurationMS)
	}
}

func addToNamed(named map[string]engine.Balance, name string, r *record) {
	b := named[name]
	addTo(&b, r)
	named[name] = b
}

func (w *world) day(at int64) string {
	zone := w.rules.Zone
	if zone == nil {
		zone = time.UTC
	}
	return time.UnixMicro(at).In(zone).Format(time.DateOnly)
}

// country knows only the countries that the tests call. A hidden number has
// none.
func country(n engine.Number) string {
	if n.E164Digits() == 0 {
		return ""
	}
	for prefix, iso := range map[string]string{"+49": "DE", "+33": "FR", "+31": "NL"} {
		if strings.HasPrefix(n.Full(), prefix) {
			return iso
		}
	}
	return ""
}

func totalsVerdict(rules engine.Rules, b engine.Balance) engine.TotalsVerdict {
	difference, whole := abs(b.Carrier.MS-b.Microsoft.MS)*1_000_000, b.Microsoft.MS
	switch {
	case difference == 0 && whole == 0:
		return engine.TotalsOK
	case difference >= rules.DisputeAt*whole:
		return engine.TotalsDispute
	case difference >= rules.WarnAt*whole:
		return engine.TotalsWarning
	}
	return engine.TotalsOK
}

// fillUsage sums Microsoft's calls in the period. What is used of a pair is
// the carrier's duration where both agree.
func (a *answer) fillUsage(w *world, ms []*record) {
	a.usage = map[usageKey]engine.UsageRow{}
	for _, m := range ms {
		if m.repeat || m.class == engine.OutsidePeriod {
			continue
		}
		key := usageKey{m.TenantID, w.day(m.at), m.CallType, m.Direction}
		u := a.usage[key]
		u.Calls++
		u.MicrosoftMS += m.DurationMS
		used := m.DurationMS
		if m.pair != nil {
			u.CarrierMS += m.pair.carrierMS()
			if agree(w.rules, m.DurationMS, m.pair.carrierMS()) != "" {
				used = m.pair.carrierMS()
			}
		}
		u.UsedMS += used
		if m.Source == engine.SourceOperator {
			u.OperatorSourcedCalls++
		}
		a.usage[key] = u
	}
}

// lines writes the answer for a person to compare, a fact a line.
func (a *answer) lines() (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	say("clock offset %v on %d pairs", a.offset, a.offsetPairs)
	for _, v := range a.verdicts {
		say("%s", v.line())
	}
	for side := range a.classes {
		for class, t := range a.classes[side] {
			if t.Records > 0 {
				say("%v %v: %+v", engine.Side(side), engine.Class(class), t)
			}
		}
		say("%v files: %+v", engine.Side(side), a.files[side])
	}
	for class, n := range a.discrepancies {
		if n > 0 {
			say("cases of %v: %d", engine.Class(class), n)
		}
	}
	say("totals %+v, %d ms by rounding alone", a.totals, a.roundingMS)
	say("on unassigned numbers %+v", a.unassigned)
	out = append(out, sortedLines("day", a.days)...)
	out = append(out, sortedLines("country", a.countries)...)
	return append(out, sortedLines("usage", a.usage)...)
}

func sortedLines[K comparable, V any](label string, m map[K]V) (out []string) {
	for k, v := range m {
		out = append(out, fmt.Sprintf("%s %+v: %+v", label, k, v))
	}
	slices.Sort(out)
	return out
}

func (v verdict) line() string {
	s := fmt.Sprintf("%v %d:%d %q %v %v", v.side, v.place.file, v.place.row, v.id, v.class, v.pass)
	if v.partner != nil {
		s += fmt.Sprintf(" with %d:%d", v.partner.file, v.partner.row)
	}
	if v.flags != 0 {
		s += " flags " + v.flags.String()
	}
	if v.carrier != nil {
		s += fmt.Sprint(" carrier ", v.carrier)
	}
	return s
}
