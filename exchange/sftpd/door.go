package sftpd

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// door keeps account of connections before the login, and of addresses from
// which logins fail. When there are too many, whoever has come least far and
// waits longest gives way to the newest: an honest client needs a fraction of a
// second. Safe for concurrent use.
type door struct {
	Settings
	now func() time.Time

	mu      sync.Mutex
	waiting map[netip.Prefix]map[*visitor]bool
	total   int
	records map[netip.Prefix]*record
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
	failures int
	bans     int
	until    time.Time // of the ban
	last     time.Time
}

// maxRecords bounds the memory that addresses can take.
const maxRecords = 10_000

// forgetAfter is how long a failure counts.
const forgetAfter = 30 * time.Minute

func newDoor(s Settings, now func() time.Time) *door {
	return &door{Settings: s, now: now, waiting: map[netip.Prefix]map[*visitor]bool{}, records: map[netip.Prefix]*record{}}
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
	if r := d.records[v.from]; r != nil && r.until.After(v.since) {
		return nil
	}
	if len(d.waiting[v.from]) >= d.WaitingPerAddress {
		d.turnAway(v.from)
	} else if d.total >= d.Waiting {
		d.turnAway(d.crowd())
	}
	if d.waiting[v.from] == nil {
		d.waiting[v.from] = map[*visitor]bool{}
	}
	d.waiting[v.from][v] = true
	d.total++
	return v
}

// crowd returns the address with the most connections. Callers hold mu.
func (d *door) crowd() (most netip.Prefix) {
	for from, all := range d.waiting {
		if len(all) > len(d.waiting[most]) {
			most = from
		}
	}
	return most
}

// turnAway closes the connection of an address that has come least far, the
// longest waiting of them. Callers hold mu.
func (d *door) turnAway(from netip.Prefix) {
	var worst *visitor
	for v := range d.waiting[from] {
		if worst == nil || !v.spoke && worst.spoke || v.spoke == worst.spoke && v.since.Before(worst.since) {
			worst = v
		}
	}
	if worst != nil {
		d.remove(worst)
		_ = worst.conn.Close()
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

// closeAll closes every connection before the login.
func (d *door) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, all := range d.waiting {
		for v := range all {
			_ = v.conn.Close()
		}
	}
}

// welcome forgets the failures of an address from which a login succeeded.
func (d *door) welcome(from netip.Prefix) {
	d.mu.Lock()
	delete(d.records, from)
	d.mu.Unlock()
}

// failed counts a failed login and returns how long to let the client wait for
// the answer, and for how long its address is banned now, if it is.
func (d *door) failed(from netip.Prefix) (wait, ban time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	r := d.records[from]
	if r == nil || now.Sub(r.last) > forgetAfter && now.After(r.until.Add(forgetAfter)) {
		d.makeRoom(now)
		r = &record{}
		d.records[from] = r
	}
	r.last = now
	r.failures++
	if r.failures >= d.Failures {
		ban = min(24*time.Hour, d.Ban<<min(r.bans, 12))
		r.until = now.Add(ban)
		r.bans++
		r.failures = 0
	}
	return min(2*time.Second, 50*time.Millisecond<<min(r.failures, 6)), ban
}

// makeRoom drops records that count no more, or any one when there are too
// many. Callers hold mu.
func (d *door) makeRoom(now time.Time) {
	if len(d.records) < maxRecords {
		return
	}
	for from, r := range d.records {
		if now.Sub(r.last) > forgetAfter && now.After(r.until) {
			delete(d.records, from)
		}
	}
	for from := range d.records {
		if len(d.records) < maxRecords {
			return
		}
		delete(d.records, from)
	}
}
