package report

import (
	"fmt"

	"concord/engine"
	"concord/formats/report/page"
)

// ask is what a carrier is asked to do about cases of some classes. Adding up
// minutes over several asks would set calls that it lacks off against calls
// that it bills and nobody knows.
type ask struct {
	name, words string // words say what is asked; %s: of how many minutes
	counted     bool   // the cases are calls of one side at least, each once
	has         func(engine.Class) bool
	classes     []page.Class
}

// asks are in the order of what they cost the carrier. Every class that is in
// dispute belongs to the first that takes it.
func asks() []ask {
	return []ask{
		{name: "Billed and not accepted", counted: true, words: "Please credit this time, or show us that these calls took place and were as long: %s minutes.",
			has: func(c engine.Class) bool { return c == engine.DurationOver || c == engine.MissingAtMicrosoft }},
		{name: "Calls that you lack", counted: true, words: "Microsoft has these calls and your records do not; please send them: %s minutes.",
			has: func(c engine.Class) bool { return c == engine.MissingAtCarrier }},
		{name: "Records to correct", counted: true, words: "Both have the call, and your record should say something else; please check and correct it: %s minutes apart.",
			has: engine.Class.Paired},
		{name: "Rows to send anew", words: "These rows could not be read, or say something else about a record that you sent already. They are in no total: %s minutes.",
			has: ofOneFile},
	}
}

// askedFor sorts classes by what is asked about them; what is not asked for is
// left out.
func askedFor(classes []page.Class) (list []ask) {
	left := classes
	for _, a := range asks() {
		var others []page.Class
		for _, x := range left {
			if c, known := classOf(x.Name); known && a.has(c) {
				a.classes = append(a.classes, x)
			} else {
				others = append(others, x)
			}
		}
		if left = others; len(a.classes) > 0 {
			list = append(list, a)
		}
	}
	return list
}

// sum adds the classes of an ask up.
func (a *ask) sum() (all page.Class) {
	for _, c := range a.classes {
		all.Listed += c.Listed
		all.Microsoft.MS += c.Microsoft.MS
		all.Carrier.MS += c.Carrier.MS
	}
	return all
}

// says what is asked, and of how much.
func (a *ask) says() string {
	all := a.sum()
	ms := all.Carrier.MS - all.Microsoft.MS
	return fmt.Sprintf("%s, %s: ", a.name, page.Counted(all.Listed, "case", "cases")) + fmt.Sprintf(a.words, page.Minutes(max(ms, -ms)))
}
