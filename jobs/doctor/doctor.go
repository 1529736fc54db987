// Package doctor looks at everything that a service needs, without changing
// what it works on, and says of each thing whether it is well and what to do if
// it is not. It works beside a running service and without one.
//
// The one thing that it writes is a row of the audit trail, which proves that
// the database takes writes, and files that it removes again at once. Hosts of
// others are asked only when that is wanted. No finding holds a secret or a
// phone number.
package doctor

import (
	"context"
	"fmt"
	"time"

	"concord/jobs/config"
)

// Level says how bad a finding is.
type Level string

// Levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, and yet something should be done
	Problem Level = "problem" // it does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	What  string `json:"what"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"` // what to do; empty when it is well
}

func ok(what, format string, args ...any) Finding {
	return Finding{What: what, Level: OK, Text: fmt.Sprintf(format, args...)}
}

func warn(what, hint, format string, args ...any) Finding {
	return Finding{What: what, Level: Warning, Text: fmt.Sprintf(format, args...), Hint: hint}
}

func bad(what, hint, format string, args ...any) Finding {
	return Finding{What: what, Level: Problem, Text: fmt.Sprintf(format, args...), Hint: hint}
}

// Options say what to look at.
type Options struct {
	Config *config.Config
	// Reports is the folder of reports.
	Reports string
	// Who is named in the audit trail.
	Who string
	// Running says that a service works on the data folder.
	Running bool
	// Hosts asks the carriers' own hosts, Microsoft's and the webhook too.
	Hosts bool
	Now   func() time.Time
}

// Examine looks at everything, in the order in which one thing needs another.
func Examine(ctx context.Context, o Options) []Finding {
	all := append(o.configuration(), o.zones()...)
	all = append(all, o.folders()...)
	all = append(all, o.encryption(), o.pgp())
	all = append(all, o.database(ctx)...)
	all = append(all, o.hostKeys(), o.port(ctx, "SFTP", o.Config.SFTP.Listen), o.port(ctx, "HTTP", o.Config.HTTP.Listen))
	all = append(all, o.microsoft()...)
	all = append(all, o.microsoftHosts(ctx)...)
	all = append(all, o.carriers(ctx)...)
	return append(all, o.webhook(ctx))
}

// configuration was read, with everything that it names.
func (o *Options) configuration() []Finding {
	const what = "configuration"
	c := o.Config
	var profiles int
	for _, x := range c.Carriers {
		if x.Profile != nil {
			profiles++
		}
	}
	all := []Finding{ok(what, "%s is good; it has %d carriers, %d of them with a profile, and %d jobs", c.File, len(c.Carriers), profiles, len(c.Jobs))}
	for _, n := range c.Notes {
		all = append(all, warn(what, "change it unless it is meant", "%v", n))
	}
	return all
}
