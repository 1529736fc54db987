package crash

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/atrest"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/service"

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

// serve is concord serve. It prints its address, and ends when it is killed or
// when standard input does.
func serve(dir string) error {
	c, err := config.Load(filepath.Join(dir, "concord.yaml"))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	srv, err := service.Open(ctx, c, service.Options{
		Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}}, Now: time.Now,
		VisitEvery: 50 * time.Millisecond, TickEvery: 100 * time.Millisecond, Program: "test",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return err
	}
	fmt.Println(srv.SFTP())
	go func() { // ends with the process at the latest
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return errors.Join(srv.Run(ctx), srv.Close())
}

// child is a running service.
type child struct {
	cmd  *exec.Cmd
	in   io.Closer
	addr string
}

func start(t *testing.T, dir string) *child {
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
	return &child{cmd, in, strings.TrimSpace(addr)}
}

// kill ends it without a word, as kill -9 does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// stop lets it end by itself.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(c.in.Close(), c.cmd.Wait()); err != nil {
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
	for name, text := range map[string]string{
		"concord.yaml": fmt.Sprintf("data: data\nhttp: {listen: none}\nsftp: {listen: \"127.0.0.1:0\"}\njobs: {daily: {kind: reconcile, zone: UTC, late_delay: 1ms}}\ncarriers:\n  fabrikam:\n    profile: profile.yaml\n"+
			"    keys: [%q]\n    files: {hold: 20ms, grace: 30ms}\n", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))),
		"profile.yaml": "carrier: fabrikam\nfiles: {pattern: \"FAB_{seq:06}.csv\", format: csv}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return signer
}

// encrypt has the service encrypt what it keeps, and returns the keys.
func encrypt(t *testing.T, dir string) *atrest.Keys {
	t.Helper()
	to, identity, err := atrest.Generate()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "concord.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, "encryption: {recipients: %s, identity_file: identity}\n", to)
	if err := errors.Join(os.WriteFile(name, text, 0o600), os.WriteFile(filepath.Join(dir, "identity"), []byte(identity), 0o600)); err != nil {
		t.Fatal(err)
	}
	keys, err := atrest.New(atrest.Given{Recipients: []string{to}, Identities: []string{identity}})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
