package sftpd

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"concord/exchange/landing"

	"golang.org/x/crypto/ssh"
)

// Account is one carrier's way in.
type Account struct {
	Name     string // of the login
	Keys     []ssh.PublicKey
	CAs      []ssh.PublicKey // whose certificates let in; the principal is Name
	Password string          // as HashPassword writes it; empty: no passwords
	Home     *landing.Home
}

// Accounts finds the account of a login, as it is at this moment.
type Accounts interface {
	Account(name string) (Account, bool)
}

var errDenied = errors.New("denied")

// login is one connection's way through the door.
type login struct {
	srv     *Server
	visitor *visitor
	client  string
	failed  bool // a key was refused
}

func (l *login) event(now time.Time, act Act, why string) Event {
	return Event{Time: now, Act: act, Address: l.visitor.conn.RemoteAddr().String(), Client: l.client, Why: why}
}

func (l *login) config(ciphers []string) *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		Config:                  ssh.Config{Ciphers: ciphers, KeyExchanges: safeExchanges, MACs: safeMACs},
		PublicKeyAuthAlgorithms: safeUserKeys,
		ServerVersion:           serverVersion,
		PublicKeyCallback:       l.publicKey,
		PasswordCallback:        l.password,
		MaxAuthTries:            6,
	}
	for _, k := range l.srv.keys.Signers() {
		c.AddHostKey(k)
	}
	return c
}

// publicKey says whether a key may log in. Whoever offers it has still to
// prove that it is theirs.
func (l *login) publicKey(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	a, ok := l.srv.accounts.Account(conn.User())
	if !ok {
		l.failed = true
		return nil, errDenied
	}
	p := &ssh.Permissions{}
	if cert, is := key.(*ssh.Certificate); is {
		var err error
		if p, err = a.certificate(conn, cert, l.srv.now); err != nil {
			l.failed = true
			return nil, err
		}
	} else if !contains(a.Keys, key) {
		l.failed = true
		return nil, errDenied
	}
	if p.Extensions == nil {
		p.Extensions = map[string]string{}
	}
	p.Extensions[howLogged] = key.Type() + " " + ssh.FingerprintSHA256(key)
	return p, nil
}

// howLogged is where the permissions of a connection say how it logged in.
const howLogged = "concord-login"

func contains(keys []ssh.PublicKey, key ssh.PublicKey) bool {
	for _, k := range keys {
		if bytes.Equal(k.Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}

// certificate checks a certificate against the account's authorities.
func (a *Account) certificate(conn ssh.ConnMetadata, cert *ssh.Certificate, now func() time.Time) (*ssh.Permissions, error) {
	if cert.CertType != ssh.UserCert {
		return nil, fmt.Errorf("certificate of type %d", cert.CertType)
	}
	check := ssh.CertChecker{
		IsUserAuthority: func(auth ssh.PublicKey) bool { return contains(a.CAs, auth) },
		Clock:           now,
	}
	return check.Authenticate(conn, cert)
}

// password checks a password, and takes as long for an account that is not
// there.
func (l *login) password(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	a, ok := l.srv.accounts.Account(conn.User())
	hash := a.Password
	if !ok || hash == "" {
		hash = nobody
	}
	if right := l.srv.checkPassword(hash, password); right && ok && a.Password != "" {
		return &ssh.Permissions{Extensions: map[string]string{howLogged: "password"}}, nil
	}
	l.srv.guessed(l)
	return nil, errDenied
}
