package sftpc

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

const (
	// packet is the content of one request; every server must take as much.
	packet = 32 << 10
	// window is how many requests of one transfer are under way: 2 MiB, which
	// is also what SSH lets a sender send ahead. At 20 ms that is 100 MB/s.
	window = 64
	// firstWindow is what a download begins with; small files end there.
	firstWindow = 4
	// windDown is how long a stopped upload is waited for, so that its file is
	// closed before its user removes it.
	windDown = 2 * time.Second
)

// Put implements exchange.Remote. Packets are under way together and some may be
// written though one before them was not: after an error the file may have its
// full length and a hole. So never trust what a failed Put has left; remove it.
func (c *Client) Put(ctx context.Context, name string, src io.Reader) error {
	f, err := c.openFile(ctx, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return wrap("write", name, err)
	}
	return wrap("write", name, c.upload(ctx, f, src))
}

func (c *Client) upload(ctx context.Context, f *sftp.File, src io.Reader) error {
	r := &lentReader{r: src, wait: &c.wait}
	done := make(chan error, 1)
	err := c.start(func() {
		c.wait.begin()
		defer c.wait.end()
		done <- c.send(f, r)
	})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return c.explain(err)
	case <-ctx.Done():
	}
	r.giveBack()
	late := time.NewTimer(windDown)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
	return ctx.Err()
}

func (c *Client) send(f *sftp.File, src io.Reader) error {
	_, err := f.ReadFromWithConcurrency(src, window)
	if err == nil && c.offers(fsync) {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// lentReader is a reader that its owner can have back.
type lentReader struct {
	wait *patience

	mu sync.Mutex
	r  io.Reader // nil: given back
}

var errGivenBack = errors.New("stopped")

func (l *lentReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.r == nil {
		return 0, errGivenBack
	}
	// The host is not to blame while the source is slow.
	l.wait.end()
	defer l.wait.begin()
	return l.r.Read(p)
}

// giveBack waits for a Read that is going on.
func (l *lentReader) giveBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r = nil
}

// Get implements exchange.Remote.
func (c *Client) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	f, err := c.openFile(ctx, path(name), os.O_RDONLY)
	if err != nil {
		return wrap("read", path(name), err)
	}
	d := &download{c: c, f: f, free: make(chan []byte, window), asked: make(chan chan block, window)}
	err = d.run(ctx, dst, from)
	if closed := d.release(ctx); err == nil {
		err = closed
	}
	return wrap("read", path(name), err)
}

// download has several requests for a file under way. It does not use the
// library's WriteTo, which drops bytes when a host answers with less than it was
// asked for.
type download struct {
	c     *Client
	f     *sftp.File
	free  chan []byte     // buffers of which nobody waits for an answer
	asked chan chan block // answers to come, in the order of the file
	tasks sync.WaitGroup
}

// block is the answer to one request.
type block struct {
	data []byte
	err  error
}

// run writes the blocks in their order.
func (d *download) run(ctx context.Context, dst io.Writer, from int64) error {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	if err := d.start(func() { d.ask(asking, from) }); err != nil {
		return err
	}
	size := firstWindow
	for range size {
		d.free <- nil
	}
	for {
		b, err := d.next(ctx)
		if err == nil && len(b.data) > 0 {
			_, err = dst.Write(b.data)
		}
		switch {
		case err != nil:
			return err
		case errors.Is(b.err, io.EOF):
			return nil
		case b.err != nil:
			return d.c.explain(b.err)
		}
		d.free <- b.data
		if size < window {
			size++
			d.free <- nil
		}
	}
}

// start runs a task that release waits for.
func (d *download) start(task func()) error {
	d.tasks.Add(1)
	err := d.c.start(func() {
		defer d.tasks.Done()
		task()
	})
	if err != nil {
		d.tasks.Done()
	}
	return err
}

// next waits for the next block of the file.
func (d *download) next(ctx context.Context) (block, error) {
	select {
	case answer := <-d.asked:
		select {
		case b := <-answer:
			return b, ctx.Err()
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return block{}, ctx.Err()
}

// ask requests one block after the other while there are free buffers, until the
// context ends.
func (d *download) ask(ctx context.Context, from int64) {
	for off := from; ; off += packet {
		select {
		case buf := <-d.free:
			d.askOne(off, buf)
		case <-ctx.Done():
			return
		}
	}
}

func (d *download) askOne(off int64, buf []byte) {
	answer := make(chan block, 1)
	d.asked <- answer
	err := d.start(func() {
		d.c.wait.begin()
		defer d.c.wait.end()
		if buf == nil {
			buf = make([]byte, packet)
		}
		n, err := d.f.ReadAt(buf[:packet], off)
		answer <- block{buf[:n], err}
	})
	if err != nil {
		answer <- block{err: err}
	}
}

// release closes the file after the requests under way, for which its caller does
// not wait once the context has ended.
func (d *download) release(ctx context.Context) error {
	done := make(chan error, 1)
	err := d.c.start(func() {
		d.tasks.Wait()
		d.c.wait.begin()
		defer d.c.wait.end()
		done <- d.f.Close()
	})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return d.c.explain(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}
