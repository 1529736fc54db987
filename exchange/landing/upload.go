package landing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"
)

// UploadOptions say how a file is opened for writing.
type UploadOptions struct {
	Create    bool // make it when it is not there
	Exclusive bool // fail when it is there
	Truncate  bool // begin anew; otherwise go on with what is there
	// Measured says that whoever writes compares the length with the
	// source's: where the writes ended says nothing.
	Measured bool
}

// Upload is a client's hand on a file being written. Safe for concurrent use.
type Upload struct {
	*incoming
	session *Session
	done    sync.Once
}

// incoming is one file being written. Until its last writer has closed it,
// nobody else sees it; then it is in the inbox whole, or marked as unfinished.
// Several hands may write to one that they did not begin anew, since some
// clients send the parts of a large file beside each other.
type incoming struct {
	home   *Home
	name   string // below the root
	staged string
	f      *os.File

	users   map[*Session]int // writers; under home.mu
	closing bool             // the last one has gone; under home.mu

	mu       sync.Mutex
	size     int64 // of the staged file
	base     int64 // what was there before the first write
	strides  strides
	written  extents
	measured bool
	touched  bool // it differs from what was there before
	resumed  bool // it goes on with an unfinished file
	resized  bool // a client gave it a size beforehand
	mtime    time.Time
	err      error // the first failure; it sticks
}

// Upload opens a file of the inbox for writing.
func (s *Session) Upload(name string, o UploadOptions) (*Upload, error) {
	at, err := s.inInbox(name)
	if err != nil {
		return nil, err
	}
	h := s.home
	h.mu.Lock()
	defer h.mu.Unlock()
	if u := h.uploads[at.String()]; u != nil {
		return u.join(s, o)
	}
	u := &incoming{home: h, name: at.String(), staged: path.Join(staging, rand.Text()), users: map[*Session]int{s: 1}, measured: o.Measured}
	if err := u.begin(o); err != nil {
		return nil, tell(err)
	}
	h.uploads[u.name] = u
	return &Upload{incoming: u, session: s}, nil
}

// join lets a further writer in. Callers hold home.mu.
func (u *incoming) join(s *Session, o UploadOptions) (*Upload, error) {
	if o.Truncate || o.Exclusive || u.closing {
		return nil, busy("another upload of this name is under way; wait for it to end, or take another name")
	}
	u.users[s]++
	return &Upload{incoming: u, session: s}, nil
}

// begin opens the staged file. Callers hold home.mu.
func (u *incoming) begin(o UploadOptions) error {
	h := u.home
	info, err := h.lstat(u.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return u.beginNew(o)
	case err != nil:
		return err
	case info.IsDir():
		return &Error{fs.ErrInvalid, "it is a folder"}
	case o.Exclusive:
		return taken()
	case o.Truncate:
		return u.create()
	case arrivalOf(info.Mode()).unfinished():
		return u.takeOver(info)
	}
	return u.copyOf(info)
}

func (u *incoming) beginNew(o UploadOptions) error {
	if !o.Create {
		return notFound()
	}
	if dir, err := u.home.lstat(path.Dir(u.name)); err != nil || !dir.IsDir() {
		return errors.Join(err, notFound())
	}
	if u.home.fileCount() >= u.home.terms.Load().MaxFiles {
		return overQuota(fmt.Sprintf("there are %d files already, which is the most; wait until they are taken", u.home.terms.Load().MaxFiles))
	}
	return u.create()
}

func (u *incoming) create() (err error) {
	u.f, err = u.home.root.OpenFile(u.staged, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	u.touched = true
	return err
}

// takeOver goes on with an unfinished file in place: nobody reads it.
func (u *incoming) takeOver(info fs.FileInfo) (err error) {
	h := u.home
	if err := h.root.Rename(u.name, u.staged); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.root.Rename(u.staged, u.name))
		}
	}()
	if err := h.root.Chmod(u.staged, 0o600); err != nil {
		return err
	}
	if u.f, err = h.root.OpenFile(u.staged, os.O_RDWR, 0); err != nil {
		return err
	}
	u.size, u.base = info.Size(), info.Size()
	u.written.add(0, u.size)
	if m := h.marks[u.name]; m != nil && arrivalOf(info.Mode()) == sized {
		u.written, u.resized, u.base = m.written, true, 0
	}
	h.forget(u.name)
	h.held += u.size
	u.touched, u.resumed = true, true
	return nil
}

