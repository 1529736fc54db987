package spill

import (
	"sync"
	"unsafe"
)

// Shuffle deals records of type T, which holds no pointers, out to
// partitions. Writers fill it beside each other; when all are closed the
// partitions are loaded. The order within a partition is not defined.
type Shuffle[T any] struct {
	area     *Area
	blockLen int // records a block
	mu       sync.Mutex
	parts    []partition
}

type partition struct {
	blocks  []block
	records int
}

// NewShuffle returns an empty shuffle. blockBytes is the size of the buffer
// that each writer holds for each partition it writes to.
func NewShuffle[T any](b *Budget, s Scratch, partitions, blockBytes int) *Shuffle[T] {
	return &Shuffle[T]{
		area:     NewArea(b, s),
		blockLen: max(1, blockBytes/int(unsafe.Sizeof(*new(T)))),
		parts:    make([]partition, partitions),
	}
}

// Partitions returns how many there are.
func (s *Shuffle[T]) Partitions() int { return len(s.parts) }

// Len returns how many records partition p holds.
func (s *Shuffle[T]) Len(p int) int { return s.parts[p].records }

// Total returns how many records all partitions hold.
func (s *Shuffle[T]) Total() (n int) {
	for i := range s.parts {
		n += s.parts[i].records
	}
	return n
}

// Load appends partition p to dst and gives its memory back: a partition is
// loaded once.
func (s *Shuffle[T]) Load(p int, dst []T) ([]T, error) {
	part := &s.parts[p]
	n := len(dst)
	if need := n + part.records; need > cap(dst) {
		grown := make([]T, n, need+need/8)
		copy(grown, dst)
		dst = grown
	}
	dst = dst[:n+part.records]
	for _, b := range part.blocks {
		k := b.n / int(unsafe.Sizeof(*new(T)))
		if err := s.area.get(b, asBytes(dst[n:n+k])); err != nil {
			return nil, err
		}
		s.area.release(b)
		n += k
	}
	*part = partition{}
	return dst, nil
}

// Drop gives the memory of partition p back.
func (s *Shuffle[T]) Drop(p int) {
	for _, b := range s.parts[p].blocks {
		s.area.release(b)
	}
	s.parts[p] = partition{}
}

// Each calls fn with the records of partition p, a block at a time. The
// records stay.
func (s *Shuffle[T]) Each(p int, fn func([]T) error) error {
	buf := make([]T, s.blockLen)
	for _, b := range s.parts[p].blocks {
		k := b.n / int(unsafe.Sizeof(*new(T)))
		if err := s.area.get(b, asBytes(buf[:k])); err != nil {
			return err
		}
		if err := fn(buf[:k]); err != nil {
			return err
		}
	}
	return nil
}

// Close drops everything.
func (s *Shuffle[T]) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.parts {
		s.Drop(i)
	}
	return s.area.Close()
}

// Writer adds records to a Shuffle. It is not safe for concurrent use; each
// goroutine has its own.
type Writer[T any] struct {
	s    *Shuffle[T]
	bufs [][]T
	n    []int32
	err  error
}

// Writer returns a new writer.
func (s *Shuffle[T]) Writer() *Writer[T] {
	return &Writer[T]{s: s, bufs: make([][]T, len(s.parts)), n: make([]int32, len(s.parts))}
}

// Add puts v in partition p. An error is reported by Close.
func (w *Writer[T]) Add(p int, v *T) {
	n := w.n[p]
	if int(n) == len(w.bufs[p]) {
		w.full(p)
		n = w.n[p]
	}
	w.bufs[p][n] = *v
	w.n[p] = n + 1
}

// full hands the buffer of partition p over and starts a new one.
func (w *Writer[T]) full(p int) {
	size := w.s.blockLen * int(unsafe.Sizeof(*new(T)))
	if w.bufs[p] == nil || w.flush(p) {
		w.bufs[p] = asRecords[T](w.s.area.buffer(size))
	}
}

// flush reports whether the buffer was kept and another is needed.
func (w *Writer[T]) flush(p int) bool {
	k := int(w.n[p])
	w.n[p] = 0
	if k == 0 || w.err != nil {
		return false
	}
	b, kept, err := w.s.area.put(asBytes(w.bufs[p]), k*int(unsafe.Sizeof(*new(T))))
	if err != nil {
		w.err = err
		return false
	}
	w.s.mu.Lock()
	part := &w.s.parts[p]
	part.blocks = append(part.blocks, b)
	part.records += k
	w.s.mu.Unlock()
	return kept
}

// Close hands over what is left and returns the first error of the writer.
func (w *Writer[T]) Close() error {
	for p := range w.bufs {
		w.flush(p)
		w.bufs[p] = nil
	}
	return w.err
}
