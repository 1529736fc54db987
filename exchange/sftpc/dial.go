package sftpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// Dial connects to the host, checks its key and logs in. Its user closes the
// client. Errors are a *DialError when the host, not the settings, is to blame.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	conn, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Closing the connection is what ends a handshake that hangs.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, err := shake(cfg, conn)
	if !stop() && err == nil {
		err = errors.Join(ctx.Err(), c.Close())
	}
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to %s: %w", cfg.Addr, context.Cause(ctx))
		}
		return nil, err
	}
	return c, nil
}

func connect(ctx context.Context, cfg Config) (net.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	conn, err := cfg.Dial(bounded, "tcp", cfg.Addr)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("connect to %s: %w", cfg.Addr, context.Cause(ctx))
	}
	return nil, &DialError{Addr: cfg.Addr, Problem: reached(err), Err: err}
}

// shake makes an SFTP client of a network connection, all within one deadline.
func shake(cfg Config, raw net.Conn) (*Client, error) {
	if err := raw.SetDeadline(time.Now().Add(cfg.HandshakeTimeout)); err != nil {
		return nil, err
	}
	conn := &heardConn{Conn: raw}
	l := &login{cfg: cfg}
	sc, chans, reqs, err := ssh.NewClientConn(conn, cfg.Addr, l.config())
	if err != nil {
		return nil, l.explain(err)
	}
	c, err := open(ssh.NewClient(sc, chans, reqs), conn)
	if err != nil {
		e := &DialError{Addr: cfg.Addr, Problem: opened(conn, err), Err: err}
		sc.Close() // not sooner: then it would seem to have broken
		return nil, e
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.supervise(cfg)
	return c, nil
}

// open starts the SFTP subsystem. It does what sftp.NewClient does, with an ear
// on the answers.
func open(host *ssh.Client, conn *heardConn) (*Client, error) {
	ch, reqs, err := host.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	c := &Client{ssh: host, conn: conn, over: make(chan struct{})}
	c.wg.Go(func() { ssh.DiscardRequests(reqs) })
	c.wg.Go(func() { io.Copy(io.Discard, ch.Stderr()) })
	switch ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"})); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNoSubsystem
	}
	answers := answerReader{ch, &c.wait}
	c.sftp, err = sftp.NewClientPipe(answers, ch, sftp.MaxPacketChecked(packet), sftp.MaxConcurrentRequestsPerFile(window))
	return c, err
}

var errNoSubsystem = errors.New("the subsystem sftp was refused")

// opened explains an error of starting SFTP. While the connection lives, the host
// is to blame: it has refused, or ended, or started something else.
func opened(conn *heardConn, err error) Problem {
	if broken := conn.broken.Load(); broken != nil {
		return shaken(*broken, false)
	}
	if p := shaken(err, false); p == TimedOut {
		return p
	}
	return NoSFTP
}

// login holds what happened on the way in.
type login struct {
	cfg       Config
	known     bool // the host has shown a pinned key
	methods   []string
	asked     bool // for the password
	secretErr error
}

func (l *login) config() *ssh.ClientConfig {
	trusted, _ := parsePins(l.cfg.HostKeys)
	cc := &ssh.ClientConfig{
		Config:            algorithms(),
		User:              l.cfg.User,
		ClientVersion:     "SSH-2.0-Concord",
		HostKeyAlgorithms: trusted.algorithms(),
		HostKeyCallback: func(addr string, remote net.Addr, key ssh.PublicKey) error {
			err := trusted.check(addr, remote, key)
			l.known = err == nil
			return err
		},
		AuthCallback: func(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
			l.methods = c.AllowedMethods
			return nil, nil
		},
	}
	if len(l.cfg.Signers) > 0 {
		cc.Auth = append(cc.Auth, ssh.PublicKeys(l.cfg.Signers...))
	}
	if l.cfg.Password != nil {
		cc.Auth = append(cc.Auth, ssh.PasswordCallback(l.secret), ssh.KeyboardInteractive(l.answer))
	}
	return cc
}

// secret gives the password once: a second try would only count as another
// failure.
func (l *login) secret() (string, error) {
	if l.asked {
		return "", errors.New("the password was refused")
	}
	l.asked = true
	s, err := l.cfg.Password()
	l.secretErr = err
	return s, err
}

// answer gives the password to a host that asks one hidden question, and nothing
// to any other.
func (l *login) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	switch {
	case len(questions) == 0:
		return nil, nil
	case len(questions) > 1 || echos[0]:
		return nil, errors.New("the host asks for more than a password")
	}
	s, err := l.secret()
	return []string{s}, err
}

func (l *login) explain(err error) error {
	if l.secretErr != nil {
		return fmt.Errorf("password of %s: %w", l.cfg, l.secretErr)
	}
	e := &DialError{Addr: l.cfg.Addr, Problem: shaken(err, l.known), Err: err}
	if e.Problem == LoginRefused {
		e.Methods = l.methods
	}
	return e
}

// heardConn counts what the host has sent, and knows why it sends no more.
type heardConn struct {
	net.Conn
	heard  atomic.Int64 // reads that brought something
	broken atomic.Pointer[error]
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Add(1)
	}
	if err != nil {
		c.broken.CompareAndSwap(nil, &err)
	}
	return n, err
}

// answerReader notes that the SFTP server answers, which keepalives do not
// show.
type answerReader struct {
	io.Reader
	wait *patience
}

func (r answerReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.wait.moved()
	}
	return n, err
}
