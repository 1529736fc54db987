package dialect

import (
	"slices"
	"time"
)

const (
	defaultQuiet = time.Minute
	mostQuiet    = 24 * time.Hour
)

// checkArrival judges together what says how files arrive.
func (r *profileReader) checkArrival(v yamlNode) {
	f := &r.p.Files
	quiet, given := v.get("quiet")
	switch {
	case f.Policy == PolicyQuiet && !given:
		f.Quiet = defaultQuiet
	case f.Policy != PolicyQuiet && given && quiet.kind != yamlBroken:
		quiet.report("has no meaning for policy: %s; add policy: quiet, or remove it", f.Policy)
	}
	if c, ok := v.get("corrections"); ok {
		r.checkCorrections(v, c)
	}
}

// checkCorrections sees that a correction has a number, and a name by which it
// can be told from other files.
func (r *profileReader) checkCorrections(v, c yamlNode) {
	f := &r.p.Files
	if f.Corrections.IsZero() && !f.ReuseCorrects {
		return // reported
	}
	switch _, given := v.get("pattern"); {
	case !given:
		v.reportAt("pattern", "required: a correction is of a sequence number; write {seq} into the pattern of the names")
	case f.Pattern.IsZero(): // reported
	case !f.Pattern.HasSeq():
		c.report("files.pattern has no {seq}; a correction is of a sequence number")
	case f.ReuseCorrects:
	case !f.Corrections.HasSeq():
		c.report("has no {seq}; write it where the number is of the file to be corrected")
	case f.Corrections.fits(f.Pattern):
		c.report("every name of files.pattern fits it, too; write what only corrections have in their names")
	}
}

// corrections returns how corrections are named, or that every reuse is one.
func (y *yamlNode) corrections() (n NamePattern, reuse bool) {
	if y.kind == yamlText && y.text == "any" {
		return n, true
	}
	return y.pattern(), false
}

func (y *yamlNode) policy() Policy {
	if i := slices.Index(policyNames(), y.oneOf(policyNames()...)); i > 0 {
		return Policy(i)
	}
	return PolicyClose
}

func (y *yamlNode) quiet() time.Duration {
	before := len(y.doc.problems)
	d := y.duration("60s")
	if len(y.doc.problems) == before && (d <= 0 || d > mostQuiet) {
		y.report("%s is no time to wait; write one from 1s to 24h, such as 60s", d)
		return 0
	}
	return d
}
