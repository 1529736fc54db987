package httpd

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits are a limiter for each key: so many requests at once, and then so many
// a second.
type limits struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	of    map[string]*rate.Limiter
	swept time.Time
}

func newLimits(perSecond float64, burst int) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, of: map[string]*rate.Limiter{}}
}

// take takes some, or says how long to wait until there are as many. More than
// the burst are taken as if they were that.
func (l *limits) take(key string, n int, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	if l.of[key] == nil {
		l.of[key] = rate.NewLimiter(l.rate, l.burst)
	}
	r := l.of[key].ReserveN(now, min(n, l.burst))
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// sweep forgets, once a minute at most, who has been quiet for long enough, so
// that many addresses do not fill the memory.
func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key, limiter := range l.of {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.of, key)
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

// patientBody is the body of a request that a client must go on sending.
type patientBody struct{ c *call }

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	// A server without deadlines, as in a test, does without.
	_ = http.NewResponseController(b.c.w).SetReadDeadline(time.Now().Add(b.c.Idle))
	return b.c.r.Body.Read(p)
}
