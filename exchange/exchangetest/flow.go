package exchangetest

import (
	"bytes"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxHeld is what a flow takes before its writer has to wait: enough for 3 GB/s
// over 20 ms.
const maxHeld = 64 << 20

// flow is one direction of a connection: pieces that arrive when they are due.
type flow struct {
	delay   time.Duration
	partner *flow // the other direction, which breaks together with this one

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew with each change
	pieces   []piece
	held     int
	carried  int64
	left     int64 // bytes until the cut; below 0: none
	readEnd  error // what a reader gets after the last piece
	writeEnd error // what a writer gets
	frozen   bool
	readBy   time.Time
	writeBy  time.Time
}

type piece struct {
	data []byte
	due  time.Time
}

func newFlow(delay time.Duration, left int64) *flow {
	return &flow{delay: delay, left: left, changed: make(chan struct{})}
}

// set changes something and wakes all who wait.
func (f *flow) set(change func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.wake()
	return nil
}

func (f *flow) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *flow) finish(read, write error) {
	f.set(func() {
		if f.writeEnd == nil {
			f.readEnd, f.writeEnd = read, write
		}
	})
}

func (f *flow) drop()   { f.set(func() { f.pieces, f.held = nil, 0 }) }
func (f *flow) freeze() { f.set(func() { f.frozen = true }) }

// cut breaks the connection: what has been sent arrives, then both ends get an
// error.
func (f *flow) cut() {
	f.finish(syscall.ECONNRESET, syscall.ECONNRESET)
	f.set(func() { f.frozen = false })
	f.partner.finish(syscall.ECONNRESET, syscall.ECONNRESET)
}

func (f *flow) total() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.carried
}

func (f *flow) write(p []byte) (int, error) {
	for n := 0; ; {
		done, cut, wait, err := f.put(p[n:])
		switch n += done; {
		case cut:
			f.cut()
			return n, syscall.ECONNRESET
		case err != nil || n == len(p):
			return n, err
		}
		wait()
	}
}

// put takes as much as there is room for. wait returns when it is worth trying
// again.
func (f *flow) put(p []byte) (n int, cut bool, wait func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.writeEnd != nil:
		return 0, false, nil, f.writeEnd
	case passed(f.writeBy):
		return 0, false, nil, os.ErrDeadlineExceeded
	}
	n = min(len(p), maxHeld-f.held)
	if f.left >= 0 && int64(n) >= f.left {
		n, cut = int(f.left), true
	}
	if n > 0 {
		f.pieces = append(f.pieces, piece{bytes.Clone(p[:n]), time.Now().Add(f.delay)})
		f.held += n
		f.carried += int64(n)
		if f.left >= 0 {
			f.left -= int64(n)
		}
		f.wake()
	}
	return n, cut, until(f.changed, f.writeBy), nil
}

func (f *flow) read(p []byte) (int, error) {
	for {
		n, wait, err := f.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		wait()
	}
}

// take gives what is due.
func (f *flow) take(p []byte) (n int, wait func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case passed(f.readBy):
		return 0, nil, os.ErrDeadlineExceeded
	case len(f.pieces) == 0 && f.readEnd != nil:
		return 0, nil, f.readEnd
	case len(f.pieces) == 0 || f.frozen:
		return 0, until(f.changed, f.readBy), nil
	case !passed(f.pieces[0].due):
		return 0, until(f.changed, earlier(f.pieces[0].due, f.readBy)), nil
	}
	first := &f.pieces[0]
	n = copy(p, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		f.pieces = f.pieces[1:]
	}
	full := f.held == maxHeld
	if f.held -= n; full {
		f.wake()
	}
	return n, nil, nil
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// until waits for a change or a time, if there is one.
func until(changed <-chan struct{}, t time.Time) func() {
	return func() {
		if t.IsZero() {
			<-changed
			return
		}
		timer := time.NewTimer(time.Until(t))
		defer timer.Stop()
		select {
		case <-changed:
		case <-timer.C:
		}
	}
}
