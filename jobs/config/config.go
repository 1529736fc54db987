// Package config reads what the service is to do: one strict YAML file, which
// CONFIG.md describes, the carriers' profiles that it names, and files of keys
// and secrets. Nothing is started, made or changed.
//
// Load tells everything that is wrong at once, each fault with its file, its
// line and the path of the setting as it was typed. What it returns is whole and
// checked: a service need not look at a setting again. A Config is not changed
// once loaded; a reload loads another one, and Diff says what differs and what
// of it needs a restart.
package config

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/exchange/pgp"
	"concord/exchange/sftpc"
	"concord/exchange/sftpd"
	"concord/formats/dialect"
	"concord/formats/yamltree"
	"concord/jobs/schedule"

	"golang.org/x/crypto/ssh"
)

// Config is one configuration. Paths are absolute.
type Config struct {
	File     string // as Load was given it
	Data     string // the folder of everything on disk
	Database Secret // URL of a PostgreSQL; empty: SQLite in Data
	// Encryption is what files below Data are encrypted with; nil: they are in
	// clear.
	Encryption *atrest.Keys
	// PGP are our own keys, to which carriers encrypt; nil: there are none.
	PGP  *pgp.Private
	SFTP SFTP
	HTTP HTTP
	// CarrierHTTP is the server for carriers that use HTTP. It has no tokens
	// of its own.
	CarrierHTTP HTTP
	Webhook     *Webhook // that is told of alerts; nil: none is
	Microsoft   string   // the folder of Microsoft's files, one subfolder a carrier
	Numbers     string   // the folder of listings of several carriers' numbers; empty: there is none
	Calls       string   // the folder of call records and quality of several carriers; empty: there is none
	Graph       []*Graph // tenants whose records come from Microsoft Graph
	// MicrosoftHosts are SFTP hosts from which Microsoft's files are taken.
	MicrosoftHosts []*MicrosoftHost
	Runs           Runs
	PrivacyKey     Secret // makes pseudonyms of numbers that are erased; empty: none can be
	Carriers       []*Carrier
	Jobs           []*Job
	Retention      Retention // how long data is kept
	Users          []*User   // people who may log in to the console
	OIDC           *OIDC     // the provider by which others do; nil: none
	// Notes are what is allowed and yet hardly meant.
	Notes []*yamltree.Fault

	pgpSum string // of the text of PGP
}

// Runs are bounds of what is done at once.
type Runs struct {
	Workers    int   // runs at once in this service
	PerCarrier int   // of them of one carrier, over all services
	Memory     int64 // bytes that one run may hold
}

// SFTP is the server for carriers.
type SFTP struct {
	Listen   string // host:port; empty: no server
	Settings sftpd.Settings
}

// HTTP is the server for people and programs.
type HTTP struct {
	Listen      string           // host:port; empty: no server
	TLS         *tls.Certificate // nil: none
	BehindProxy bool             // another server speaks TLS in front of it
	Tokens      []Token
}

// Role is what the holder of a token may do.
type Role string

// Roles.
const (
	Finance Role = "finance" // read, comment, sign off
	Ops     Role = "ops"     // run, pause, see files
	Admin   Role = "admin"   // everything
)

// Token lets a program in. The token itself is known to its holder only.
type Token struct {
	Name   string
	Person string // whose it is, as the console names them; empty: nobody's
	Role   Role
	SHA256 [32]byte
}

// Webhook is told of alerts, signed with the secret.
type Webhook struct {
	URL    Secret // who knows some of them may post there
	Secret Secret
}

// Carrier is one carrier: how it logs in or is reached, and what it sends.
type Carrier struct {
	Name         string           // of the login and of its folders
	ProfilePath  string           // empty: its files are canonical
	Profile      *dialect.Profile // nil: its files are canonical
	ProfileText  []byte           // as it was read
	Keys         []ssh.PublicKey
	Authorities  []ssh.PublicKey // whose certificates let in
	PasswordHash Secret          // empty: no passwords
	Tokens       []CarrierToken  // that let in over HTTP
	Terms        landing.Terms
	Host         *Host       // nil: it comes to us
	Expected     *Expected   // nil: whenever it likes
	PGP          *CarrierPGP // nil: nothing is encrypted with OpenPGP

	// Country is where it is, by ISO 3166; empty: its profile says, or nobody.
	Country string

	// Operators are what Microsoft's files call it: listings of numbers, and
	// those about several carriers.
	Operators []string

	ProfileSum string // SHA-256 of ProfileText, in hex; empty without one
}

// Account returns the carrier's way in.
func (c *Carrier) Account(home *landing.Home) sftpd.Account {
	return sftpd.Account{Name: c.Name, Keys: c.Keys, CAs: c.Authorities, Password: c.PasswordHash.Reveal(), Home: home}
}

// LogsIn reports whether the carrier has a way to log in here.
func (c *Carrier) LogsIn() bool {
	return len(c.Keys)+len(c.Authorities) > 0 || c.PasswordHash != ""
}

