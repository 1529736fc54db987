package sftpd

import (
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"concord/exchange/landing"
)

// reading is a file that a client has open for reading.
type reading struct {
	*session
	f    *os.File
	name string
	n    atomic.Int64
}

// ReadAt implements io.ReaderAt.
func (r *reading) ReadAt(p []byte, off int64) (n int, err error) {
	defer r.guard(&err, r.name)
	if off < 0 {
		return 0, noSuchPlace()
	}
	n, err = r.f.ReadAt(p, off)
	r.n.Add(int64(n))
	return n, err
}

// Close implements io.Closer.
func (r *reading) Close() (err error) {
	defer r.giveBack()
	defer r.guard(&err, r.name)
	if n := r.n.Load(); n > 0 {
		r.tell(ActDownload, Event{Name: r.name, Bytes: n})
	}
	return r.f.Close()
}

// writing is a file that a client has open for writing.
type writing struct {
	*session
	u     *landing.Upload
	name  string
	blind bool      // it is not open for reading
	end   *appender // nil: writes go where the client says
}

// WriteAt implements io.WriterAt.
func (w *writing) WriteAt(p []byte, off int64) (n int, err error) {
	defer w.guard(&err, w.name)
	if w.end != nil {
		off = w.end.place(off)
	}
	return w.u.WriteAt(p, off)
}

// ReadAt implements io.ReaderAt.
func (w *writing) ReadAt(p []byte, off int64) (n int, err error) {
	defer w.guard(&err, w.name)
	if w.blind {
		return 0, &landing.Error{Kind: fs.ErrInvalid, Text: "the file is not open for reading"}
	}
	if off < 0 {
		return 0, noSuchPlace()
	}
	n, err = w.u.ReadAt(p, off)
	if n > 0 && err == io.EOF {
		err = nil // the library asks again
	}
	return n, err
}

// TransferError implements sftp.TransferError: the session has ended with the
// file open.
func (w *writing) TransferError(err error) {
	var told error
	defer w.guard(&told, w.name)
	w.u.Break(err)
}

// Close implements io.Closer.
func (w *writing) Close() (err error) {
	defer w.giveBack()
	defer w.guard(&err, w.name)
	size := w.u.Size()
	err = w.u.Close()
	e := Event{Name: w.name, Bytes: size}
	if err != nil {
		e.Why = "not taken: " + err.Error()
	}
	w.tell(ActUpload, e)
	return err
}

func noSuchPlace() error {
	return &landing.Error{Kind: fs.ErrInvalid, Text: "there is no such place in a file"}
}

// appender finds out what a client that opens a file for appending means by an
// offset: some count from the start of the file, others from where they began.
// Its writes come beside each other, and the first in the client's order
// decides.
type appender struct {
	base    int64
	decided chan struct{}
	once    sync.Once
	shift   int64
}

// appendWait is how long other writes wait for the one that decides.
const appendWait = time.Second

func newAppender(base int64) *appender {
	return &appender{base: base, decided: make(chan struct{})}
}

// place returns where a write belongs.
func (a *appender) place(off int64) int64 {
	switch off {
	case a.base:
		a.decide(0)
	case 0:
		a.decide(a.base)
	}
	select {
	case <-a.decided:
	case <-time.After(appendWait):
		a.decide(0)
		<-a.decided
	}
	return off + a.shift
}

func (a *appender) decide(shift int64) {
	a.once.Do(func() {
		a.shift = shift
		close(a.decided)
	})
}
