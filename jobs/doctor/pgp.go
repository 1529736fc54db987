package doctor

import (
	"strings"
	"time"
)

// ahead is how long before its end a key is told of.
const ahead = 30 * 24 * time.Hour

// pgp sees whether the keys of PGP do what they are there for.
func (o *Options) pgp() Finding {
	const what = "PGP"
	if list := o.Config.PGPTrouble(o.Now()); len(list) > 0 {
		return bad(what, "what goes to these carriers waits until then", "%s", strings.Join(list, "; "))
	}
	if list := o.Config.PGPTrouble(o.Now().Add(ahead)); len(list) > 0 {
		return bad(what, "put new ones into the configuration in time", "within 30 days: %s", strings.Join(list, "; "))
	}
	if o.Config.PGP == nil {
		return ok(what, "there is no key of ours: files that are encrypted with PGP are rejected")
	}
	return ok(what, "carriers encrypt to %s", strings.Join(o.Config.PGP.Fingerprints(), " or "))
}
