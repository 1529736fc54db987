package sftpc

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// Client is a connection to one host. It is safe for concurrent use.
//
// No call can be taken back once the host has it. A call whose context ends is
// left to end by itself; nothing waits for it but Close, and what it opens is
// closed again. A host that does not answer for the StallTimeout, or sends nothing
// at all to three keepalives, loses the connection, and with it every call
// ends.
type Client struct {
	sftp *sftp.Client
	ssh  *ssh.Client
	conn *heardConn
	wait patience

	mu    sync.Mutex
	cause error         // why the connection ended; set before over is closed
	over  chan struct{} // closed when the connection has ended
	wg    sync.WaitGroup
}

// Close ends the connection and waits for every call to return. It may be called
// again.
func (c *Client) Close() error {
	c.fail(errClosed)
	c.wg.Wait()
	c.ssh.Wait()
	return nil
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.over }

// fail ends the connection. Closing the network connection is the one thing that
// unblocks whatever waits in the layers above.
func (c *Client) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
		close(c.over)
		c.conn.Close()
	}
}

// start runs f beside its caller, unless the connection has ended. Close waits
// for it.
func (c *Client) start(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.wg.Go(f)
	}
	return c.cause
}

// supervise starts what watches over the connection.
func (c *Client) supervise(cfg Config) {
	c.wg.Go(func() { c.keepAlive(cfg.KeepAlive) })
	c.wg.Go(func() { c.dropStalled(cfg.StallTimeout) })
	c.wg.Go(func() {
		c.sftp.Wait()
		c.fail(errLost)
	})
}

const maxUnanswered = 3

// keepAlive asks the host whether it is there. Whatever it sends is an answer: on
// a slow line the question waits behind data.
func (c *Client) keepAlive(every time.Duration) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	heard, unanswered := c.conn.heard.Load(), 0
	asked := make(chan struct{}, 1)
	for c.next(ticks) {
		if now := c.conn.heard.Load(); now != heard {
			heard, unanswered = now, 0
		}
		if unanswered == maxUnanswered {
			c.fail(errSilent)
			return
		}
		unanswered++
		select {
		case asked <- struct{}{}:
			c.wg.Go(func() {
				c.ssh.SendRequest("keepalive@openssh.com", true, nil)
				<-asked
			})
		default: // the last question has not left yet, or is not answered
		}
	}
}

// dropStalled ends a connection on which answers are awaited in vain.
func (c *Client) dropStalled(after time.Duration) {
	ticks := time.NewTicker(max(after/4, 1))
	defer ticks.Stop()
	for c.next(ticks) {
		if c.wait.longer(after) {
			c.fail(errStalled)
		}
	}
}

// next waits for a tick, and reports false when the connection has ended.
func (c *Client) next(ticks *time.Ticker) bool {
	select {
	case <-ticks.C:
		return true
	case <-c.over:
		return false
	}
}

// patience knows how long the host has been silent while calls wait for it.
type patience struct {
	mu      sync.Mutex
	pending int
	last    time.Time // of the last answer, or of the first call since none waited
}

func (p *patience) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == 0 {
		p.last = time.Now()
	}
	p.pending++
}

func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending--
}

func (p *patience) moved() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

func (p *patience) longer(than time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending > 0 && time.Since(p.last) >= than
}

// call runs one question to the host and returns with its answer or with the end
// of the context. undo takes back an answer that came too late; nil: nothing to
// take back.
func call[T any](ctx context.Context, c *Client, ask func() (T, error), undo func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	done := make(chan answer, 1)
	err := c.start(func() {
		c.wait.begin()
		defer c.wait.end()
		v, err := ask()
		done <- answer{v, err}
	})
	if err != nil {
		return none, err
	}
	select {
	case a := <-done:
		return a.v, c.explain(a.err)
	case <-ctx.Done():
	}
	if undo != nil {
		c.start(func() {
			if a := <-done; a.err == nil {
				undo(a.v)
			}
		})
	}
	return none, ctx.Err()
}

// explain gives the reason for which the connection ended, when that is what an
// error is about.
func (c *Client) explain(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-c.over:
		return c.cause
	default:
		return grade(err)
	}
}

// wrap says what was done to what.
func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, name, err)
}
