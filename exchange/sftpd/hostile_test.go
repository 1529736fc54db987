package sftpd_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/sftpd"

	"golang.org/x/crypto/ssh"
)

// maxMiB is what the server process may take under any attack.
const maxMiB = 300

// crowd keeps connections open from 40 addresses, and opens new ones for those
// that it loses, until ctx ends.
func crowd(ctx context.Context, to string, size int, say string) (visits *atomic.Int64, wait func()) {
	visits = &atomic.Int64{}
	var wg sync.WaitGroup
	for i := range size {
		wg.Go(func() {
			for ctx.Err() == nil {
				conn, err := visit(fmt.Sprintf("127.0.1.%d", 1+i%40), to)
				if err != nil {
					continue
				}
				visits.Add(1)
				_, _ = io.WriteString(conn, say)
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				_, _ = io.Copy(io.Discard, conn)
				stop()
				_ = conn.Close()
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	return visits, wg.Wait
}

// halfHello is what a client says before it falls silent: a version, and a key
// exchange that it does not go on with.
func halfHello() string {
	p := append([]byte{6, 20}, make([]byte, 16)...)
	for _, list := range []string{"curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com", "aes128-gcm@openssh.com", "", "", "none", "none", "", ""} {
		p = append(binary.BigEndian.AppendUint32(p, uint32(len(list))), list...)
	}
	p = append(p, make([]byte, 5+6)...)
	return "SSH-2.0-Half\r\n" + string(binary.BigEndian.AppendUint32(nil, uint32(len(p)))) + string(p)
}

// greedyChannels asks for channels without end.
func greedyChannels(c *ssh.Client, n int) (got int) {
	for range n {
		if _, reqs, err := c.OpenChannel("session", nil); err == nil {
			go ssh.DiscardRequests(reqs)
			got++
		}
	}
	return got
}

// greedyOpens opens a file again and again, and counts the handles.
func greedyOpens(t testing.TB, c *ssh.Client, n int) (got int) {
	r := rawSFTP(t, c)
	r.status(reqClose, r.open("/inbox/a.csv", flagWrite|flagCreate|flagTruncate))
	go func() {
		for i := range n {
			if _, err := r.ch.Write(packet(3, uint32(i), "/inbox/a.csv", uint32(flagRead), uint32(0))); err != nil {
				return
			}
		}
	}()
	for range n {
		if kind, _ := r.receive(); kind == 102 {
			got++
		}
	}
	return got
}

// Every attack at once, while an honest carrier uploads.
func TestHostileClientsDoNotStarveHonestOnes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	p := startServer(t)
	quiet := p.goroutines(t)
	alone, err := p.upload("", "/inbox/alone.csv", 8)
	must(t, err)
	size := 2000
	if raceDetector { // which makes the attackers slower than the attacked
		size = 200
	}
	ctx, stop := context.WithCancel(t.Context())
	silent, waitSilent := crowd(ctx, p.site.Addr, size, "")
	half, waitHalf := crowd(ctx, p.site.Addr, size, halfHello())
	waitFor(t, "crowd", func() bool { return min(silent.Load(), half.Load()) >= int64(size) })

	greedy, err := p.login(other, "127.0.0.9")
	must(t, err)
	another, err := p.login(other, "127.0.0.9")
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		if n := greedyChannels(greedy, 3000); n != 8 {
			t.Errorf("3,000 channels asked for, %d given", n)
		}
	})
	wg.Go(func() {
		if n := greedyOpens(t, another, 20_000); n != 64 {
			t.Errorf("20,000 files opened, %d handles given", n)
		}
	})
	var slowest time.Duration
	for i := range 5 {
		took, err := p.upload(fmt.Sprintf("127.0.0.%d", 2+i%3), fmt.Sprintf("/inbox/%d.csv", i), 8)
		if err != nil {
			t.Errorf("upload %d under attack: %v", i, err)
		}
		slowest = max(slowest, took)
	}
	wg.Wait()
	peak := p.peak(t)
	t.Logf("8 MiB: %s alone, at most %s under attack; %d silent and %d half-finished connections; peak %d MiB", alone, slowest, silent.Load(), half.Load(), peak)
	if peak > maxMiB && !raceDetector {
		t.Errorf("the server took %d MiB", peak)
	}
	stop()
	waitSilent()
	waitHalf()
	_, _ = greedy.Close(), another.Close()
	waitFor(t, "end of what the clients began", func() bool { return p.goroutines(t) <= quiet })
	_, err = p.upload("", "/inbox/after.csv", 8)
	must(t, err)
}

// quits waits for the server to end a connection or a session.
func quits(t testing.TB, what string, r io.Reader) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, r)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("%s: still served", what)
	}
}

