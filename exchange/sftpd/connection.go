package sftpd

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// connection is one client that has logged in.
type connection struct {
	srv     *Server
	ssh     *ssh.ServerConn
	raw     *meter
	carrier string
	account Account
	proof   proof
	event   Event // what all its audit lines have in common

	active  atomic.Int64 // when something was asked last, in Unix nanoseconds
	handles atomic.Int64 // open, over all sessions
	drained atomic.Bool
}

// serve serves a connection to its end.
func (s *Server) serve(conn *ssh.ServerConn, raw *meter, chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	account, ok := s.accounts.Account(conn.User())
	c := &connection{srv: s, ssh: conn, raw: raw, carrier: conn.User(), account: account, proof: proofOf(conn.Permissions)}
	c.event = Event{Carrier: c.carrier, Address: conn.RemoteAddr().String(), Client: string(conn.ClientVersion())}
	defer s.recovered(c.event)
	if !ok || account.Home == nil || !s.arrive(c) {
		c.tell(ActRefused, Event{Why: "login: the carrier has too many connections, or the server is stopping"})
		_ = conn.Close()
		discard(chans, reqs)
		return
	}
	defer s.depart(c)
	c.tell(ActLogin, Event{Why: c.proof.how})
	defer c.tell(ActLogout, Event{})
	c.touch()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { c.answer(reqs) })
	wg.Go(func() { c.watch(done) })
	wg.Go(func() { s.announce(conn) })
	c.channels(chans, &wg)
	close(done)
	wg.Wait()
}

// discard empties what the library has read ahead of a connection that was
// closed: as long as anything is in it, the library waits for a taker.
func discard(chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	go ssh.DiscardRequests(reqs) // ends with the connection
	for n := range chans {
		_ = n.Reject(ssh.ResourceShortage, "the connection is closed")
	}
}

// tell writes an audit line.
func (c *connection) tell(act Act, e Event) {
	e.Time, e.Act = c.srv.now(), act
	e.Carrier, e.Address, e.Client = c.event.Carrier, c.event.Address, c.event.Client
	c.srv.audit(e)
}

func (c *connection) touch() { c.active.Store(time.Now().UnixNano()) }

// answer answers requests that are about the whole connection.
func (c *connection) answer(reqs <-chan *ssh.Request) {
	proofs := 0
	for r := range reqs {
		var reply []byte
		if r.Type == proveRequest && proofs < maxProofs {
			proofs++
			reply = c.srv.prove(c.ssh.Conn, r.Payload)
		}
		if r.WantReply {
			_ = r.Reply(reply != nil, reply)
		}
	}
}

// watch closes a connection whose client is gone, has asked for nothing for too
// long, or could not log in any more as it did.
func (c *connection) watch(done <-chan struct{}) {
	tick := time.NewTicker(c.srv.settings.Keepalive)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if why := c.lost(done); why != "" {
			c.tell(ActRefused, Event{Why: why})
			_ = c.raw.Close()
			return
		}
	}
}

// lost says why a connection has to end, or "".
func (c *connection) lost(done <-chan struct{}) string {
	switch {
	case !c.welcome():
		return "the account, or the key or password of the login, was withdrawn"
	case c.quiet() > c.srv.settings.Idle:
		return "nothing was asked for " + c.srv.settings.Idle.String()
	case !c.alive(done):
		return "the client does not answer"
	}
	return ""
}

// welcome reports whether the account still is the one that logged in, and
// would let it in again.
func (c *connection) welcome() bool {
	now, ok := c.srv.accounts.Account(c.carrier)
	return ok && now.Home == c.account.Home && c.proof.holds(now)
}

// quiet returns how long nothing was asked for.
func (c *connection) quiet() time.Duration { return time.Since(time.Unix(0, c.active.Load())) }

// alive asks the client whether it is there.
func (c *connection) alive(done <-chan struct{}) bool {
	answered := make(chan error, 1)
	go func() { // ends with the connection at the latest
		_, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	}()
	select {
	case err := <-answered:
		return err == nil
	case <-done:
		return true
	case <-time.After(2 * c.srv.settings.Keepalive):
		return false
	}
}

// linger is how long a connection that the server wants to end may take from the
// answer to its last request to its next one: many clients close a file and then
// set its time and its name.
const linger = time.Second

// closeIfIdle ends a connection that the server wants to end, as soon as it has
// no file open and asks for nothing more.
func (c *connection) closeIfIdle() {
	c.drained.Store(true)
	if c.handles.Load() > 0 {
		return
	}
	if left := min(linger, c.srv.settings.Drain/2) - c.quiet(); left > 0 {
		time.AfterFunc(left, c.closeIfIdle)
		return
	}
	_ = c.raw.Close()
}

// opened counts a handle; closed counts it out.
func (c *connection) opened() { c.handles.Add(1) }

func (c *connection) closed() {
	c.touch()
	if c.handles.Add(-1) == 0 && c.drained.Load() {
		c.closeIfIdle()
	}
}

// sessionName tells sessions apart in the audit.
func sessionName() string { return rand.Text()[:12] }
