package sftpd

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// caller is a connection from an address.
type caller struct {
	net.Conn
	from   string
	closed bool
}

func (c *caller) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

func (c *caller) Close() error {
	c.closed = true
	return nil
}

// doorAt is a door with a clock that its test moves on.
type doorAt struct {
	*door
	time time.Time
}

func newDoorAt(s Settings) *doorAt {
	d := &doorAt{time: noon}
	d.door = newDoor(s.withDefaults(), func() time.Time { return d.time })
	return d
}

// come lets a caller in a second after the last one.
func (d *doorAt) come(from string) (*caller, *visitor) {
	d.time = d.time.Add(time.Second)
	c := &caller{from: from}
	return c, d.enter(c)
}

func TestWhoHasComeLeastFarGivesWay(t *testing.T) {
	d := newDoorAt(Settings{Waiting: 6, WaitingPerAddress: 3})
	first, v := d.come("10.0.0.1:1")
	d.heard(v)
	silent, _ := d.come("10.0.0.1:2")
	later, _ := d.come("10.0.0.1:3")
	d.come("10.0.0.1:4")
	if first.closed || !silent.closed || later.closed {
		t.Error("of one address, not the longest silent one")
	}
	honest, v := d.come("10.0.0.2:1")
	d.heard(v)
	alone, _ := d.come("10.0.0.3:1")
	d.come("10.0.0.4:1")
	d.come("10.0.0.5:1")
	if first.closed || !later.closed || honest.closed || alone.closed {
		t.Error("of all, not one of the address with the most")
	}
	d.come("10.0.0.6:1") // 10.0.0.1 has two left
	d.come("10.0.0.7:1") // all have one
	if first.closed || honest.closed || !alone.closed {
		t.Error("of equals, not the longest silent one")
	}
	if len(d.waiting) != 6 || d.total != 6 {
		t.Errorf("%d addresses and %d connections wait", len(d.waiting), d.total)
	}
}

func TestLeavingTwiceCountsOnce(t *testing.T) {
	d := newDoorAt(Settings{})
	_, v := d.come("10.0.0.1:1")
	d.come("10.0.0.1:2")
	d.leave(v)
	d.leave(v)
	if d.total != 1 || len(d.waiting) != 1 {
		t.Errorf("%d wait", d.total)
	}
	c, _ := d.come("10.0.0.2:1")
	d.shut()
	if _, v := d.come("10.0.0.3:1"); v != nil || !c.closed {
		t.Error("the door is not shut")
	}
}

// fail lets an address fail until it is banned, and returns for how long.
func (d *doorAt) fail(from string, times int, account string) (ban time.Duration) {
	for range times {
		d.time = d.time.Add(time.Second)
		_, b := d.failed(addressOf(&caller{from: from}), account)
		ban = max(ban, b)
	}
	return ban
}

func TestBansDoubleAndAreForgotten(t *testing.T) {
	d := newDoorAt(Settings{Failures: 3, Ban: time.Minute})
	const from = "10.0.0.1:1"
	if ban := d.fail(from, 2, "a"); ban != 0 {
		t.Errorf("banned for %s at once", ban)
	}
	more := 1
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if ban := d.fail(from, more, "a"); ban != want {
			t.Errorf("banned for %s, want %s", ban, want)
		}
		if _, v := d.come(from); v != nil {
			t.Error("let in while banned")
		}
		if _, v := d.come("10.0.0.2:1"); v == nil {
			t.Error("another address is banned too")
		}
		if d.time = d.time.Add(want); d.enter(&caller{from: from}) == nil {
			t.Error("banned for longer than that")
		}
		more = 3
	}
	for range 20 {
		d.fail(from, 3, "a")
	}
	if ban := d.fail(from, 3, "a"); ban != 24*time.Hour {
		t.Errorf("the longest ban: %s", ban)
	}
	d.time = d.time.Add(24*time.Hour + 2*forgetAfter)
	if ban := d.fail(from, 3, "a"); ban != time.Minute {
		t.Errorf("a long time later: %s", ban)
	}
}

func TestOwnFailuresAreForgivenOnly(t *testing.T) {
	d := newDoorAt(Settings{Failures: 4})
	const from = "10.0.0.1:1"
	at := addressOf(&caller{from: from})
	d.fail(from, 3, "mine")
	d.welcome(at, "mine")
	if len(d.records) != 0 {
		t.Error("own failures are remembered after a login")
	}
	d.fail(from, 3, "another's")
	d.welcome(at, "mine")
	if d.fail(from, 1, "another's") == 0 {
		t.Error("a login to one account lets guess another's key for ever")
	}
	d.welcome(at, "mine")
	if _, v := d.come(from); v != nil {
		t.Error("a login ends a ban")
	}
	d.welcome(addressOf(&caller{from: "10.9.9.9:1"}), "mine") // was never here
}

func TestFailuresMakeWait(t *testing.T) {
	d := newDoorAt(Settings{Failures: 1000})
	var last time.Duration
	for i := range 20 {
		wait, _ := d.failed(netip.Prefix{}, "a")
		if wait < last || wait > 2*time.Second || i == 0 && wait > 200*time.Millisecond {
			t.Errorf("failure %d waits %s after %s", i, wait, last)
		}
		last = wait
	}
	if last != 2*time.Second {
		t.Errorf("at last %s", last)
	}
}

func TestAddressesCountAsTheyAreGiven(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:9":              "192.0.2.1/32",
		"[::ffff:192.0.2.1]:9":     "192.0.2.1/32",
		"[2001:db8:1:2:3:4:5:6]:9": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:9": "2001:db8:1:2::/64",
		"[fe80::1:2:3:4%eth0]:9":   "fe80::/64",
		"[2001:db8:1:3::1]:9":      "2001:db8:1:3::/64",
	} {
		if got := addressOf(&caller{from: from}); got.String() != want {
			t.Errorf("%s counts as %s, want %s", from, got, want)
		}
	}
	if got := addressOf(&pipeEnd{}); got.IsValid() {
		t.Errorf("a pipe counts as %s", got)
	}
}

type pipeEnd struct{ net.Conn }

func (pipeEnd) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "@", Net: "unix"} }

func TestAddressesTakeBoundedMemory(t *testing.T) {
	d := newDoorAt(Settings{})
	for i := range 3 * maxRecords {
		d.failed(addressOf(&caller{from: fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)}), "a")
	}
	if len(d.records) > maxRecords {
		t.Errorf("%d addresses are remembered", len(d.records))
	}
	d.time = d.time.Add(2 * forgetAfter)
	d.failed(netip.Prefix{}, "a")
	if len(d.records) != 1 {
		t.Errorf("%d addresses are remembered after a long time", len(d.records))
	}
}
