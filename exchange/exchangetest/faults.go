package exchangetest

import (
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"

	"concord/exchange"
)

// ErrInjected is the failure that Faulty makes.
var ErrInjected = errors.New("injected failure")

// Faulty is a Remote some operations of which fail. Each method is an operation,
// and so is each piece of content that goes through a Put or a Get.
type Faulty struct {
	r         exchange.Remote
	from, end int64
	late      bool
	ops       atomic.Int64
}

// FailAt fails operation n, counted from 0, and no other.
func FailAt(n int, r exchange.Remote) *Faulty {
	return &Faulty{r: r, from: int64(n), end: int64(n) + 1}
}

// FailFrom fails operation n and all later ones: the remote is gone.
func FailFrom(n int, r exchange.Remote) *Faulty {
	return &Faulty{r: r, from: int64(n), end: math.MaxInt64}
}

// LoseAt does operation n and loses the answer.
func LoseAt(n int, r exchange.Remote) *Faulty {
	f := FailAt(n, r)
	f.late = true
	return f
}

// Failed reports whether the operation that should fail was reached.
func (f *Faulty) Failed() bool { return f.ops.Load() > f.from }

// do counts an operation and fails it before or after its time.
func (f *Faulty) do(operation func() error) error {
	n := f.ops.Add(1) - 1
	fails := f.from <= n && n < f.end
	if fails && !f.late {
		return ErrInjected
	}
	err := operation()
	if fails {
		return ErrInjected
	}
	return err
}

// List implements exchange.Remote.
func (f *Faulty) List(ctx context.Context, dir string) (entries []exchange.Entry, err error) {
	err = f.do(func() (err error) {
		entries, err = f.r.List(ctx, dir)
		return err
	})
	return entries, err
}

// Stat implements exchange.Remote.
func (f *Faulty) Stat(ctx context.Context, name string) (e exchange.Entry, err error) {
	err = f.do(func() (err error) {
		e, err = f.r.Stat(ctx, name)
		return err
	})
	return e, err
}

// Put implements exchange.Remote.
func (f *Faulty) Put(ctx context.Context, name string, src io.Reader) error {
	return f.do(func() error { return f.r.Put(ctx, name, faultyReader{f, src}) })
}

type faultyReader struct {
	f *Faulty
	r io.Reader
}

func (r faultyReader) Read(p []byte) (n int, err error) {
	err = r.f.do(func() (err error) {
		n, err = r.r.Read(p)
		return err
	})
	return n, err
}

// Get implements exchange.Remote.
func (f *Faulty) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	return f.do(func() error { return f.r.Get(ctx, name, faultyWriter{f, dst}, from) })
}

type faultyWriter struct {
	f *Faulty
	w io.Writer
}

func (w faultyWriter) Write(p []byte) (n int, err error) {
	err = w.f.do(func() (err error) {
		n, err = w.w.Write(p)
		return err
	})
	return n, err
}

// Rename implements exchange.Remote.
func (f *Faulty) Rename(ctx context.Context, from, to string) error {
	return f.do(func() error { return f.r.Rename(ctx, from, to) })
}

// Remove implements exchange.Remote.
func (f *Faulty) Remove(ctx context.Context, name string) error {
	return f.do(func() error { return f.r.Remove(ctx, name) })
}

// SHA256 implements exchange.Hasher if the remote does.
func (f *Faulty) SHA256(ctx context.Context, name string) (sum [32]byte, err error) {
	h, ok := f.r.(exchange.Hasher)
	if !ok {
		return sum, errors.ErrUnsupported
	}
	err = f.do(func() (err error) {
		sum, err = h.SHA256(ctx, name)
		return err
	})
	return sum, err
}

// Under is the folder of a remote as a remote of its own.
func Under(r exchange.Remote, dir string) exchange.Remote { return under{r, dir + "/"} }

type under struct {
	r   exchange.Remote
	dir string
}

func (u under) List(ctx context.Context, dir string) ([]exchange.Entry, error) {
	return u.r.List(ctx, u.dir+dir)
}

func (u under) Stat(ctx context.Context, name string) (exchange.Entry, error) {
	return u.r.Stat(ctx, u.dir+name)
}

func (u under) Put(ctx context.Context, name string, src io.Reader) error {
	return u.r.Put(ctx, u.dir+name, src)
}

func (u under) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	return u.r.Get(ctx, u.dir+name, dst, from)
}

func (u under) Rename(ctx context.Context, from, to string) error {
	return u.r.Rename(ctx, u.dir+from, u.dir+to)
}

func (u under) Remove(ctx context.Context, name string) error {
	return u.r.Remove(ctx, u.dir+name)
}