// Host is a carrier's own SFTP host.
type Host struct {
	Dial     sftpc.Config
	Inbox    string // the folder there in which the carrier leaves its files
	Done     string // the folder there for what was taken; empty: it is removed
	Receipts string // the folder there for receipts; empty: there are none
	Outbox   string // the folder there for what is in our outbox; empty: it stays

	Password Secret // as Dial gives it; empty: none
}

// Expected says when the file about a day is due.
type Expected struct {
	Hour, Minute int
	Zone         *time.Location
	Days         int // after the day that the file is about
}

// Due returns when the file about the day of a time is due. The day is that of
// Zone.
func (e *Expected) Due(day time.Time) time.Time {
	y, m, d := day.In(e.Zone).Date()
	return time.Date(y, m, d+e.Days, e.Hour, e.Minute, 0, 0, e.Zone)
}

// Job is work that is done by a schedule or when someone asks for it.
type Job struct {
	Name      string
	Kind      JobKind
	Schedule  *schedule.Schedule // nil: only when asked for
	Spec      string             // of the schedule, as typed
	Zone      *time.Location     // of Schedule and Period
	Carriers  []string           // empty: all, also those to come
	Period    schedule.Relative  // that a scheduled run is about; empty: the kind has none
	CatchUp   schedule.CatchUp
	CatchUpTo time.Duration // how old what was missed may be
	Attempts  int           // of one run
	Deadline  time.Duration // from the scheduled time until it is late; 0: it never is
	// LateFiles says that a file which changes what was reported leads to a
	// new version by itself, LateDelay how long that waits for further ones.
	LateFiles bool
	LateDelay time.Duration
	// MostRemoved is how many of a carrier's numbers, in per cent, a listing
	// may take away.
	MostRemoved int
	// Verdicts and Users ask for the files that are written on request only.
	Verdicts, Users bool
	// Deliver puts each version of a report into the outbox of its carrier.
	Deliver bool
}

// JobKind is what a job does.
type JobKind string

// Kinds of jobs.
const (
	Calls     JobKind = "calls"     // delivers to a carrier the calls of a period and their quality
	Collect   JobKind = "collect"   // takes complete files from inboxes and carriers' own hosts
	Numbers   JobKind = "numbers"   // delivers to a carrier its numbers and what changed
	Purge     JobKind = "purge"     // removes data whose time is over
	Reconcile JobKind = "reconcile" // matches a carrier's period and publishes a report
	Usage     JobKind = "usage"     // sums up the usage per customer from reports
)

// HasPeriod reports whether a run of the kind is about a time. One of the others
// takes what is there.
func (k JobKind) HasPeriod() bool { return k == Reconcile || k == Usage || k == Calls }

// NamesOf returns what Microsoft's files call a carrier: its name, its
// operators, and those that a tenant's calls have in Graph.
func (c *Config) NamesOf(carrier string) (names []string) {
	add := func(name string) {
		name = strings.ToLower(name)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(carrier)
	if x, ok := c.Carrier(carrier); ok {
		for _, o := range x.Operators {
			add(o)
		}
	}
	for _, g := range c.Graph {
		for operator, of := range g.Operators {
			if of == carrier {
				add(operator)
			}
		}
	}
	slices.Sort(names)
	return names
}

// OthersOf returns what Microsoft's records call all carriers but one.
func (c *Config) OthersOf(carrier string) (names []string) {
	own := c.NamesOf(carrier)
	for _, other := range c.Carriers {
		if other.Name != carrier {
			names = append(names, c.NamesOf(other.Name)...)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(own, n) })
}

// Carrier returns a carrier by its name.
func (c *Config) Carrier(name string) (*Carrier, bool) {
	i, ok := slices.BinarySearchFunc(c.Carriers, name, func(x *Carrier, n string) int { return strings.Compare(x.Name, n) })
	if !ok {
		return nil, false
	}
	return c.Carriers[i], true
}

// Job returns a job by its name.
func (c *Config) Job(name string) (*Job, bool) {
	i, ok := slices.BinarySearchFunc(c.Jobs, name, func(x *Job, n string) int { return strings.Compare(x.Name, n) })
	if !ok {
		return nil, false
	}
	return c.Jobs[i], true
}

// CarriersOf returns the carriers that a job is for.
func (c *Config) CarriersOf(j *Job) []*Carrier {
	if len(j.Carriers) == 0 {
		return c.Carriers
	}
	var all []*Carrier
	for _, name := range j.Carriers {
		if x, ok := c.Carrier(name); ok {
			all = append(all, x)
		}
	}
	return all
}

// Timetable returns when the jobs with a schedule are due.
func (c *Config) Timetable() []schedule.Job {
	var all []schedule.Job
	for _, j := range c.Jobs {
		if j.Schedule != nil {
			all = append(all, schedule.Job{Name: j.Name, Schedule: *j.Schedule, CatchUp: j.CatchUp, Window: j.CatchUpTo})
		}
	}
	return all
}
