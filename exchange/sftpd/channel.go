package sftpd

import (
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

const sftpOnly = "this server speaks SFTP only"

// channels serves the channels that a client opens. One counts until the client
// has closed it too: until then the library keeps what it sends.
func (c *connection) channels(chans <-chan ssh.NewChannel, wg *sync.WaitGroup) {
	var open atomic.Int64
	for n := range chans {
		switch {
		case n.ChannelType() != "session":
			_ = n.Reject(ssh.UnknownChannelType, sftpOnly)
		case open.Load() >= int64(c.srv.settings.Channels):
			_ = n.Reject(ssh.ResourceShortage, "too many sessions in one connection")
		case !c.welcome():
			_ = n.Reject(ssh.Prohibited, "the account was closed")
		case !c.srv.startSession(c.carrier):
			_ = n.Reject(ssh.ResourceShortage, "the carrier has too many sessions, or the server is stopping")
		default:
			open.Add(1)
			end := c.raw.begin()
			wg.Go(func() {
				defer end()
				defer open.Add(-1)
				defer c.srv.endSession(c.carrier)
				c.channel(n)
			})
		}
	}
}

// channel takes a channel from its opening until both sides have closed it.
func (c *connection) channel(n ssh.NewChannel) {
	defer c.srv.recovered(c.event)
	ch, reqs, err := n.Accept()
	if err != nil {
		return
	}
	begin, gone := make(chan request), make(chan struct{})
	go func() { // ends with the channel
		defer close(gone)
		answerChannel(reqs, begin)
	}()
	select {
	case r := <-begin:
		c.serveRequest(ch, r)
	case <-gone:
	}
	_ = ch.Close()
	<-gone
}

// request is what a client wants of a channel.
type request int

const (
	wantsSFTP request = iota
	wantsShell
)

// serveRequest serves what a client wants, to its end.
func (c *connection) serveRequest(ch ssh.Channel, r request) {
	status := uint32(0)
	if r == wantsSFTP {
		c.sftp(ch)
	} else {
		_, _ = io.WriteString(ch.Stderr(), sftpOnly+"\r\n")
		status = 1
	}
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
}

// answerChannel answers the requests of a channel, and passes on the first that
// begins something. A shell and a command are begun only to say that there are
// none: a client shows no reason of a refusal.
func answerChannel(reqs <-chan *ssh.Request, begin chan<- request) {
	begun := false
	for r := range reqs {
		want, ok := wanted(r)
		ok = ok && !begun
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok {
			begun = true
			begin <- want
		}
	}
}

// wanted returns what a request wants to begin, if it may.
func wanted(r *ssh.Request) (request, bool) {
	switch r.Type {
	case "subsystem":
		var sub struct{ Name string }
		return wantsSFTP, ssh.Unmarshal(r.Payload, &sub) == nil && sub.Name == "sftp"
	case "shell", "exec":
		return wantsShell, true
	}
	return 0, false
}
