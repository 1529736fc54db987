package pgp_test

import "runtime"

// held is how much memory is in use.
func held() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// peak is a writer that remembers the most memory that was in use.
type peak struct{ bytes, written int64 }

// Write implements io.Writer.
func (p *peak) Write(b []byte) (int, error) {
	if before := p.written >> 20; (p.written+int64(len(b)))>>20 != before {
		p.bytes = max(p.bytes, held())
	}
	p.written += int64(len(b))
	return len(b), nil
}