func TestNonsenseEndsTheSession(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	garbage := make([]byte, 256<<10)
	for i := range garbage {
		garbage[i] = byte(i * i >> 3)
	}
	for name, sent := range map[string][]byte{
		"4 GiB":              {0xff, 0xff, 0xff, 0xff, 6, 1, 2, 3},
		"4 GiB of extension": {0xff, 0xff, 0xff, 0xff, 200, 1, 2, 3},
		"nothing":            {0, 0, 0, 0, 0},
		"256 KiB of garbage": packet(77, garbage[1:]),
		"a reply":            packet(101, uint32(1), uint32(0), "", ""),
		"an open, cut":       packet(3, uint32(1), uint32(200)),
		"a write, cut":       packet(6, uint32(1), "1", uint64(0), uint32(1<<31)),
		"a string too long":  packet(17, uint32(1), uint32(0xffff_fff0), []byte("/inbox")),
		"an extension, cut":  packet(200, uint32(1), "posix-rename@openssh.com", "/inbox/a"),
	} {
		c := login(t, site, carrier)
		r := rawSFTP(t, c)
		if _, err := r.ch.Write(sent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		quits(t, name, r.ch)
		must(t, put(open(t, c), "inbox/a.csv", []byte("the connection goes on")))
		_ = c.Close()
	}
	for _, e := range site.Events() {
		if e.Act == sftpd.ActFault {
			t.Errorf("%+v", e)
		}
	}
}

// A client that does not read its replies is dropped, whatever else it does.
func TestWhoDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Idle: 300 * time.Millisecond, Keepalive: 50 * time.Millisecond}})
	c := login(t, site, carrier)
	r := rawSFTP(t, c)
	h := r.open("/inbox/a.csv", flagRead|flagWrite|flagCreate)
	r.status(reqWrite, h, uint64(0), string(make([]byte, 200<<10)))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for i := uint32(0); ; i++ {
			if _, err := r.ch.Write(packet(reqRead, i, h, uint64(0), uint32(200<<10))); err != nil {
				return
			}
			if _, err := r.ch.Write(packet(reqExtended, i, "limits@openssh.com")); err != nil {
				return
			}
		}
	}()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("still connected")
	}
	must(t, put(open(t, login(t, site, carrier)), "inbox/b.csv", []byte("b")))
}

func TestGuessersAreBannedAndNobodyElse(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Failures: 3}})
	stranger := ssh.ClientConfig{User: carrier, Auth: []ssh.AuthMethod{ssh.PublicKeys(newEd25519(t))}}
	for range 3 {
		if _, err := knock(site, "127.0.0.66", stranger); err == nil {
			t.Fatal("a stranger logged in")
		}
	}
	waitFor(t, "ban", func() bool { return count(site, sftpd.ActBan) == 1 })
	for range 50 { // not even with the right key
		if _, err := knock(site, "127.0.0.66", keyOf(site, carrier)); err == nil {
			t.Fatal("logged in from a banned address")
		}
	}
	if n := count(site, sftpd.ActRefused); n != 3 {
		t.Errorf("%d lines of audit about refusals", n)
	}
	c, err := knock(site, "127.0.0.67", keyOf(site, carrier))
	must(t, err)
	_ = c.Close()
	asked, err := tryPassword(site, carrier, strings.Split(strings.Repeat("x ", 20), " ")...)
	if err == nil || asked > 3 {
		t.Errorf("%d passwords in one connection, %v", asked, err)
	}
}

// A client that fills its windows with single bytes takes fifty times as much
// memory of the library: it is cut off. One that speaks in small requests is not.
func TestEmptyTalkIsCutOff(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	for name, begin := range map[string]func(c *ssh.Client) io.Writer{
		"before the session": func(c *ssh.Client) io.Writer {
			ch, reqs, err := c.OpenChannel("session", nil)
			must(t, err)
			go ssh.DiscardRequests(reqs)
			return ch
		},
		"in a request": func(c *ssh.Client) io.Writer {
			r := rawSFTP(t, c)
			_, err := r.ch.Write([]byte{0, 3, 0, 0, 6})
			must(t, err)
			return r.ch
		},
	} {
		ch, sent := begin(login(t, site, carrier)), 0
		for ; sent < 1<<18; sent++ {
			if _, err := ch.Write([]byte{0}); err != nil {
				break
			}
		}
		if sent < 10_000 || sent == 1<<18 {
			t.Errorf("%s: cut off after %d bytes", name, sent)
		}
	}
	r := rawSFTP(t, login(t, site, carrier))
	for range 400 {
		for i := range 50 {
			r.send(reqStat, uint32(i), "/inbox")
		}
		for range 50 {
			r.receive()
		}
	}
}

// A client may not use a handle before it is told of it: the library would race
// with itself.
func TestGuessedHandlesAreNone(t *testing.T) {
	t.Parallel()
	r := rawSFTP(t, login(t, newSite(t, exchangetest.SiteOptions{}), carrier))
	spoiled := 0
	for i := range uint32(50) {
		guess := strconv.Itoa(int(i) + 1)
		both := append(packet(3, i, "/inbox/a.csv", uint32(flagWrite|flagCreate|flagTruncate), uint32(0)), packet(reqWrite, i, guess, uint64(0), "too early")...)
		_, err := r.ch.Write(both)
		must(t, err)
		_, opened := r.receive()
		// On a busy machine the handle may be given before the write is looked at.
		switch kind, body := r.receive(); {
		case kind == 101 && body[7] == statusFailure:
			spoiled++
		case kind != 101 || body[7] != statusOK:
			t.Fatalf("a write to a handle not given yet: type %d, %x", kind, body)
		}
		if got := str(opened[4:]); got != guess {
			t.Fatalf("the library gives the handle %s, not %s", got, guess)
		}
		r.id = i
		if code, text := r.status(reqWrite, guess, uint64(0), "now"); code != statusOK {
			t.Fatalf("a write in time: %d %s", code, text)
		}
		r.status(reqClose, guess)
	}
	if spoiled == 0 {
		t.Error("no guess was refused")
	}
}
