package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"concord/jobs/config"
)

// How long sessions last.
const (
	Idle     = 30 * time.Minute // without anything done by hand
	Absolute = 12 * time.Hour
)

// Bounds of what sessions may take. Beyond them the one that has been left alone
// longest ends.
const (
	maxSessions = 10_000
	maxPerUser  = 20
)

// session is one browser of one user.
type session struct {
	name string
	hash config.Secret // of the password by which it began
	// issuer is the provider by which it began, client what the service is there,
	// and values what it said of roles; empty: it began by a password.
	issuer, client string
	values         []string

	began time.Time
	used  time.Time
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.used) >= Idle || now.Sub(s.began) >= Absolute
}

// digest is how a token is kept.
type digest [sha256.Size]byte

type sessions struct {
	mu  sync.Mutex
	all map[digest]*session
}

func newSessions() sessions { return sessions{all: map[digest]*session{}} }

// newToken returns a text that nobody can guess: at least 128 bits.
func newToken() string { return rand.Text() + rand.Text() }

// begin returns the token of a new session.
func (l *sessions) begin(s session, now time.Time) string {
	token := newToken()
	s.began, s.used = now, now
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeRoom(s.name, now)
	l.all[sha256.Sum256([]byte(token))] = &s
	return token
}

// makeRoom drops what is over and, when there are too many, the one of the user
// or of all that has been left alone longest. Callers hold mu.
func (l *sessions) makeRoom(name string, now time.Time) {
	own := 0
	for d, s := range l.all {
		if s.over(now) {
			delete(l.all, d)
		} else if s.name == name {
			own++
		}
	}
	if own >= maxPerUser {
		l.dropOldest(func(s *session) bool { return s.name == name })
	}
	if len(l.all) >= maxSessions {
		l.dropOldest(func(*session) bool { return true })
	}
}

func (l *sessions) dropOldest(among func(*session) bool) {
	var oldest digest
	var at time.Time
	for d, s := range l.all {
		if among(s) && (at.IsZero() || s.used.Before(at)) {
			oldest, at = d, s.used
		}
	}
	delete(l.all, oldest)
}

// use returns the session of a token and keeps it going; nil: there is none
// that lasts.
func (l *sessions) use(token string, now time.Time, why Look) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := digest(sha256.Sum256([]byte(token)))
	s := l.all[d]
	switch {
	case s == nil:
		return nil
	case s.over(now):
		delete(l.all, d)
		return nil
	case why == ByHand:
		s.used = now
	}
	found := *s
	return &found
}

// end forgets the session of a token and returns it; nil: there was none.
func (l *sessions) end(token string) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := digest(sha256.Sum256([]byte(token)))
	s := l.all[d]
	delete(l.all, d)
	return s
}
