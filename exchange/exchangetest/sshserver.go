package exchangetest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// SSHServer is a small SSH server. It is for tests: it has no limits at all.
type SSHServer struct {
	HostKeys []ssh.Signer // nil: NewKey(1)
	User     string       // empty: anybody may come in
	Password string       // empty: no login by password
	// Asks says that it asks for the password by keyboard-interactive.
	Asks bool
	Key  ssh.PublicKey // nil: no login by key
	// SFTP serves the subsystem of that name; nil refuses it.
	SFTP    func(ch ssh.Channel)
	Deaf    bool     // gives no answer to keepalives
	Ciphers []string // nil: those of the library

	wg sync.WaitGroup
}

// NewKey returns a key pair, the same one for the same n.
func NewKey(n byte) ssh.Signer {
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)))
	if err != nil {
		panic(err)
	}
	return key
}

// Through returns a way to connect to the server through a network. The server
// ends with the connection; Wait waits for that.
func (s *SSHServer) Through(n *Network) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := n.Pipe()
		s.wg.Go(func() { s.Serve(server) })
		return client, nil
	}
}

// Wait waits until all that was begun for connections has ended.
func (s *SSHServer) Wait() { s.wg.Wait() }

// Serve serves one connection to its end.
func (s *SSHServer) Serve(conn net.Conn) {
	defer conn.Close()
	sc, chans, reqs, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		return
	}
	s.wg.Go(func() { s.answer(reqs) })
	for c := range chans {
		ch, reqs, err := c.Accept()
		if err != nil {
			break
		}
		s.wg.Go(func() { s.session(ch, reqs) })
	}
	sc.Close()
	sc.Wait()
}

func (s *SSHServer) answer(reqs <-chan *ssh.Request) {
	for r := range reqs {
		if r.WantReply && !s.Deaf {
			r.Reply(false, nil)
		}
	}
}

func (s *SSHServer) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	for r := range reqs {
		ok := r.Type == "subsystem" && bytes.HasSuffix(r.Payload, []byte("sftp")) && s.SFTP != nil
		r.Reply(ok, nil)
		if ok {
			s.wg.Go(func() {
				defer ch.Close()
				s.SFTP(ch)
			})
		}
	}
}

var errNoEntry = errors.New("no entry")

func (s *SSHServer) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{Config: ssh.Config{Ciphers: s.Ciphers}, NoClientAuth: s.User == "", MaxAuthTries: 6}
	allow := func(user string, ok bool) (*ssh.Permissions, error) {
		if user != s.User || !ok {
			return nil, errNoEntry
		}
		return nil, nil
	}
	if s.Password != "" && !s.Asks {
		c.PasswordCallback = func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			return allow(m.User(), string(p) == s.Password)
		}
	}
	if s.Asks {
		c.KeyboardInteractiveCallback = func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			a, err := ask("", "", []string{"Password: "}, []bool{false})
			return allow(m.User(), err == nil && len(a) == 1 && a[0] == s.Password)
		}
	}
	if s.Key != nil {
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			return allow(m.User(), bytes.Equal(k.Marshal(), s.Key.Marshal()))
		}
	}
	if len(s.HostKeys) == 0 {
		c.AddHostKey(NewKey(1))
	}
	for _, k := range s.HostKeys {
		c.AddHostKey(k)
	}
	return c
}

// opensshServer is where Debian keeps it.
const opensshServer = "/usr/lib/openssh/sftp-server"

// OpenSSH serves a folder by OpenSSH's own sftp-server, one process a session.
func OpenSSH(t testing.TB, dir string) func(ch ssh.Channel) {
	t.Helper()
	if _, err := os.Stat(opensshServer); err != nil {
		t.Fatalf("%v: install the Debian package openssh-sftp-server", err)
	}
	return func(ch ssh.Channel) {
		cmd := exec.Command(opensshServer, "-d", dir)
		cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Errorf("start %s: %v", opensshServer, err)
			return
		}
		io.Copy(in, ch)
		in.Close()
		cmd.Wait()
	}
}
