package crash

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/jobstest"

	"golang.org/x/crypto/ssh"
)

const carrier = "fabrikam"

func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "worker":
		err = jobs.Work(context.Background(), os.Stdin, os.Stdout)
	case len(os.Args) == 3 && os.Args[1] == "serve":
		err = serve(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type accounts struct{ a sftpd.Account }

// Account implements sftpd.Accounts.
func (a accounts) Account(name string) (sftpd.Account, bool) { return a.a, name == a.a.Name }

// serve is the service. It prints its address, and ends when it is killed or
// when standard input does.
func serve(dir string) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ledger, err := jobstest.OpenJournal(filepath.Join(dir, "journal"))
	if err != nil {
		return err
	}
	spool, err := landing.OpenSpool(filepath.Join(dir, "spool"))
	if err != nil {
		return err
	}
	if err := spool.Sweep(ctx, ledger.Holds); err != nil {
		return err
	}
	terms := landing.Terms{Hold: 20 * time.Millisecond, Grace: 30 * time.Millisecond, Rescan: 100 * time.Millisecond}
	home, err := landing.OpenHome(filepath.Join(dir, "home"), carrier, terms, time.Now)
	if err != nil {
		return err
	}
	taker := jobs.NewCollector(jobs.CollectOptions{
		Profile: func(string) (string, error) { return filepath.Join(dir, "profile.yaml"), nil },
		Ledger:  ledger, Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Content: spool.Path, Rejects: filepath.Join(dir, "rejects"),
	})
	wg.Go(func() {
		home.Tend(ctx, spool, taker, landing.Watch{Trouble: func(_, name string, err error) { slog.Error(err.Error(), "file", name) }})
	})
	go func() { // ends with the process at the latest
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return listen(ctx, dir, home)
}

func listen(ctx context.Context, dir string, home *landing.Home) error {
	keys, err := sftpd.OpenHostKeys(filepath.Join(dir, "keys"), time.Now)
	if err != nil {
		return err
	}
	line, err := os.ReadFile(filepath.Join(dir, "user.pub"))
	if err != nil {
		return err
	}
	user, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return err
	}
	server, err := sftpd.New(sftpd.Config{
		Accounts: accounts{sftpd.Account{Name: carrier, Keys: []ssh.PublicKey{user}, Home: home}}, Keys: keys, Now: time.Now,
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return server.Serve(ctx, l)
}

// service is a running one.
type service struct {
	cmd  *exec.Cmd
	in   io.Closer
	addr string
}

func start(t *testing.T, dir string) *service {
	t.Helper()
	cmd := exec.Command(os.Args[0], "serve", dir)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the service does not start: %v", errors.Join(err, cmd.Wait()))
	}
	return &service{cmd, in, strings.TrimSpace(addr)}
}

// kill ends it without a word, as kill -9 does.
func (s *service) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop lets it end by itself.
func (s *service) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.in.Close(), s.cmd.Wait()); err != nil {
		t.Error(err)
	}
}

// settle makes what a service needs to find, and returns the client's key.
func settle(t *testing.T, dir string) ssh.Signer {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"user.pub": ssh.MarshalAuthorizedKey(line), "user": pem.EncodeToMemory(block),
		"profile.yaml": []byte("carrier: fabrikam\nfiles: {pattern: \"FAB_{seq:06}.csv\", format: csv}\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return signer
}
