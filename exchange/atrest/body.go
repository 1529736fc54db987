package atrest

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"filippo.io/age"
)

// body is the content of one encrypted file.
type body struct {
	src  *watched
	size int64  // of the file
	key  []byte // of the file
	live *readers

	r    io.ReaderAt   // nil while it is parked; guarded by live.mu
	turn *list.Element // its place among the live ones; guarded by live.mu
}

// newBody makes ready to read a file, and returns the length of its content. A
// file that is in clear has no body.
func (k *Keys) newBody(r io.ReaderAt, size int64) (*body, int64, error) {
	b := &body{src: &watched{r: r}, size: size, live: k.live}
	header, err := b.src.header(size)
	if err != nil {
		return nil, 0, b.why(err)
	}
	if setIn(header) == "" {
		return nil, size, nil
	}
	if b.key, err = age.DecryptHeader(header, k.identities...); err != nil {
		return nil, 0, b.why(err)
	}
	at, plain, err := b.unlock()
	if err != nil {
		return nil, 0, err
	}
	b.live.enter(b, at)
	return b, plain, nil
}

// unlock makes age's reader, which authenticates where the file ends.
func (b *body) unlock() (io.ReaderAt, int64, error) {
	r, plain, err := age.DecryptReaderAt(b.src, b.size, age.NewInjectedFileKeyIdentity(b.key))
	if err != nil {
		return nil, 0, b.why(err)
	}
	return r, plain, nil
}

// readAt fills p from an offset in the content.
func (b *body) readAt(p []byte, off int64) error {
	r := b.live.get(b)
	if r == nil {
		var err error
		if r, _, err = b.unlock(); err != nil {
			return err
		}
		b.live.enter(b, r)
	}
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	return b.why(errors.Join(err, io.ErrUnexpectedEOF))
}

// why says what an error means that age gave.
func (b *body) why(err error) error {
	if failed := b.src.failed.Load(); failed != nil {
		return *failed
	}
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return ErrLocked
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// watched remembers that reading itself failed: what cannot be read is not
// damaged.
type watched struct {
	r      io.ReaderAt
	failed atomic.Pointer[error]
}

// ReadAt implements io.ReaderAt.
func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// header returns the header of an encrypted file; nil: it has none.
func (w *watched) header(size int64) ([]byte, error) {
	head := make([]byte, len(magic))
	n, err := w.ReadAt(head, 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case string(head[:n]) != magic:
		return nil, nil
	}
	return age.ExtractHeader(io.NewSectionReader(w, 0, size))
}

// magic is how an encrypted file begins.
const magic = "age-encryption.org/v1\n"

// mostLive is how many readers of age, each of which holds 64 KiB, there are at
// once; the other files that are open are parked, and wake up when they are read.
const mostLive = 32

// readers are the bodies that have a reader, the last used first.
type readers struct {
	mu    sync.Mutex
	turns *list.List // of *body
}

func newReaders() *readers { return &readers{turns: list.New()} }

// get returns the reader of a body; nil: it is parked.
func (l *readers) get(b *body) io.ReaderAt {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.r != nil {
		l.turns.MoveToFront(b.turn)
	}
	return b.r
}

// enter gives a body its reader, and parks the one that was not used for
// longest.
func (l *readers) enter(b *body, r io.ReaderAt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.r != nil { // another goroutine was faster
		return
	}
	b.r, b.turn = r, l.turns.PushFront(b)
	if l.turns.Len() > mostLive {
		l.park(l.turns.Back().Value.(*body))
	}
}

// leave forgets a body that is closed.
func (l *readers) leave(b *body) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.r != nil {
		l.park(b)
	}
}

func (l *readers) park(b *body) {
	l.turns.Remove(b.turn)
	b.r, b.turn = nil, nil
}