// copyOf goes on with a copy of a file that was closed before: the file itself
// may be being read.
func (u *incoming) copyOf(info fs.FileInfo) (err error) {
	h := u.home
	if h.held+h.arriving.bytes+h.refused.bytes+info.Size() > h.terms.Load().MaxBytes {
		return overQuota("the quota of bytes is used up")
	}
	from, err := h.root.Open(u.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := u.create(); err != nil {
		return err
	}
	n, err := io.Copy(u.f, from)
	if err != nil {
		return errors.Join(err, u.f.Close(), h.root.Remove(u.staged))
	}
	u.size, u.base, u.touched = n, n, false
	u.written.add(0, n)
	h.held += n
	return nil
}

// Name returns the name as the client knows it.
func (u *incoming) Name() string { return "/" + u.name }

// Size returns how long the file is so far.
func (u *incoming) Size() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.size
}

// info describes the file as far as it is written.
func (u *incoming) info(base string) Info {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.mtime
	if at.IsZero() {
		at = u.home.now()
	}
	return Info{name: base, size: u.size, at: at}
}

// WriteAt implements io.WriterAt. Writes may come in any order and beside each
// other; a failure sticks.
func (u *incoming) WriteAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if err := u.claim(off, end); err != nil {
		return 0, err
	}
	n, err := u.f.WriteAt(p, off)
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil {
		return n, u.stick(tell(err))
	}
	u.strides.add(off, int64(len(p)))
	u.base = min(u.base, off) // what it writes over is new, too
	if !u.written.add(off, end) {
		return n, u.stick(&Error{ErrBroken, "the writes are too scattered; write from the start to the end"})
	}
	return n, u.err
}

// claim makes room for a write that ends at end.
func (u *incoming) claim(off, end int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.err != nil:
		return u.err
	case off < 0 || end < off:
		return &Error{fs.ErrInvalid, "there is no such place in a file"}
	}
	u.touched = true
	return u.grow(end)
}

// grow takes bytes of the quota up to a new size. Callers hold mu.
func (u *incoming) grow(size int64) error {
	if size <= u.size {
		return nil
	}
	if limit := u.home.terms.Load().MaxFile; size > limit {
		return u.stick(overQuota(fmt.Sprintf("a file may have %d bytes at most", limit)))
	}
	if err := u.home.reserve(size - u.size); err != nil {
		return u.stick(err)
	}
	u.size = size
	return nil
}

// stick keeps the first failure. Callers hold mu.
func (u *incoming) stick(err error) error {
	if u.err == nil {
		u.err = err
	}
	return u.err
}

// ReadAt implements io.ReaderAt.
func (u *incoming) ReadAt(p []byte, off int64) (int, error) {
	n, err := u.f.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = tell(err)
	}
	return n, err
}

// Truncate gives the file a size.
func (u *incoming) Truncate(size int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return u.err
	}
	if size < 0 {
		return &Error{fs.ErrInvalid, "a size is not negative"}
	}
	was := u.size
	if err := u.grow(size); err != nil {
		return err
	}
	if err := u.f.Truncate(size); err != nil {
		return u.stick(tell(err))
	}
	u.touched = true
	u.resized = u.resized || size > was
	u.written.cut(size)
	if size < was {
		u.home.release(was - size)
		u.size, u.base = size, min(u.base, size)
	}
	return nil
}

// failure returns why the upload cannot become whole; nil: nothing is known
// against it.
func (u *incoming) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

func (u *incoming) chtimes(at time.Time) {
	u.mu.Lock()
	u.mtime = at
	u.mu.Unlock()
}

// Break says that the upload cannot become whole, such as when its connection
// is lost. What there is of it is kept for the client to go on with.
func (u *incoming) Break(err error) {
	var known *Error
	if !errors.As(err, &known) {
		err = &Error{ErrBroken, "the connection was lost"}
	}
	u.mu.Lock()
	_ = u.stick(err)
	u.mu.Unlock()
}
