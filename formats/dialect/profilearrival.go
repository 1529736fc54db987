package dialect

import (
	"slices"
	"time"

	"concord/formats/yamltree"
)

const (
	defaultQuiet = time.Minute
	mostQuiet    = 24 * time.Hour
)

// checkArrival judges together what says how files arrive.
func (r *profileReader) checkArrival(v *yamltree.Node) {
	f := &r.p.Files
	quiet, given := v.Get("quiet")
	switch {
	case f.Policy == PolicyQuiet && !given:
		f.Quiet = defaultQuiet
	case f.Policy != PolicyQuiet && given && quiet.Kind != yamltree.Broken:
		quiet.Report("has no meaning for policy: %s; add policy: quiet, or remove it", f.Policy)
	}
	if c, ok := v.Get("corrections"); ok {
		r.checkCorrections(v, c)
	}
}

// checkCorrections sees that a correction has a number, and a name by which it
// can be told from other files.
func (r *profileReader) checkCorrections(v, c *yamltree.Node) {
	f := &r.p.Files
	if f.Corrections.IsZero() && !f.ReuseCorrects {
		return // reported
	}
	switch _, given := v.Get("pattern"); {
	case !given:
		v.ReportAt("pattern", "required: a correction is of a sequence number; write {seq} into the pattern of the names")
	case f.Pattern.IsZero(): // reported
	case !f.Pattern.HasSeq():
		c.Report("files.pattern has no {seq}; a correction is of a sequence number")
	case f.ReuseCorrects:
	case !f.Corrections.HasSeq():
		c.Report("has no {seq}; write it where the number is of the file to be corrected")
	case f.Corrections.fits(f.Pattern):
		c.Report("every name of files.pattern fits it, too; write what only corrections have in their names")
	}
}

// readCorrections returns how corrections are named, or that every reuse is one.
func readCorrections(y *yamltree.Node) (n NamePattern, reuse bool) {
	if y.Kind == yamltree.Text && y.Text == "any" {
		return n, true
	}
	return readPattern(y), false
}

func readPolicy(y *yamltree.Node) Policy {
	if i := slices.Index(policyNames(), y.OneOf(policyNames()...)); i > 0 {
		return Policy(i)
	}
	return PolicyClose
}

func readQuiet(y *yamltree.Node) time.Duration {
	before := y.Doc().Faults()
	d := y.Duration("60s")
	if y.Doc().Faults() == before && (d <= 0 || d > mostQuiet) {
		y.Report("%s is no time to wait; write one from 1s to 24h, such as 60s", d)
		return 0
	}
	return d
}
