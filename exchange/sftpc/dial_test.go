package sftpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/sftpc"
)

// inMemory serves files that end with the session.
func inMemory(ch ssh.Channel) { serve(ch, sftp.InMemHandler()) }

func serve(ch ssh.Channel, h sftp.Handlers) {
	s := sftp.NewRequestServer(ch, h)
	s.Serve()
	s.Close()
}

// newSigner makes a key pair of another type than NewKey's.
func newSigner(t *testing.T, key any, err error) ssh.Signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attempt dials and closes again.
func attempt(t *testing.T, s *exchangetest.SSHServer, change func(*sftpc.Config)) error {
	t.Helper()
	cfg := config(s, exchangetest.NewNetwork(0))
	change(&cfg)
	c, err := sftpc.Dial(t.Context(), cfg)
	if err == nil {
		err = c.Close()
	}
	s.Wait()
	return err
}

func TestOnlyAPinnedHostIsTalkedTo(t *testing.T) {
	ed := exchangetest.NewKey(1)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec := newSigner(t, ecKey, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	rs := newSigner(t, rsaKey, err)
	print := func(k ssh.Signer) string { return ssh.FingerprintSHA256(k.PublicKey()) }
	authority := exchangetest.NewKey(9)
	certified := certify(t, ed, authority, "sftp.carrier.example")
	misnamed := certify(t, ed, authority, "other.example")
	for _, c := range []struct {
		name string
		host []ssh.Signer
		pins []string
		ok   bool
	}{
		{"the pinned key", []ssh.Signer{ed}, []string{pin(ed)}, true},
		{"another key of the type", []ssh.Signer{exchangetest.NewKey(3)}, []string{pin(ed)}, false},
		{"a key of another type", []ssh.Signer{rs}, []string{pin(ed)}, false},
		{"one of several pins, as in a rotation", []ssh.Signer{ed}, []string{pin(exchangetest.NewKey(3)), pin(ed)}, true},
		{"a host of several keys, ed25519 pinned", []ssh.Signer{rs, ec, ed}, []string{pin(ed)}, true},
		{"a host of several keys, ECDSA pinned", []ssh.Signer{ed, rs, ec}, []string{pin(ec)}, true},
		{"a host of several keys, RSA pinned", []ssh.Signer{ed, ec, rs}, []string{pin(rs)}, true},
		{"a fingerprint", []ssh.Signer{ed}, []string{print(ed)}, true},
		{"another fingerprint", []ssh.Signer{ed}, []string{print(rs)}, false},
		{"a fingerprint and its type", []ssh.Signer{ed, rs}, []string{"ssh-rsa " + print(rs)}, true},
		{"a fingerprint and another type", []ssh.Signer{ed, rs}, []string{"ssh-rsa " + print(ed)}, false},
		{"a line of ssh-keyscan", []ssh.Signer{ed}, []string{"sftp.carrier.example " + pin(ed)}, true},
		{"a certificate of the pinned authority", []ssh.Signer{certified}, []string{"@cert-authority * " + pin(authority)}, true},
		{"a certificate for another host", []ssh.Signer{misnamed}, []string{"@cert-authority * " + pin(authority)}, false},
		{"a certificate of another authority", []ssh.Signer{certified}, []string{"@cert-authority * " + pin(ed)}, false},
		{"an authority that is no host", []ssh.Signer{authority}, []string{"@cert-authority * " + pin(authority)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &exchangetest.SSHServer{HostKeys: c.host, SFTP: inMemory}
			err := attempt(t, s, func(cfg *sftpc.Config) { cfg.HostKeys = c.pins })
			switch {
			case !c.ok:
				problem(t, err, sftpc.HostKeyDiffers)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

func certify(t *testing.T, key, authority ssh.Signer, host string) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{host}, ValidBefore: ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestAnUnknownKeyIsShown(t *testing.T) {
	other := exchangetest.NewKey(3)
	s := &exchangetest.SSHServer{HostKeys: []ssh.Signer{other}, SFTP: inMemory}
	err := attempt(t, s, func(*sftpc.Config) {})
	problem(t, err, sftpc.HostKeyDiffers)
	var key *sftpc.HostKeyError
	if !errors.As(err, &key) || key.Offered != "ssh-ed25519 "+ssh.FingerprintSHA256(other.PublicKey()) {
		t.Fatalf("error %v", err)
	}
	if pinned := "ssh-ed25519 " + ssh.FingerprintSHA256(exchangetest.NewKey(1).PublicKey()); !slices.Equal(key.Pinned, []string{pinned}) {
		t.Errorf("pinned %q", key.Pinned)
	}
	for _, s := range append(key.Pinned, key.Offered) {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not tell %q", err, s)
		}
	}
}

func problem(t *testing.T, err error, want sftpc.Problem) *sftpc.DialError {
	t.Helper()
	var e *sftpc.DialError
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	lasting := slices.Contains([]sftpc.Problem{sftpc.HostKeyDiffers, sftpc.LoginRefused, sftpc.NoAlgorithm}, want)
	if e.Problem != want || errors.Is(err, exchange.ErrPermanent) != lasting {
		t.Errorf("%q; want %q", err, want)
	}
	return e
}

const secret = "correct horse"

func TestLogin(t *testing.T) {
	key := exchangetest.NewKey(2)
	give := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	for _, c := range []struct {
		name     string
		host     *exchangetest.SSHServer
		signers  []ssh.Signer
		password func() (string, error)
		refused  []string // the methods on offer; nil: let in
	}{
		{"by key", &exchangetest.SSHServer{Key: key.PublicKey()}, []ssh.Signer{key}, nil, nil},
		{"by the second key", &exchangetest.SSHServer{Key: key.PublicKey()}, []ssh.Signer{exchangetest.NewKey(7), key}, nil, nil},
		{"by password", &exchangetest.SSHServer{Password: secret}, nil, give(secret), nil},
		{"by password after the key", &exchangetest.SSHServer{Password: secret, Key: exchangetest.NewKey(7).PublicKey()}, []ssh.Signer{key}, give(secret), nil},
		{"by a question for the password", &exchangetest.SSHServer{Password: secret, Asks: true}, nil, give(secret), nil},
		{"with another key", &exchangetest.SSHServer{Key: exchangetest.NewKey(7).PublicKey()}, []ssh.Signer{key}, nil, []string{"publickey"}},
		{"with another password", &exchangetest.SSHServer{Password: secret}, nil, give("battery staple"), []string{"password"}},
		{"with another answer", &exchangetest.SSHServer{Password: secret, Asks: true}, nil, give("battery staple"), []string{"keyboard-interactive"}},
		{"with a key where passwords are asked for", &exchangetest.SSHServer{Password: secret}, []ssh.Signer{key}, nil, []string{"password"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.host.User, c.host.SFTP = "concord", inMemory
			err := attempt(t, c.host, func(cfg *sftpc.Config) { cfg.Signers, cfg.Password = c.signers, c.password })
			if c.refused == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := problem(t, err, sftpc.LoginRefused); !slices.Equal(e.Methods, c.refused) {
				t.Errorf("methods %q", e.Methods)
			}
			if strings.Contains(err.Error(), "staple") {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

func TestAPasswordThatCannotBeReadIsNotTheHostsFault(t *testing.T) {
	errVault := errors.New("the vault is locked")
	s := &exchangetest.SSHServer{User: "concord", Password: secret, SFTP: inMemory}
	err := attempt(t, s, func(cfg *sftpc.Config) {
		cfg.Signers, cfg.Password = nil, func() (string, error) { return "", errVault }
	})
	if !errors.Is(err, errVault) || errors.Is(err, exchange.ErrPermanent) {
		t.Errorf("error %v", err)
	}
}

func TestAConfigDoesNotShowItsSecrets(t *testing.T) {
	cfg := config(&exchangetest.SSHServer{}, exchangetest.NewNetwork(0))
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(form, cfg); got != "concord@sftp.carrier.example:22" {
			t.Errorf("%s: %s", form, got)
		}
	}
}

func TestValidateTellsAllAtOnce(t *testing.T) {
	err := sftpc.Config{HostKeys: []string{"SHA256:short", "ssh-dss " + ssh.FingerprintSHA256(exchangetest.NewKey(1).PublicKey())}, StallTimeout: -1}.Validate()
	for _, want := range []string{"addr", "user", "signers, password", "host_keys[0]", "host_keys[1]", "ssh-dss", "timeouts"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %s", err, want)
		}
	}
	cfg := config(&exchangetest.SSHServer{}, exchangetest.NewNetwork(0))
	for addr, ok := range map[string]bool{"h": true, "h:2222": true, "::1": true, "[::1]:22": true, "h:0": false, "h:x": false, ":22": false, "h:70000": false} {
		cfg.Addr = addr
		if err := cfg.Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestWhatKeepsAHostFromBeingReachedIsSaid(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	failing := func(err error) func(*sftpc.Config) {
		return func(c *sftpc.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		}
	}
	answering := func(first string) func(*sftpc.Config) {
		return func(c *sftpc.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) {
				client, server := exchangetest.NewNetwork(0).Pipe()
				server.Write([]byte(first))
				if first == "" {
					server.Close()
				}
				return client, nil
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*sftpc.Config)
		want   sftpc.Problem
	}{
		{"a misspelt name", failing(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), sftpc.Unresolved},
		{"nobody listens", func(c *sftpc.Config) { c.Addr, c.Dial = closed.Addr().String(), nil }, sftpc.Refused},
		{"no route", failing(&net.OpError{Op: "dial", Err: errors.New("no route to host")}), sftpc.Unreachable},
		{"a web server", answering("HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("x", 300)), sftpc.NotSSH},
		{"a host that hangs up", answering(""), sftpc.Broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			problem(t, attempt(t, &exchangetest.SSHServer{SFTP: inMemory}, c.change), c.want)
		})
	}
	t.Run("old algorithms only", func(t *testing.T) {
		s := &exchangetest.SSHServer{SFTP: inMemory, Ciphers: []string{ssh.InsecureCipherAES128CBC}}
		problem(t, attempt(t, s, func(*sftpc.Config) {}), sftpc.NoAlgorithm)
	})
	for name, start := range map[string]func(ssh.Channel){
		"no subsystem":            nil,
		"one that ends at once":   func(ssh.Channel) {},
		"one that talks nonsense": func(ch ssh.Channel) { ch.Write([]byte("This account is not available.\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			problem(t, attempt(t, &exchangetest.SSHServer{SFTP: start}, func(*sftpc.Config) {}), sftpc.NoSFTP)
		})
	}
}

func TestAHostThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	hang := func(ctx context.Context, network, addr string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
	mute := func(context.Context, string, string) (net.Conn, error) {
		client, _ := exchangetest.NewNetwork(0).Pipe()
		return client, nil
	}
	deafSFTP := &exchangetest.SSHServer{SFTP: func(ch ssh.Channel) { ch.Read(make([]byte, 1)); ch.Read(make([]byte, 1<<20)); ch.Read(make([]byte, 1)) }}
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"no connection": hang,
		"no handshake":  mute,
		"no SFTP":       deafSFTP.Through(exchangetest.NewNetwork(0)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := attempt(t, &exchangetest.SSHServer{}, func(c *sftpc.Config) { c.Dial = dial })
				problem(t, err, sftpc.TimedOut)
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("took %v", took)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start = time.Now()
				cfg := config(&exchangetest.SSHServer{}, exchangetest.NewNetwork(0))
				cfg.Dial = dial
				if _, err := sftpc.Dial(ctx, cfg); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}
