package exchangetest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// Network makes connections that are as long as one likes and break when one
// likes. It delays and does not narrow: what is written together arrives together.
// It works under testing/synctest.
type Network struct {
	Delay time.Duration // each way; half of a round trip

	mu       sync.Mutex
	up, down int64 // bytes until the next connection breaks; below 0: never
	flows    []*flow
}

// NewNetwork returns a network that does not break by itself.
func NewNetwork(delay time.Duration) *Network { return &Network{Delay: delay, up: -1, down: -1} }

// CutAfter makes connections from now on break once the client has sent up bytes,
// or received down bytes; below 0: never.
func (n *Network) CutAfter(up, down int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up, n.down = up, down
}

// Cut breaks all connections.
func (n *Network) Cut() { n.each((*flow).cut) }

// Freeze keeps whatever is under way from arriving, without a word to either end.
func (n *Network) Freeze() { n.each((*flow).freeze) }

func (n *Network) each(do func(*flow)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.flows {
		do(f)
	}
}

// Carried returns how many bytes the last connection has carried.
func (n *Network) Carried() (up, down int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := n.flows[len(n.flows)-2:]
	return last[0].total(), last[1].total()
}

// Pipe returns the two ends of a new connection.
func (n *Network) Pipe() (client, server net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	up, down := newFlow(n.Delay, n.up), newFlow(n.Delay, n.down)
	up.partner, down.partner = down, up
	n.flows = append(n.flows, up, down)
	return &end{in: down, out: up}, &end{in: up, out: down}
}

// Dial connects to a real address, through the network.
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	far, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	client, near := n.Pipe()
	go splice(near, far)
	go splice(far, near)
	return client, nil
}

// splice passes on what from sends, and its end.
func splice(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
}

// end is one end of a connection.
type end struct{ in, out *flow }

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }

func (e *end) Close() error {
	e.out.finish(io.EOF, net.ErrClosed)
	e.in.finish(net.ErrClosed, syscall.EPIPE)
	e.in.drop()
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

func (e *end) SetReadDeadline(t time.Time) error {
	return e.in.set(func() { e.in.readBy = t })
}

func (e *end) SetWriteDeadline(t time.Time) error {
	return e.out.set(func() { e.out.writeBy = t })
}

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

// address satisfies those who take a peer's address apart.
type address struct{}

func (address) Network() string { return "tcp" }
func (address) String() string  { return "127.0.0.1:22" }
