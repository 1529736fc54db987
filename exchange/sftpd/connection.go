package sftpd

import (
	"crypto/rand"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// connection is one client that has logged in.
type connection struct {
	srv     *Server
	ssh     *ssh.ServerConn
	raw     net.Conn
	carrier string
	account Account
	event   Event // what all its audit lines have in common

	active  atomic.Int64 // when something was asked last, in Unix nanoseconds
	handles atomic.Int64 // open, over all sessions
	drained atomic.Bool
}

// serve serves a connection to its end.
func (s *Server) serve(conn *ssh.ServerConn, raw net.Conn, chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	account, ok := s.accounts.Account(conn.User())
	c := &connection{srv: s, ssh: conn, raw: raw, carrier: conn.User(), account: account}
	c.event = Event{Carrier: c.carrier, Address: conn.RemoteAddr().String(), Client: string(conn.ClientVersion())}
	defer s.recovered(c.event)
	if !ok || account.Home == nil || !s.arrive(c) {
		c.tell(ActRefused, Event{Why: "login: the carrier has too many connections, or the server is stopping"})
		_ = conn.Close()
		return
	}
	defer s.depart(c)
	c.tell(ActLogin, Event{Why: conn.Permissions.Extensions[howLogged]})
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

// tell writes an audit line.
func (c *connection) tell(act Act, e Event) {
	e.Time, e.Act = c.srv.now(), act
	e.Carrier, e.Address, e.Client = c.event.Carrier, c.event.Address, c.event.Client
	c.srv.audit(e)
}

func (c *connection) touch() { c.active.Store(time.Now().UnixNano()) }

// answer answers requests that are about the whole connection.
func (c *connection) answer(reqs <-chan *ssh.Request) {
	for r := range reqs {
		var reply []byte
		if r.Type == proveRequest {
			reply = c.srv.prove(c.ssh.SessionID(), r.Payload)
		}
		if r.WantReply {
			_ = r.Reply(reply != nil, reply)
		}
	}
}

// channels serves the channels that a client opens.
func (c *connection) channels(chans <-chan ssh.NewChannel, wg *sync.WaitGroup) {
	var open atomic.Int64
	for n := range chans {
		switch {
		case n.ChannelType() != "session":
			_ = n.Reject(ssh.UnknownChannelType, "this server speaks SFTP only")
		case open.Load() >= int64(c.srv.settings.Channels):
			_ = n.Reject(ssh.ResourceShortage, "too many sessions in one connection")
		case !c.srv.startSession(c.carrier):
			_ = n.Reject(ssh.ResourceShortage, "the carrier has too many sessions, or the server is stopping")
		default:
			open.Add(1)
			wg.Go(func() {
				defer open.Add(-1)
				defer c.srv.endSession(c.carrier)
				c.channel(n)
			})
		}
	}
}

// channel waits for the one request that matters, and serves it.
func (c *connection) channel(n ssh.NewChannel) {
	defer c.srv.recovered(c.event)
	ch, reqs, err := n.Accept()
	if err != nil {
		return
	}
	defer func() { _ = ch.Close() }()
	begun := make(chan struct{})
	go func() { // ends with the channel
		answerChannel(reqs, sync.OnceFunc(func() { close(begun) }))
	}()
	<-begun
	c.sftp(ch)
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
}

// answerChannel answers the requests of a channel, and calls begin at the one
// for SFTP, or at the channel's end.
func answerChannel(reqs <-chan *ssh.Request, begin func()) {
	defer begin()
	begun := false
	for r := range reqs {
		ok := !begun && r.Type == "subsystem" && isSFTP(r.Payload)
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok {
			begun = true
			begin()
		}
	}
}

func isSFTP(payload []byte) bool {
	var sub struct{ Name string }
	return ssh.Unmarshal(payload, &sub) == nil && sub.Name == "sftp"
}

// watch closes a connection whose client is gone, or has asked for nothing for
// too long.
func (c *connection) watch(done <-chan struct{}) {
	tick := time.NewTicker(c.srv.settings.Keepalive)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		idle := time.Since(time.Unix(0, c.active.Load()))
		if idle > c.srv.settings.Idle || !c.alive(done) {
			_ = c.raw.Close()
			return
		}
	}
}

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

// closeIfIdle ends a connection that the server wants to end, as soon as it has
// no file open.
func (c *connection) closeIfIdle() {
	c.drained.Store(true)
	if c.handles.Load() == 0 {
		_ = c.raw.Close()
	}
}

// opened counts a handle; closed counts it out.
func (c *connection) opened() { c.handles.Add(1) }

func (c *connection) closed() {
	if c.handles.Add(-1) == 0 && c.drained.Load() {
		// The answer to the close must still get out.
		time.AfterFunc(100*time.Millisecond, c.closeIfIdle)
	}
}

// sessionName tells sessions apart in the audit.
func sessionName() string { return rand.Text()[:12] }
