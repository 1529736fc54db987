package accounts

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// guard makes who guesses passwords wait longer and longer. It counts by the
// address, and by the account over all addresses but those from which its user
// has logged in before: so that guessing from many addresses is slow, and keeps
// nobody out who has been here.
type guard struct {
	mu    *sync.Mutex
	fails map[source]*fails
	known map[source]time.Time // an account at an address: last login
	swept time.Time
}

// source is what failures are counted by: an address, an account, or for known
// an account at an address.
type source struct {
	from    netip.Prefix
	account string
}

// fails are attempts that were not successful.
type fails struct {
	n     int
	until time.Time // no further attempt before
	last  time.Time
	was   time.Time // last, before that
}

const (
	freeAttempts   = 5 // without any wait
	firstWait      = time.Second
	longestAddress = 15 * time.Minute
	longestAccount = 30 * time.Second
	forgetAfter    = time.Hour
	knownFor       = 90 * 24 * time.Hour
	maxSources     = 20_000
	sweepEach      = time.Minute
)

func newGuard() guard {
	return guard{mu: new(sync.Mutex), fails: map[source]*fails{}, known: map[source]time.Time{}}
}

// prefixOf returns the addresses that count as one: the 64 bits of IPv6 that a
// single customer is given.
func prefixOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// attempt returns how long to wait before the next attempt; when that is
// nothing, it counts one as failed until welcome says otherwise, so that many at
// once are not one. Without an account it counts by the address alone.
func (g *guard) attempt(from netip.Addr, account string, now time.Time) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.makeRoom(now)
	address, name := source{from: prefixOf(from)}, source{account: account}
	counted := account != "" && g.known[source{prefixOf(from), account}].IsZero()
	wait = g.wait(address, now)
	if counted {
		wait = max(wait, g.wait(name, now))
	}
	if wait > 0 { // nothing is kept of what is refused
		return wait
	}
	g.of(address, now).count(now, longestAddress)
	if counted {
		g.of(name, now).count(now, longestAccount)
	}
	return 0
}

func (g *guard) wait(s source, now time.Time) time.Duration {
	if f := g.fails[s]; f != nil {
		return f.until.Sub(now)
	}
	return 0
}

// of returns what is counted of a source.
func (g *guard) of(s source, now time.Time) *fails {
	f := g.fails[s]
	if f == nil || f.stale(now) {
		f = &fails{last: now}
		g.fails[s] = f
	}
	return f
}

func (f *fails) stale(now time.Time) bool {
	return now.Sub(f.last) > forgetAfter && now.After(f.until)
}

func (f *fails) count(now time.Time, longest time.Duration) {
	f.n++
	f.last, f.was = now, f.last
	if over := f.n - freeAttempts; over >= 0 {
		f.until = now.Add(min(longest, firstWait<<min(over, 20)))
	}
}

// welcome takes back the attempt that succeeded, and remembers where. What else
// failed from the address stays: one password is no licence to guess another.
func (g *guard) welcome(from netip.Addr, account string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known[source{prefixOf(from), account}] = now
	delete(g.fails, source{account: account})
	g.takeBack(from, now)
}

// forgive takes back an attempt that failed by nobody's fault at the address.
func (g *guard) forgive(from netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.takeBack(from, now)
}

// takeBack has an address have tried once less. Callers hold mu.
func (g *guard) takeBack(from netip.Addr, now time.Time) {
	at := source{from: prefixOf(from)}
	f := g.fails[at]
	if f == nil {
		return
	}
	f.until, f.last = now, f.was
	if f.n--; f.n <= 0 {
		delete(g.fails, at)
	}
}

// makeRoom drops what counts no more, or anything when there is too much.
// Callers hold mu.
func (g *guard) makeRoom(now time.Time) {
	if now.Sub(g.swept) >= sweepEach {
		g.swept = now
		maps.DeleteFunc(g.fails, func(_ source, f *fails) bool { return f.stale(now) })
		maps.DeleteFunc(g.known, func(_ source, at time.Time) bool { return now.Sub(at) > knownFor })
	}
	for s := range g.fails {
		if len(g.fails) < maxSources {
			break
		}
		delete(g.fails, s)
	}
	for s := range g.known {
		if len(g.known) < maxSources {
			break
		}
		delete(g.known, s)
	}
}
