package control

import "concord/jobs/config"

// Right is what a role may have. The API and the console ask for the same ones.
type Right int

// Rights.
const (
	Look       Right = iota // everything but numbers, erasures and the audit trail
	Numbers                 // phone numbers, and files that may hold them
	Settle                  // work on cases, sign off, hold what is in dispute
	Operate                 // start, rerun, cancel, backfill, pause, resume
	Administer              // the audit trail, erasures, reload
)

// Has reports whether a role has a right.
func (r Right) Has(role config.Role) bool {
	switch r {
	case Look:
		return role == config.Finance || role == config.Ops || role == config.Admin
	case Numbers, Settle:
		return role == config.Finance || role == config.Admin
	case Operate:
		return role == config.Ops || role == config.Admin
	}
	return role == config.Admin
}

// Roles names the roles that have a right.
func (r Right) Roles() string {
	switch r {
	case Look:
		return "finance, ops or admin"
	case Numbers, Settle:
		return "finance or admin"
	case Operate:
		return "ops or admin"
	}
	return "admin"
}
