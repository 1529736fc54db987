//go:build peers

package peers

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// toll is a way to the server that lets so many bytes pass, and no more until
// it is opened: whatever a client does in between it does in the middle of a
// transfer.
type toll struct {
	net.Listener
	to     string
	left   atomic.Int64
	closed chan struct{} // closed when the last byte has passed
	opened chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// smallBuffer keeps the kernel from taking much of a client's data that does
// not pass.
func smallBuffer(_, _ string, c syscall.RawConn) (err error) {
	cerr := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10) })
	return errors.Join(cerr, err)
}

// newToll lets n bytes from clients to an address.
func newToll(t *testing.T, to string, n int64) *toll {
	t.Helper()
	l, err := (&net.ListenConfig{Control: smallBuffer}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &toll{Listener: l, to: to, closed: make(chan struct{}), opened: make(chan struct{})}
	g.left.Store(n)
	g.wg.Go(g.serve)
	t.Cleanup(func() {
		_ = l.Close()
		g.open()
		g.wg.Wait()
	})
	return g
}

// open lets everything pass from now on.
func (g *toll) open() {
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

func (g *toll) serve() {
	for {
		near, err := g.Accept()
		if err != nil {
			return
		}
		far, err := new(net.Dialer).DialContext(context.Background(), "tcp", g.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		g.wg.Go(func() { g.carry(far, near, g.pass) })
		g.wg.Go(func() { g.carry(near, far, func(int) {}) })
	}
}

// carry passes on what from sends, and its end.
func (g *toll) carry(to, from net.Conn, pass func(n int)) {
	defer func() { _ = to.Close() }()
	defer func() { _ = from.Close() }()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		pass(n)
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// pass waits with n bytes that are too many.
func (g *toll) pass(n int) {
	if g.left.Add(-int64(n)) < 0 {
		g.once.Do(func() { close(g.closed) })
		<-g.opened
	}
}
