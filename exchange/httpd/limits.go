package httpd

import (
	"net/http"
	"sync"
	"time"
)

// limits are buckets of tokens, one for each key: so many requests at once, and
// then as many a second as are filled in.
type limits struct {
	rate, burst float64

	mu      sync.Mutex
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimits(rate, burst float64) *limits {
	return &limits{rate: rate, burst: burst, buckets: map[string]*bucket{}}
}

// take takes one, or says how long to wait until there is one.
func (l *limits) take(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	b := l.buckets[key]
	if b == nil {
		b = &bucket{left: l.burst, at: now}
		l.buckets[key] = b
	}
	b.left = min(l.burst, b.left+l.rate*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) / l.rate * float64(time.Second))
	}
	b.left--
	return 0
}

// sweep forgets full buckets, so that many addresses do not fill the memory.
func (l *limits) sweep(now time.Time) {
	full := time.Duration(l.burst / l.rate * float64(time.Second))
	if now.Sub(l.swept) < full {
		return
	}
	l.swept = now
	for key, b := range l.buckets {
		if now.Sub(b.at) >= full {
			delete(l.buckets, key)
		}
	}
}

// patient is a response that a client must go on taking.
type patient struct {
	http.ResponseWriter
	idle time.Duration
	n    int64
	code int
}

// WriteHeader implements http.ResponseWriter.
func (p *patient) WriteHeader(code int) {
	p.code = code
	p.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (p *patient) Write(b []byte) (int, error) {
	// A server without deadlines, as in a test, does without.
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.idle))
	n, err := p.ResponseWriter.Write(b)
	p.n += int64(n)
	return n, err
}
