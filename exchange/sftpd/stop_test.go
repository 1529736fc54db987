package sftpd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/exchange/sftpd"

	"golang.org/x/crypto/ssh"
)

// stoppable is a further server of a site, which the test stops itself.
type stoppable struct {
	site *exchangetest.Site
	stop context.CancelFunc
	done chan error
}

func startStoppable(t *testing.T, settings sftpd.Settings) *stoppable {
	t.Helper()
	site := newSite(t, exchangetest.SiteOptions{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	site.Addr = l.Addr().String()
	srv, err := sftpd.New(sftpd.Config{Accounts: site, Keys: site.Keys, Settings: settings, Now: time.Now})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	s := &stoppable{site, stop, make(chan error, 1)}
	go func() { s.done <- srv.Serve(ctx, l) }()
	return s
}

// ended waits for Serve to return.
func (s *stoppable) ended(t *testing.T) {
	t.Helper()
	select {
	case err := <-s.done:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not stop")
	}
}

func TestAStoppingServerLetsUploadsFinish(t *testing.T) {
	t.Parallel()
	s := startStoppable(t, sftpd.Settings{Drain: 20 * time.Second})
	c, idle := login(t, s.site, carrier), login(t, s.site, other)
	f := open(t, c)
	up, err := f.Create("inbox/a.csv.part")
	must(t, err)
	_, err = up.Write([]byte("first, "))
	must(t, err)
	silent, err := visit("", s.site.Addr)
	must(t, err)
	s.stop()
	quits(t, "a connection before the login", silent)
	_ = idle.Wait() // it has nothing to finish
	if _, err := knock(s.site, "", keyOf(s.site, other)); err == nil {
		t.Error("logged in to a stopping server")
	}
	if _, err := f.Create("inbox/b.csv"); err == nil || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("another upload: %v", err)
	}
	_, err = up.Write([]byte("second"))
	must(t, err)
	must(t, up.Close())
	must(t, f.Rename("inbox/a.csv.part", "inbox/a.csv")) // as many clients do
	s.ended(t)
	if got, err := os.ReadFile(filepath.Join(s.site.Home(carrier), "inbox/a.csv")); err != nil || string(got) != "first, second" {
		t.Errorf("the upload: %q, %v", got, err)
	}
}

func TestAStoppingServerCutsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	s := startStoppable(t, sftpd.Settings{Drain: 300 * time.Millisecond})
	f := open(t, login(t, s.site, carrier))
	up, err := f.Create("inbox/a.csv")
	must(t, err)
	_, err = up.Write([]byte("the first half"))
	must(t, err)
	begun := time.Now()
	s.stop()
	s.ended(t)
	if took := time.Since(begun); took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("stopped after %s", took)
	}
	if err := up.Close(); err == nil {
		t.Error("the client is told that all is well")
	}
	_, err = s.site.Homes[carrier].Session().Open("/inbox/a.csv")
	var known *landing.Error
	if !errors.As(err, &known) || !errors.Is(err, landing.ErrBusy) {
		t.Errorf("half an upload counts as whole: %v", err)
	}
}

func TestAClosedListenerIsAnError(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	if err := site.Server.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestTheIdleAreSentAway(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Idle: 2 * time.Second, Keepalive: 500 * time.Millisecond}})
	busy, idle := login(t, site, carrier), login(t, site, other)
	f := open(t, busy)
	gone := make(chan error, 1)
	go func() { gone <- idle.Wait() }()
	for waiting := true; waiting; {
		if _, err := f.Stat("/inbox"); err != nil {
			t.Fatalf("whoever asks for something is sent away: %v", err)
		}
		select {
		case <-gone:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	waitFor(t, "word of it", func() bool { return count(site, sftpd.ActRefused) == 1 })
}

// A client whose machine was switched off is noticed, and its upload is not taken.
func TestTheDeadAreNoticed(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{Settings: sftpd.Settings{Keepalive: 50 * time.Millisecond}})
	network := exchangetest.NewNetwork(0)
	raw, err := network.Dial(t.Context(), "tcp", site.Addr)
	must(t, err)
	config := keyOf(site, carrier)
	config.HostKeyCallback = ssh.FixedHostKey(site.Keys.Announced()[0])
	config.HostKeyAlgorithms = []string{ssh.KeyAlgoED25519}
	conn, chans, reqs, err := ssh.NewClientConn(raw, site.Addr, &config)
	must(t, err)
	c := ssh.NewClient(conn, chans, reqs)
	defer func() { _ = raw.Close() }() // before anybody waits for an answer
	f := open(t, c)
	up, err := f.Create("inbox/a.csv")
	must(t, err)
	_, err = up.Write([]byte("half"))
	must(t, err)
	network.Freeze()
	waitFor(t, "logout", func() bool { return count(site, sftpd.ActLogout) == 1 })
	if _, err := site.Homes[carrier].Session().Open("/inbox/a.csv"); !errors.Is(err, landing.ErrBusy) {
		t.Errorf("half an upload counts as whole: %v", err)
	}
}

// A handler that panics ends its own session. The clock of a home is what a test
// can make panic.
func TestAPanicEndsOneSession(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	var broken atomic.Bool
	home, err := landing.OpenHome(t.TempDir(), carrier, landing.Terms{}, func() time.Time {
		if broken.Load() {
			panic("the clock has stopped")
		}
		return time.Now()
	})
	must(t, err)
	t.Cleanup(func() { _ = home.Close() })
	allow(site, func(a *sftpd.Account) { a.Home = home })
	c, witness := login(t, site, carrier), open(t, login(t, site, other))
	r := rawSFTP(t, c)
	neighbour := open(t, c)
	r.open("/inbox/a.csv", flagWrite|flagCreate)
	broken.Store(true)
	r.send(reqStat, uint32(1), "/inbox/a.csv")
	r.send(reqStat, uint32(2), "/inbox")
	quits(t, "the session of the panic", r.ch)
	broken.Store(false)
	if _, err := neighbour.Stat("/inbox"); err != nil {
		t.Errorf("another session of the same connection: %v", err)
	}
	must(t, put(neighbour, "inbox/b.csv", []byte("b")))
	must(t, put(witness, "inbox/b.csv", []byte("b")))
	if n := count(site, sftpd.ActFault); n == 0 {
		t.Error("nobody is told")
	}
	if _, err := neighbour.Stat("/inbox/a.csv"); err == nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was open: %v", err)
	}
}

func TestNothingIsLeftOfClients(t *testing.T) {
	site := newSite(t, exchangetest.SiteOptions{})
	before := runtime.NumGoroutine()
	for i := range 5 {
		c, err := knock(site, "", keyOf(site, carrier))
		must(t, err)
		f := open(t, c)
		up, err := f.Create(fmt.Sprintf("inbox/%d.csv", i)) // the upload before may not have ended yet
		must(t, err)
		_, err = c.NewSession() // never used
		must(t, err)
		if i%2 == 0 {
			must(t, up.Close())
		}
		_ = c.Close()
	}
	waitFor(t, "end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
}
