// Package accounts lets people in: it checks their passwords, or asks a provider
// of identities who they are, slows down who guesses, and keeps the sessions of
// those who are in.
//
// Who a session belongs to, and what that person may do, is asked of the
// configuration at each use: a session ends at once when its user is removed or
// gets another password, and has the role that the user has now. Sessions are
// in memory: they end with the service, and each service has its own. Tokens
// are known to browsers only; what is kept here is their hash. Every login,
// logout and refused password is a row of the audit trail.
package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/config"
)

// Options are what accounts work with. Config and Note are required.
type Options struct {
	Config func() *config.Config
	// Note appends to the audit trail. Who cannot be noted is not let in.
	Note func(ctx context.Context, row jobs.AuditRow) error
	Log  *slog.Logger     // nil: none
	Now  func() time.Time // nil: time.Now
}

// Accounts are safe for concurrent use.
type Accounts struct {
	Options
	guard    guard
	sessions sessions
	hashing  chan struct{} // bounds the passwords that are checked at once
	provider provider
	secret   string // by which likeOthers chooses
}

// hashesAtOnce bounds the memory of password checks.
const hashesAtOnce = 2

// New returns accounts without a session.
func New(o Options) *Accounts {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Accounts{Options: o, guard: newGuard(), sessions: newSessions(), hashing: make(chan struct{}, hashesAtOnce), secret: newToken()}
}

// Person is somebody who is logged in.
type Person struct {
	Name string
	Role config.Role
}

// ErrDenied says that name and password are not those of a user.
var ErrDenied = errors.New("the name or the password is wrong")

// WaitError says that there were too many wrong passwords of late.
type WaitError struct{ For time.Duration }

// Error implements error.
func (w *WaitError) Error() string {
	return fmt.Sprintf("too many wrong passwords; try again in %s", w.For.Round(time.Second))
}

// The deeds of the audit trail.
const (
	DeedLogin  = "session.login"
	DeedLogout = "session.logout"
	DeedDenied = "session.denied"
)

// Login begins a session and returns its token, ErrDenied or a *WaitError. A
// name that is not there takes as long as a wrong password.
func (a *Accounts) Login(ctx context.Context, name, password string, from netip.Addr) (token string, err error) {
	now := a.Now()
	if len(name) > maxName {
		name = "" // nobody's, and counted by the address alone
	}
	if wait := a.guard.attempt(from, name, now); wait > 0 {
		return "", &WaitError{wait}
	}
	user, hash := a.user(name), a.likeOthers(name)
	if user != nil {
		hash = user.PasswordHash.Reveal()
	}
	right, err := a.matches(ctx, hash, password)
	if err != nil {
		return "", err
	}
	if user == nil || !right {
		return "", a.deny(ctx, user, from)
	}
	a.guard.welcome(from, name, now)
	if err := a.note(ctx, name, DeedLogin, from.String()); err != nil {
		return "", err
	}
	return a.sessions.begin(session{name: user.Name, hash: user.PasswordHash}, now), nil
}

// likeOthers is a hash against which a password of a name that is not there is
// checked: that of some user, always the same one for a name, so that it takes
// as long as theirs do.
func (a *Accounts) likeOthers(name string) string {
	users := a.Config().Users
	if len(users) == 0 {
		return sftpd.Nobody
	}
	h := sha256.Sum256([]byte(a.secret + name))
	return users[binary.BigEndian.Uint64(h[:])%uint64(len(users))].PasswordHash.Reveal()
}

// maxPassword is how long a password may be, in bytes.
const maxPassword = 1000

func (a *Accounts) matches(ctx context.Context, hash, password string) (bool, error) {
	select {
	case a.hashing <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { <-a.hashing }()
	return len(password) <= maxPassword && sftpd.Matches(hash, []byte(password)), nil
}

// deny notes a wrong password. A name that is not there is not noted: people
// type passwords where the name belongs.
func (a *Accounts) deny(ctx context.Context, user *config.User, from netip.Addr) error {
	who := "unknown"
	if user != nil {
		who = user.Name
	}
	a.Log.Warn("a login was refused", "user", who, "address", from.String())
	return errors.Join(ErrDenied, a.note(ctx, who, DeedDenied, from.String()))
}

func (a *Accounts) note(ctx context.Context, who, what, address string) error {
	row := jobs.AuditRow{Time: a.Now().UTC(), Who: who, What: what, Object: address}
	if err := a.Note(context.WithoutCancel(ctx), row); err != nil {
		return fmt.Errorf("note %s in the audit trail: %w", what, err)
	}
	return nil
}

// user returns a user as the configuration is now; nil: there is none.
func (a *Accounts) user(name string) *config.User {
	u, ok := a.Config().User(name)
	if !ok {
		return nil
	}
	return u
}

// Look is why a session is asked for.
type Look bool

// What keeps a session going and what does not.
const (
	ByHand   Look = true  // a person did something
	ByItself Look = false // a page looks for news on its own
)

// Person returns whose session a token is of; false: of none that lasts.
func (a *Accounts) Person(token string, why Look) (Person, bool) {
	s := a.sessions.use(token, a.Now(), why)
	if s == nil {
		return Person{}, false
	}
	p, ok := a.person(s)
	if !ok {
		a.sessions.end(token)
	}
	return p, ok
}

// person returns whom a session is of, as the configuration is now.
func (a *Accounts) person(s *session) (Person, bool) {
	if s.issuer != "" {
		return a.guest(s)
	}
	u := a.user(s.name)
	if u == nil || u.PasswordHash != s.hash {
		return Person{}, false
	}
	return Person{Name: u.Name, Role: u.Role}, true
}

// Logout ends a session. One that is over already is none to note.
func (a *Accounts) Logout(ctx context.Context, token string, from netip.Addr) error {
	s := a.sessions.end(token)
	if s == nil {
		return nil
	}
	return a.note(ctx, s.name, DeedLogout, from.String())
}
