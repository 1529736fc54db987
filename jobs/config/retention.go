package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/formats/dialect"
	"concord/formats/yamltree"
	"concord/jobs/schedule"
)

// Retained are the classes of data that are kept for a time, in the order in
// which they are purged: what others are made of goes last.
var Retained = []string{"deliveries", "reports", "cases", "records", "raw", "logs"}

// Retention says how long data is kept. Its zero value keeps everything.
type Retention struct {
	keep      map[string]Keep
	countries map[string]map[string]Keep // by country and class
}

// Keep is a rule of how long a class of data is kept.
type Keep struct {
	Days int    // after the end of what the data is about; 0: for ever
	Text string // where the rule is and what it says, such as retention.records: 90d
}

// Set reports whether there is a rule for anything.
func (r *Retention) Set() bool { return len(r.keep)+len(r.countries) > 0 }

// Keep returns the rule for a class of data in a country: that of the country
// if it has one, else the general one. Without any it is kept for ever.
func (r *Retention) Keep(country, class string) Keep {
	if k, ok := r.countries[country][class]; ok {
		return k
	}
	return r.keep[class]
}

// Place returns the country whose rules hold for a carrier's data: its own
// setting, or else the one that its profile reads national numbers in; empty:
// only the general rules hold.
func (c *Carrier) Place() string {
	if c.Country == "" && c.Profile != nil {
		return c.Profile.Country()
	}
	return c.Country
}

func (r *reader) country(y *yamltree.Node) string {
	s, ok := y.Word("DE")
	if ok && !dialect.IsCountry(s) {
		y.Report("%q is no country; write its two letters in capitals, such as DE or GB", s)
	}
	return s
}

const exampleRetention = "{raw: 90d, records: 400d, countries: {DE: {raw: 30d}}}"

func (r *reader) retention(y *yamltree.Node) {
	if !y.IsObject(exampleRetention) {
		return
	}
	t := &r.c.Retention
	t.keep, t.countries = map[string]Keep{}, map[string]map[string]Keep{}
	set := keeps("retention", t.keep)
	set["countries"] = func(y *yamltree.Node) {
		if !y.IsObject("{DE: {raw: 30d}}") {
			return
		}
		for _, k := range y.Keys {
			if !dialect.IsCountry(k.Name) {
				k.Value.Report("%q is no country; write its two letters in capitals, such as DE or GB", k.Name)
				continue
			}
			if own := map[string]Keep{}; k.Value.IsObject("{raw: 30d}") {
				k.Value.Each(keeps("retention.countries."+k.Name, own))
				t.countries[k.Name] = own
			}
		}
	}
	y.Each(set)
}

// keeps are the settings of how long each class is kept.
func keeps(where string, into map[string]Keep) map[string]func(*yamltree.Node) {
	set := map[string]func(*yamltree.Node){}
	for _, class := range Retained {
		set[class] = func(y *yamltree.Node) {
			if days, ok := days(y); ok {
				into[class] = Keep{Days: days, Text: where + "." + class + ": " + y.Text}
			}
		}
	}
	return set
}

// mostDays is a hundred years.
const mostDays = 36_525

// days returns a number of days; 0 for ever.
func days(y *yamltree.Node) (int, bool) {
	s, ok := y.Word("90d, or forever")
	if !ok || s == "forever" {
		return 0, ok
	}
	number, isDays := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(number)
	if !isDays || err != nil || n < 1 || n > mostDays || number[0] == '+' {
		y.Report("%q is no length of time; write whole days such as 90d, from 1d to %dd, or forever", s, mostDays)
		return 0, false
	}
	return n, true
}

// checkRetention sees that nothing is purged that will still be read: a period
// that is reported late, caught up, or looked at again when pending calls need
// not be waited for any longer.
func (r *reader) checkRetention() {
	y, ok := r.root.Get("retention")
	if !ok {
		r.checkPurges()
		return
	}
	for _, c := range r.c.Carriers {
		for _, x := range []struct {
			class string
			kinds []JobKind
		}{ // a new version says what it changes of the one before
			{"records", []JobKind{Reconcile}}, {"reports", []JobKind{Reconcile, Usage}}, {"raw", []JobKind{Calls}}, {"deliveries", []JobKind{Calls}},
		} {
			least, why := r.least(c, x.kinds)
			if k := r.c.Retention.Keep(c.Place(), x.class); k.Days > 0 && k.Days < least {
				ruleAt(y, c.Place(), x.class).Report("is too short for %s: write %dd or more, because %s", c.Name, least, why)
			}
		}
	}
	for country := range r.c.Retention.countries {
		r.noteCountry(y, country)
	}
	if r.c.Retention.Set() && len(r.served(Purge)) == 0 {
		r.note(y, "no job of kind purge is there: nothing is removed; add one under jobs")
	}
}

// noteCountry notes rules for a country that no carrier is in.
func (r *reader) noteCountry(y *yamltree.Node, country string) {
	for _, c := range r.c.Carriers {
		if c.Place() == country {
			return
		}
	}
	all, _ := y.Get("countries")
	own, _ := all.Get(country)
	r.note(own, "no carrier is in this country: set country of those that are, or remove the rules")
}

// ruleAt is where the rule for a class in a country is.
func ruleAt(y *yamltree.Node, country, class string) *yamltree.Node {
	if all, ok := y.Get("countries"); ok {
		if own, ok := all.Get(country); ok {
			if rule, ok := own.Get(class); ok {
				return rule
			}
		}
	}
	rule, _ := y.Get(class)
	return rule
}

// checkPurges notes jobs that have nothing to do.
func (r *reader) checkPurges() {
	all, _ := r.root.Get("jobs")
	for _, j := range r.c.Jobs {
		if y, ok := all.Get(j.Name); ok && j.Kind == Purge {
			r.note(y, "there is no retention: it removes nothing; say under retention how long what is kept")
		}
	}
}

// least is for how many days what jobs of some kinds read of a carrier may still be
// read after the day that it is about, and by what.
func (r *reader) least(c *Carrier, kinds []JobKind) (least int, why string) {
	p := dialect.Canonical()
	if c.Profile != nil {
		p = c.Profile
	}
	late := p.Rules().LateWindow
	for _, j := range r.c.Jobs {
		if !slices.Contains(kinds, j.Kind) || len(j.Carriers) > 0 && !slices.Contains(j.Carriers, c.Name) {
			continue
		}
		span := 2 * day // the day itself, and until it is reported
		if j.Period == schedule.PreviousMonth {
			span = 62 * day
		}
		wait := late
		if j.Schedule != nil && j.CatchUp != schedule.None {
			wait = max(wait, j.CatchUpTo)
		}
		if n := int((span + wait + 2*day - time.Nanosecond) / day); n > least {
			least = n
			why = fmt.Sprintf("job %s reads them up to %d days later, and late_window and catch_up_window last up to %s", j.Name, span/day, wait)
		}
	}
	return least, why
}
