package service_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/service"
	"concord/jobs/state"

	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := jobs.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const sheet = "record_id,start,duration_ms,caller,callee\n" +
	"r1,2026-10-01T10:00:00Z,60000,+493012345678,+442071234567\nr2,nonsense,60000,+493012345678,+442071234567\n"

// site is a service as a configuration in a folder describes it.
type site struct {
	dir string
	key ssh.Signer
	out logs
}

// newKey makes a key: its public half as a configuration has it, and itself.
func newKey(t *testing.T) (line string, key ssh.Signer) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = ssh.NewSignerFromKey(private); err != nil {
		t.Fatal(err)
	}
	shown, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%q", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))), key
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	var line string
	line, s.key = newKey(t)
	text := fmt.Sprintf("data: data\nhttp: {listen: none}\nsftp: {listen: \"127.0.0.1:0\"}\ncarriers:\n  fabrikam:\n    keys: [%s]\n", line)
	if err := os.WriteFile(filepath.Join(s.dir, "concord.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) config(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Load(filepath.Join(s.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *site) open(t *testing.T) (*service.Service, error) {
	t.Helper()
	return service.Open(t.Context(), s.config(t), service.Options{
		Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Log:    slog.New(slog.NewJSONHandler(&s.out, nil)), Now: time.Now,
	})
}

// run starts the service, has do use it, and stops it.
func (s *site) run(t *testing.T, do func(r exchange.Remote)) {
	t.Helper()
	srv, err := s.open(t)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	var pins []string
	for _, k := range srv.HostKeys().Announced() {
		pins = append(pins, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))))
	}
	c, err := sftpc.Dial(t.Context(), sftpc.Config{Addr: srv.SFTP().String(), User: "fabrikam", Signers: []ssh.Signer{s.key}, HostKeys: pins})
	if err != nil {
		t.Fatal(err)
	}
	do(c)
	_ = c.Close()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, r exchange.Remote, name string) landing.Receipt {
	t.Helper()
	return awaitIn(t, r, "receipts/"+name+".json")
}

// awaitIn waits for a receipt in a remote place.
func awaitIn(t *testing.T, r exchange.Remote, name string) (got landing.Receipt) {
	t.Helper()
	late := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var b bytes.Buffer
		if r.Get(t.Context(), name, &b, 0) == nil {
			if err := json.Unmarshal(b.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s has no receipt", name)
		}
	}
}

func TestACarrierIsServedAcrossRestarts(t *testing.T) {
	s := newSite(t)
	send := func(r exchange.Remote, name string) landing.Receipt {
		if err := exchange.Publish(t.Context(), r, "inbox/"+name, strings.NewReader(sheet), int64(len(sheet))); err != nil {
			t.Fatal(err)
		}
		return await(t, r, name)
	}
	s.run(t, func(r exchange.Remote) {
		if got := send(r, "a.csv"); got.Status != landing.StatusPartly || got.Accepted != 1 || got.Rejected != 1 || got.Seconds != "60" {
			t.Errorf("receipt %+v", got)
		}
	})
	s.run(t, func(r exchange.Remote) {
		if got := send(r, "b.csv"); got.Status != landing.StatusDuplicate || got.DuplicateOf != "a.csv" {
			t.Errorf("receipt %+v", got)
		}
		var rows bytes.Buffer
		if err := r.Get(t.Context(), "receipts/a.csv.rejected.csv", &rows, 0); err != nil || !strings.Contains(rows.String(), "start") {
			t.Errorf("rejected rows %q, %v", rows.String(), err)
		}
	})
	store, err := state.Open(t.Context(), s.config(t).Data)
	if err != nil {
		t.Fatal(err)
	}
	list, err := store.ListFiles(t.Context(), jobs.FileFilter{})
	if err != nil || len(list) != 2 {
		t.Errorf("ledger %+v, %v", list, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.out.String(), "4930123") {
		t.Error("a phone number is in the log")
	}
}

func TestOneServiceAtATimeWorksOnAFolder(t *testing.T) {
	s := newSite(t)
	s.run(t, func(exchange.Remote) {
		second, err := s.open(t)
		if err == nil {
			_ = second.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "another concord serve") {
			t.Errorf("a second service: %v", err)
		}
	})
}

// A service that is started again the moment it was killed must start: what it
// was doing may hold the lock a little longer.
func TestALockThatIsAboutToGoIsWaitedFor(t *testing.T) {
	s := newSite(t)
	first, err := s.open(t)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() { closed <- first.Close() })
	second, err := s.open(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-closed, second.Close()); err != nil {
		t.Error(err)
	}
}

// A carrier that has a host of its own is visited there.
func TestACarriersOwnHostIsVisited(t *testing.T) {
	host := exchangetest.NewSite(t, exchangetest.SiteOptions{Carriers: []string{"litware"}})
	dir := t.TempDir()
	for _, folder := range []string{"out", "receipts"} {
		if err := os.Mkdir(filepath.Join(host.Home("litware"), "inbox", folder), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(host.Home("litware"), "inbox", "out", "a.csv"), []byte(sheet), 0o640); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(host.KeyFile("litware"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.Keys.Announced()[0])))
	text := fmt.Sprintf("data: data\nhttp: {listen: none}\ncarriers:\n  litware:\n    host: {address: %q, user: litware, key_file: key, host_keys: [%q], inbox: inbox/out, receipts: inbox/receipts}\n", host.Addr, pin)
	if err := os.WriteFile(filepath.Join(dir, "concord.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := service.Open(t.Context(), c, service.Options{
		Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}}, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Now: time.Now,
		VisitEvery: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	folder, err := exchange.OpenLocal(filepath.Join(host.Home("litware"), "inbox", "receipts"))
	if err != nil {
		t.Fatal(err)
	}
	if got := awaitIn(t, folder, "a.csv.json"); got.Status != landing.StatusPartly {
		t.Errorf("receipt %+v", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}
