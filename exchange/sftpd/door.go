package sftpd

import (
	"hash/maphash"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"
)

// door keeps account of connections before the login, and of addresses from
// which logins fail. When there are too many, the address that has the most of
// them loses the one that has come least far and waits longest: an honest client
// needs a fraction of a second. Safe for concurrent use.
type door struct {
	Settings
	now  func() time.Time
	seed maphash.Seed

	mu      sync.Mutex
	closed  bool
	waiting map[netip.Prefix]map[*visitor]bool
	total   int
	records map[netip.Prefix]*record
	swept   time.Time
}

// visitor is a connection before the login.
type visitor struct {
	conn  net.Conn
	from  netip.Prefix
	since time.Time
	spoke bool
	gone  bool
}

// record is what is remembered of an address.
type record struct {
	failures map[uint64]int // by the hash of the account's name, since the last ban
	bans     int
	until    time.Time // of the ban
	last     time.Time
}

func (r *record) total() (n int) {
	for _, f := range r.failures {
		n += f
	}
	return n
}

// maxRecords bounds the memory that addresses can take.
const maxRecords = 10_000

// forgetAfter is how long a failure counts.
const forgetAfter = 30 * time.Minute

func newDoor(s Settings, now func() time.Time) *door {
	return &door{Settings: s, now: now, seed: maphash.MakeSeed(), waiting: map[netip.Prefix]map[*visitor]bool{}, records: map[netip.Prefix]*record{}}
}

// addressOf returns the address that a connection counts for: one of IPv4, or
// the 64 bits of IPv6 that a single customer is given.
func addressOf(c net.Conn) netip.Prefix {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}

// enter lets a connection in and returns nil for one that is banned.
func (d *door) enter(c net.Conn) *visitor {
	v := &visitor{conn: c, from: addressOf(c), since: d.now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.records[v.from]; d.closed || r != nil && r.until.After(v.since) {
		return nil
	}
	if all := d.waiting[v.from]; len(all) >= d.WaitingPerAddress {
		d.turnAway(last(all))
	} else if d.total >= d.Waiting {
		d.turnAway(d.last())
	}
	if d.waiting[v.from] == nil {
		d.waiting[v.from] = map[*visitor]bool{}
	}
	d.waiting[v.from][v] = true
	d.total++
	return v
}

// last returns who gives way of all: of the addresses with the most connections,
// the one whose last is behind the others'. Callers hold mu.
func (d *door) last() (v *visitor) {
	most := 0
	for _, all := range d.waiting {
		l := last(all)
		if len(all) > most || len(all) == most && l.behind(v) {
			most, v = len(all), l
		}
	}
	return v
}

// last returns who has come least far of some, the longest waiting of them.
func last(all map[*visitor]bool) (l *visitor) {
	for v := range all {
		if l == nil || v.behind(l) {
			l = v
		}
	}
	return l
}

// behind reports whether a visitor gives way before another.
func (v *visitor) behind(w *visitor) bool {
	if v.spoke != w.spoke {
		return w.spoke
	}
	return v.since.Before(w.since)
}

// turnAway closes a connection. Callers hold mu.
func (d *door) turnAway(v *visitor) {
	if v != nil {
		d.remove(v)
		_ = v.conn.Close()
	}
}

func (d *door) remove(v *visitor) {
	if v.gone {
		return
	}
	v.gone = true
	d.total--
	if delete(d.waiting[v.from], v); len(d.waiting[v.from]) == 0 {
		delete(d.waiting, v.from)
	}
}

// heard tells that a visitor has said who it is.
func (d *door) heard(v *visitor) {
	d.mu.Lock()
	v.spoke = true
	d.mu.Unlock()
}

// leave ends the waiting of a visitor, in or out.
func (d *door) leave(v *visitor) {
	d.mu.Lock()
	d.remove(v)
	d.mu.Unlock()
}

// shut closes every connection before the login, and lets no more in.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, all := range d.waiting {
		for v := range all {
			_ = v.conn.Close()
		}
	}
}

// welcome forgets the failures of an account at an address, from which a login to
// it succeeded. Those of other accounts stay, and so do bans: one carrier's key
// is no licence to guess another's.
func (d *door) welcome(from netip.Prefix, account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[from]
	if r == nil {
		return
	}
	delete(r.failures, d.hash(account))
	if len(r.failures) == 0 && r.bans == 0 {
		delete(d.records, from)
	}
}

func (d *door) hash(account string) uint64 { return maphash.String(d.seed, account) }

// failed counts a failed login and returns how long to let the client wait for
// the answer, and for how long its address is banned now, if it is.
func (d *door) failed(from netip.Prefix, account string) (wait, ban time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	r := d.records[from]
	if r == nil || now.Sub(r.last) > forgetAfter && now.After(r.until.Add(forgetAfter)) {
		d.makeRoom(now)
		r = &record{failures: map[uint64]int{}}
		d.records[from] = r
	}
	r.last = now
	r.failures[d.hash(account)]++
	n := r.total()
	if n >= d.Failures {
		ban = min(24*time.Hour, d.Ban<<min(r.bans, 12))
		r.until = now.Add(ban)
		r.bans++
		clear(r.failures)
	}
	return min(2*time.Second, 50*time.Millisecond<<min(n, 6)), ban
}

// sweepEach is how often records are looked through. Whoever has many addresses
// must not keep the door busy with that.
const sweepEach = time.Minute

// makeRoom drops records that count no more, or any one when there are too
// many. Callers hold mu.
func (d *door) makeRoom(now time.Time) {
	if len(d.records) < maxRecords {
		return
	}
	if now.Sub(d.swept) >= sweepEach {
		d.swept = now
		maps.DeleteFunc(d.records, func(_ netip.Prefix, r *record) bool {
			return now.Sub(r.last) > forgetAfter && now.After(r.until)
		})
	}
	for from := range d.records {
		if len(d.records) < maxRecords {
			return
		}
		delete(d.records, from)
	}
}
