package sftpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const serverVersion = "SSH-2.0-Concord"

// Config is what a Server is made of.
type Config struct {
	Accounts Accounts
	Keys     *HostKeys
	Settings Settings
	Now      func() time.Time
	// Audit is told of everything; it must not block. nil: nobody is.
	Audit func(Event)
}

// Server is an SFTP server. Safe for concurrent use.
type Server struct {
	accounts Accounts
	keys     *HostKeys
	settings Settings
	now      func() time.Time
	audit    func(Event)
	door     *door
	hashing  chan struct{} // bounds how many passwords are checked at once

	mu       sync.Mutex
	carriers map[string]*presence
	conns    map[*connection]bool
	draining bool
	wg       sync.WaitGroup
}

// presence counts what one carrier has open.
type presence struct{ connections, sessions int }

// New returns a server that is not serving yet.
func New(c Config) (*Server, error) {
	if err := c.Settings.Validate(); err != nil {
		return nil, err
	}
	settings := c.Settings.withDefaults()
	if c.Audit == nil {
		c.Audit = func(Event) {}
	}
	return &Server{
		accounts: c.Accounts, keys: c.Keys, settings: settings, now: c.Now, audit: c.Audit,
		door: newDoor(settings, c.Now), hashing: make(chan struct{}, 2),
		carriers: map[string]*presence{}, conns: map[*connection]bool{},
	}, nil
}

// Serve takes connections until ctx ends. Then it lets transfers under way end
// for a while, cuts off what is left, closes l and returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for failed := 0; ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			failed = 0
			s.wg.Go(func() { s.receive(conn) })
		case ctx.Err() != nil:
			s.drain()
			return nil
		case errors.Is(err, net.ErrClosed):
			s.drain()
			return fmt.Errorf("serve SFTP: %w", err)
		default: // such as too many open files: it passes
			failed++
			s.audit(Event{Time: s.now(), Act: ActFault, Why: "accept a connection: " + err.Error()})
			select {
			case <-ctx.Done():
			case <-time.After(min(time.Second, 5*time.Millisecond<<min(failed, 8))):
			}
		}
	}
}

// drain ends all connections, those with a transfer under way last.
func (s *Server) drain() {
	s.mu.Lock()
	s.draining = true
	for c := range s.conns {
		c.closeIfIdle()
	}
	s.mu.Unlock()
	cut := time.AfterFunc(s.settings.Drain, s.cut)
	defer cut.Stop()
	s.door.shut()
	s.wg.Wait()
}

// Disconnect ends the connections of one carrier, such as of one that may not
// log in any more.
func (s *Server) Disconnect(carrier string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.carrier == carrier {
			_ = c.raw.Close()
		}
	}
}

func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.raw.Close()
	}
}

// receive takes one connection through the login and serves it to its end.
func (s *Server) receive(raw net.Conn) {
	defer func() { _ = raw.Close() }()
	defer s.recovered(Event{Address: raw.RemoteAddr().String()})
	v := s.door.enter(raw)
	if v == nil {
		return // banned, and told so when it was
	}
	defer s.door.leave(v)
	_ = raw.SetDeadline(time.Now().Add(s.settings.Handshake))
	m := &meter{Conn: raw}
	g, err := greet(m, serverVersion, func() { s.door.heard(v) })
	if err != nil {
		return // a port scan, or a health check
	}
	// greet has moved the deadline.
	_ = raw.SetDeadline(time.Now().Add(s.settings.Handshake))
	l := &login{srv: s, visitor: v, client: g.client}
	conn, chans, reqs, err := ssh.NewServerConn(g, l.config(g.offers()))
	if err != nil {
		s.refused(l, err)
		return
	}
	s.door.leave(v)
	s.door.welcome(v.from, conn.User())
	_ = raw.SetDeadline(time.Time{})
	s.serve(conn, m, chans, reqs)
}

// refused tells of a login that failed, and counts one in which no key fitted.
// One connection counts once: an agent offers all the keys that it has.
func (s *Server) refused(l *login, err error) {
	s.audit(l.event(s.now(), ActRefused, "login: "+err.Error()))
	if l.failed {
		s.punish(l)
	}
}

// guessed counts a wrong password, and lets whoever sent it wait.
func (s *Server) guessed(l *login) { time.Sleep(s.punish(l)) }

// punish counts a failed login and returns how long its client should wait.
func (s *Server) punish(l *login) time.Duration {
	wait, ban := s.door.failed(l.visitor.from, l.user)
	if ban > 0 {
		s.audit(l.event(s.now(), ActBan, "too many failed logins; banned for "+ban.String()))
		_ = l.visitor.conn.Close()
	}
	return wait
}

// recovered keeps a panic from ending more than the connection it is in.
func (s *Server) recovered(e Event) {
	if p := recover(); p != nil {
		s.recoveredAs(p, e)
	}
}

func (s *Server) recoveredAs(p any, e Event) {
	e.Time, e.Act, e.Why = s.now(), ActFault, fmt.Sprintf("panic: %v", p)
	s.audit(e)
}

// arrive counts a connection of a carrier in, unless it has too many.
func (s *Server) arrive(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.carriers[c.carrier]
	if p == nil {
		p = &presence{}
	}
	if s.draining || p.connections >= s.settings.Connections {
		return false
	}
	s.carriers[c.carrier] = p
	p.connections++
	s.conns[c] = true
	return true
}

func (s *Server) depart(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if p := s.carriers[c.carrier]; p != nil {
		if p.connections--; p.connections <= 0 {
			delete(s.carriers, c.carrier)
		}
	}
}

// startSession counts a session of a carrier in, unless it has too many.
func (s *Server) startSession(carrier string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.carriers[carrier]
	if p == nil || s.draining || p.sessions >= s.settings.Sessions {
		return false
	}
	p.sessions++
	return true
}

func (s *Server) endSession(carrier string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.carriers[carrier]; p != nil {
		p.sessions--
	}
}
