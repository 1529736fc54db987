// Package spill keeps large collections of records in memory while a budget
// lasts and in scratch files beyond it.
//
// A Shuffle deals fixed-size records out to partitions, a Blobs keeps byte
// strings, a Sorter puts byte records in order. Records hold no pointers.
// Scratch files hold personal data: whoever provides them sees to it that
// they vanish. The package exists beside the engine's rules because it has a
// life of its own: it owns files that must be closed.
package spill

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Scratch makes temporary files. They vanish when closed.
type Scratch interface {
	Create() (File, error)
}

// File is one temporary file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Budget is the memory that all areas of a run share. It is safe for
// concurrent use.
type Budget struct{ free atomic.Int64 }

// NewBudget returns a budget of the given number of bytes.
func NewBudget(bytes int64) *Budget {
	b := new(Budget)
	b.free.Store(bytes)
	return b
}

func (b *Budget) take(n int) bool {
	if b.free.Add(-int64(n)) >= 0 {
		return true
	}
	b.give(n)
	return false
}

func (b *Budget) give(n int) { b.free.Add(int64(n)) }

// Area keeps blocks of one kind: in memory while the budget lasts, else in
// one scratch file. It is safe for concurrent use.
type Area struct {
	budget  *Budget
	scratch Scratch
	mu      sync.Mutex // guards file and spare
	file    File
	spare   [][]byte
	end     atomic.Int64
}

// NewArea returns an empty area.
func NewArea(b *Budget, s Scratch) *Area { return &Area{budget: b, scratch: s} }

// block is a stretch of bytes: in memory when mem is set, else in the file.
type block struct {
	mem []byte
	off int64
	n   int
}

const maxSpare = 64

// put keeps buf[:n]. When kept is true buf belongs to the area, else it was
// written to the file and the caller may use it again.
func (a *Area) put(buf []byte, n int) (b block, kept bool, err error) {
	if a.budget.take(cap(buf)) {
		return block{mem: buf[:n], n: n}, true, nil
	}
	b, err = a.write(buf[:n])
	return b, false, err
}

// write appends p to the file.
func (a *Area) write(p []byte) (block, error) {
	f, err := a.open()
	if err != nil {
		return block{}, err
	}
	off := a.end.Add(int64(len(p))) - int64(len(p))
	if _, err := f.WriteAt(p, off); err != nil {
		return block{}, fmt.Errorf("write scratch file: %w", err)
	}
	return block{off: off, n: len(p)}, nil
}

func (a *Area) open() (File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		return a.file, nil
	}
	f, err := a.scratch.Create()
	if err != nil {
		return nil, fmt.Errorf("create scratch file: %w", err)
	}
	a.file = f
	return f, nil
}

// get copies a block to dst, which has its length.
func (a *Area) get(b block, dst []byte) error {
	if b.mem != nil {
		copy(dst, b.mem)
		return nil
	}
	return a.readAt(dst, b.off)
}

func (a *Area) readAt(dst []byte, off int64) error {
	if n, err := a.file.ReadAt(dst, off); n < len(dst) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read scratch file: %w", err)
	}
	return nil
}

// release gives a block's memory back.
func (a *Area) release(b block) {
	if b.mem == nil {
		return
	}
	a.budget.give(cap(b.mem))
	a.mu.Lock()
	if len(a.spare) < maxSpare {
		a.spare = append(a.spare, b.mem[:cap(b.mem)])
	}
	a.mu.Unlock()
}

// buffer returns a buffer of the given size, used before if there is one.
func (a *Area) buffer(size int) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.spare); n > 0 && len(a.spare[n-1]) == size {
		b := a.spare[n-1]
		a.spare = a.spare[:n-1]
		return b
	}
	return asBytes(make([]uint64, (size+7)/8))[:size:size]
}

// Close drops everything in the area.
func (a *Area) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spare = nil
	if a.file == nil {
		return nil
	}
	f := a.file
	a.file = nil
	return f.Close()
}

// asBytes views records as bytes.
func asBytes[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// asRecords views bytes as records. The bytes start where a record may.
func asRecords[T any](b []byte) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}
