package sftpd

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"

	"golang.org/x/crypto/ssh"
)

// clientEnd is a channel whose client has sent all that it will.
type clientEnd struct {
	ssh.Channel
	*pieces
}

func (c clientEnd) Read(p []byte) (int, error)                   { return c.pieces.Read(p) }
func (c clientEnd) Write(p []byte) (int, error)                  { return c.pieces.Write(p) }
func (c clientEnd) Close() error                                 { return nil }
func (clientEnd) SendRequest(string, bool, []byte) (bool, error) { return true, nil }
func (clientEnd) ChannelType() string                            { return "session" }
func (clientEnd) ExtraData() []byte                              { return nil }
func (clientEnd) Reject(ssh.RejectionReason, string) error       { return nil }

// newConnection is a logged-in connection without a network; faults are kept.
func newConnection(t testing.TB) (c *connection, faults func() []Event) {
	t.Helper()
	home, err := landing.OpenHome(t.TempDir(), "fabrikam", landing.Terms{MaxFile: 1 << 20, MaxBytes: 4 << 20, MaxFiles: 50}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = home.Close() })
	var mu sync.Mutex
	var kept []Event
	srv, err := New(Config{Now: time.Now, Audit: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Act == ActFault {
			kept = append(kept, e)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	c = &connection{srv: srv, carrier: "fabrikam", account: Account{Home: home}, raw: &meter{}}
	return c, func() []Event {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(kept)
	}
}

// Whatever a client sends, no handler panics or blames the server, and what the
// client gets are whole packets.
func FuzzSession(f *testing.F) {
	id := func(n byte) []byte { return []byte{0, 0, 0, n} }
	flags := func(n byte) []byte { return []byte{0, 0, 0, n, 0, 0, 0, 0} }
	begin := pack(1, id(3))
	open := pack(fxpOpen, id(1), stringOf("/inbox/a.csv"), flags(0x1b))
	write := pack(6, id(2), stringOf("1"), make([]byte, 8), stringOf("one line\n"))
	f.Add(slices.Concat(begin, open, write, pack(4, id(3), stringOf("1"))), uint64(1))
	f.Add(slices.Concat(begin, open, pack(5, id(2), stringOf("1"), make([]byte, 8), id(200)), pack(fxpExtended, id(4), stringOf(extFsync), stringOf("1"))), uint64(2))
	f.Add(slices.Concat(begin, pack(11, id(1), stringOf("/inbox")), pack(12, id(2), stringOf("1")), pack(5, id(2), stringOf("1"), make([]byte, 8), id(9))), uint64(3))
	f.Add(slices.Concat(begin, open, write, pack(10, id(3), stringOf("1"), id(1), make([]byte, 7), []byte{5}), pack(8, id(4), stringOf("1"))), uint64(4))
	f.Add(slices.Concat(begin, pack(14, id(1), stringOf("/inbox/d"), id(0)), pack(18, id(2), stringOf("/inbox/d"), stringOf("/inbox/e")), pack(15, id(3), stringOf("/inbox/e"))), uint64(5))
	f.Add(slices.Concat(begin, pack(20, id(1), stringOf("a"), stringOf("b")), pack(19, id(2), stringOf("/inbox")), pack(17, id(3), stringOf("")), pack(fxpExtended, id(4), stringOf("statvfs@openssh.com"), stringOf("/"))), uint64(6))
	f.Add(slices.Concat(begin, open, pack(4, id(3), stringOf("1")), pack(fxpExtended, id(4), stringOf("posix-rename@openssh.com"), stringOf("/inbox/a.csv"), stringOf("/inbox/b.csv")), begin), uint64(7))
	c, faults := newConnection(f)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		ch := clientEnd{pieces: &pieces{in: data, rng: rand.New(rand.NewPCG(seed, 1))}}
		c.sftp(ch)
		for _, e := range faults() {
			t.Fatalf("a fault: %+v", e)
		}
		if n := c.handles.Load(); n != 0 {
			t.Fatalf("%d handles are still open", n)
		}
		ch.mu.Lock() // the library may still be sending the last answers
		defer ch.mu.Unlock()
		for out := ch.out; len(out) > 4; {
			n := int(binary.BigEndian.Uint32(out))
			if n == 0 || n > maxPacket {
				t.Fatalf("an answer is torn: %x", out)
			}
			out = out[min(len(out), 4+n):]
		}
	})
}

// A channel counts until its client has closed it too: until then the library
// keeps whatever the client sends.
func TestAChannelCountsUntilItsClientHasClosedIt(t *testing.T) {
	t.Parallel()
	c, _ := newConnection(t)
	c.account.Password, c.proof.hash = "a hash", "a hash"
	c.srv.accounts = oneAccount{c.account}
	c.srv.carriers[c.carrier] = &presence{}
	reqs, chans := make(chan *ssh.Request), make(chan ssh.NewChannel)
	var wg sync.WaitGroup
	wg.Go(func() { c.channels(chans, &wg) })
	nonsense := clientEnd{pieces: &pieces{in: []byte{0xff, 0xff, 0xff, 0xff, 1}, rng: rand.New(rand.NewPCG(1, 1))}}
	chans <- accepted{nonsense, reqs}
	reqs <- &ssh.Request{Type: "subsystem", Payload: stringOf("sftp")}
	reqs <- &ssh.Request{Type: "env"} // it is still listened to
	open := func() int {
		c.srv.mu.Lock()
		defer c.srv.mu.Unlock()
		return c.srv.carriers[c.carrier].sessions
	}
	for range 100 {
		if time.Sleep(time.Millisecond / 10); open() != 1 {
			t.Fatalf("%d sessions", open())
		}
	}
	close(reqs)
	close(chans)
	wg.Wait()
	if open() != 0 {
		t.Errorf("%d sessions at last", open())
	}
}

type oneAccount struct{ only Account }

func (o oneAccount) Account(string) (Account, bool) { return o.only, true }

// accepted is a channel that a client asks for.
type accepted struct {
	clientEnd
	reqs chan *ssh.Request
}

func (a accepted) Accept() (ssh.Channel, <-chan *ssh.Request, error) { return a.clientEnd, a.reqs, nil }
