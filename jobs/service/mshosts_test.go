package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/crypto/ssh"
)

// hostAlerts counts the open alerts about hosts.
func (h *house) hostAlerts() int {
	h.t.Helper()
	list, err := h.desk.Alerts(h.t.Context(), jobs.AlertFilter{Open: true, Kind: jobs.AlertHost})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

// programme is a host of Microsoft's side that the configuration names, and the
// folder there on the disk.
func (h *house) programme() (host *exchangetest.Site, out string) {
	h.t.Helper()
	host = exchangetest.NewSite(h.t, exchangetest.SiteOptions{Carriers: []string{"programme"}})
	out = filepath.Join(host.Home("programme"), "inbox", "out")
	key, err := os.ReadFile(host.KeyFile("programme"))
	if err := errors.Join(err, os.MkdirAll(filepath.Join(out, "fabrikam", "numbers"), 0o750), os.WriteFile(filepath.Join(h.dir, "key"), key, 0o600)); err != nil {
		h.t.Fatal(err)
	}
	pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.Keys.Announced()[0])))
	h.append(fmt.Sprintf("microsoft: {hosts: {programme: {address: %q, user: programme, key_file: key, host_keys: [%q], folder: inbox/out, every: 50ms}}}\n", host.Addr, pin))
	return host, out
}

// Microsoft's side is a host of its own: what lies there is taken once, without
// anybody who carries files. When it cannot be reached somebody is told, and it
// goes on by itself.
func TestMicrosoftsFilesComeFromAHost(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	host, out := h.programme()
	account, _ := host.Account("programme")
	shut := account
	shut.Keys = nil
	host.SetAccount(shut)
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.until("it is told of", func() bool { return h.hostAlerts() == 1 })
	host.SetAccount(account)
	h.until("it goes on", func() bool { return h.hostAlerts() == 0 })
	calls := func() []control.File {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Side: "microsoft"})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	put := func(name, text string) {
		path := filepath.Join(out, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o640), os.Chtimes(path, past, past)); err != nil {
			t.Fatal(err)
		}
	}
	put("fabrikam/m.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	put("fabrikam/numbers/list.csv", shared("u1"))
	h.until("the call is taken", func() bool { return len(calls()) == 1 })
	if got := calls()[0]; got.File != "programme/m.csv" || got.Accepted != 1 {
		t.Errorf("%+v", got)
	}
	listing := filepath.Join(h.dir, "data", "microsoft", "fabrikam", "numbers", "programme", "list.csv")
	h.until("the listing is there", func() bool {
		info, err := os.Stat(listing)
		return err == nil && info.ModTime().Equal(past)
	})
	if err := os.Remove(filepath.Join(h.dir, "data", "microsoft", "fabrikam", "programme", "m.csv")); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	put("fabrikam/m2.csv", table(call{"m2", "2026-10-01T11:00:00Z", 60}))
	h.until("the second one is taken", func() bool { return len(calls()) == 2 })
	if _, err := os.Stat(filepath.Join(h.dir, "data", "microsoft", "fabrikam", "programme", "m.csv")); err == nil {
		t.Error("the first one came twice")
	}
	h.stop()
	h.clean("the log", h.out.String())
}

// shaky is a server whose connections end after some bytes.
type shaky struct {
	net.Conn
	left atomic.Int64
}

func (s *shaky) Write(p []byte) (int, error) {
	if s.left.Add(-int64(len(p))) < 0 {
		_ = s.Close()
		return 0, net.ErrClosed
	}
	return s.Conn.Write(p)
}

// A host by OpenSSH whose connections break before a file has ended: it is gone on
// with, from one connection to the next, and then put away there.
func TestALargeFileComesOverAShakyLine(t *testing.T) {
	dir := t.TempDir()
	large := []byte(table(call{"m1", "2026-10-01T10:00:00Z", 60}) + strings.Repeat("\n", 4<<20))
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	file := filepath.Join(dir, "out", "2026", "large.csv")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, large, 0o640), os.Chtimes(file, past, past)); err != nil {
		t.Fatal(err)
	}
	server := &exchangetest.SSHServer{SFTP: exchangetest.OpenSSH(t, dir), User: "concord", Password: "secretword"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c := &shaky{Conn: conn}
			c.left.Store(2 << 20)
			go server.Serve(c)
		}
	}()
	h := &house{site: newSite(t), t: t}
	t.Cleanup(func() {
		h.stop()
		_ = l.Close()
		<-served
	})
	if err := os.WriteFile(filepath.Join(h.dir, "word"), []byte("secretword"), 0o600); err != nil {
		t.Fatal(err)
	}
	pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(exchangetest.NewKey(1).PublicKey())))
	h.append(fmt.Sprintf("microsoft: {hosts: {programme: {address: %q, user: concord, password_file: word, host_keys: [%q], folder: out, carrier: fabrikam, done: done, every: 20ms}}}\n", l.Addr(), pin))
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	h.until("it is there, and put away on the host", func() bool {
		here, err := os.ReadFile(filepath.Join(h.dir, "data", "microsoft", "fabrikam", "programme", "2026", "large.csv"))
		there, terr := os.Stat(filepath.Join(dir, "done", "2026", "large.csv"))
		return err == nil && terr == nil && bytes.Equal(here, large) && there.Size() == int64(len(large))
	})
	if n := connections.Load(); n < 3 {
		t.Errorf("%d connections are not shaky", n)
	}
}
