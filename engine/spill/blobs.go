package spill

// Blobs keeps byte strings that are written once and read at random. Put is
// safe for concurrent use; Get is once all are put.
type Blobs struct{ area *Area }

// Ref finds a blob again.
type Ref struct{ b block }

// NewBlobs returns an empty collection.
func NewBlobs(b *Budget, s Scratch) *Blobs { return &Blobs{NewArea(b, s)} }

// Put keeps a copy of p.
func (s *Blobs) Put(p []byte) (Ref, error) {
	if s.area.budget.take(len(p)) {
		return Ref{block{mem: append(make([]byte, 0, len(p)), p...), n: len(p)}}, nil
	}
	b, err := s.area.write(p)
	return Ref{b}, err
}

// Get returns the blob, in buf when it is large enough and the blob is not in
// memory anyway. The result must not be changed.
func (s *Blobs) Get(r Ref, buf []byte) ([]byte, error) {
	if r.b.mem != nil {
		return r.b.mem, nil
	}
	if cap(buf) < r.b.n {
		buf = make([]byte, r.b.n, r.b.n+r.b.n/4)
	}
	buf = buf[:r.b.n]
	return buf, s.area.readAt(buf, r.b.off)
}

// InMemory reports whether Get costs no reading.
func (s *Blobs) InMemory(r Ref) bool { return r.b.mem != nil }

// GetPart is Get for bytes off to off+n of the blob.
func (s *Blobs) GetPart(r Ref, off, n int, buf []byte) ([]byte, error) {
	if r.b.mem != nil {
		return r.b.mem[off : off+n], nil
	}
	if cap(buf) < n {
		buf = make([]byte, n, n+n/4)
	}
	buf = buf[:n]
	return buf, s.area.readAt(buf, r.b.off+int64(off))
}

// Close drops everything.
func (s *Blobs) Close() error { return s.area.Close() }
