package sftpd

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
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

// Accounts finds the account of a login, as it is at this moment. It is asked at
// each login, at each session and while one lasts: who has lost the account, or
// the key or password by which they came, is sent away within Settings.Keepalive.
type Accounts interface {
	Account(name string) (Account, bool)
}

var errDenied = errors.New("denied")

// login is one connection's way through the door.
type login struct {
	srv     *Server
	visitor *visitor
	client  string
	user    string // as the client called itself last
	failed  bool   // a key was refused
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
	l.user = conn.User()
	a, ok := l.srv.accounts.Account(l.user)
	if !ok {
		l.failed = true
		return nil, errDenied
	}
	p, err := a.admit(conn, key, l.srv.now)
	if err != nil {
		l.failed = true
	}
	return p, err
}

// admit returns what a key or certificate permits.
func (a *Account) admit(conn ssh.ConnMetadata, key ssh.PublicKey, now func() time.Time) (*ssh.Permissions, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if cert, is := key.(*ssh.Certificate); is {
		return a.certificate(conn, cert, now)
	}
	if !contains(a.Keys, key) {
		return nil, errDenied
	}
	return proof{how: key.Type() + " " + ssh.FingerprintSHA256(key), key: key}.permissions(nil), nil
}

// minRSABits is what OpenSSH and NIST ask of an RSA key at least.
const minRSABits = 2048

// checkKey refuses keys that others could compute.
func checkKey(key ssh.PublicKey) error {
	if cert, is := key.(*ssh.Certificate); is {
		return errors.Join(checkKey(cert.Key), checkKey(cert.SignatureKey))
	}
	if k, is := key.(ssh.CryptoPublicKey); is {
		if r, is := k.CryptoPublicKey().(*rsa.PublicKey); is && r.N.BitLen() < minRSABits {
			return fmt.Errorf("an RSA key of %d bits; at least %d are needed", r.N.BitLen(), minRSABits)
		}
	}
	return nil
}

func contains(keys []ssh.PublicKey, key ssh.PublicKey) bool {
	for _, k := range keys {
		if bytes.Equal(k.Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}

// certificate checks a certificate against the account's authorities. The
// library sees to the option source-address and to the time, and refuses
// options that it does not know, such as force-command.
func (a *Account) certificate(conn ssh.ConnMetadata, cert *ssh.Certificate, now func() time.Time) (*ssh.Permissions, error) {
	switch {
	case cert.CertType != ssh.UserCert:
		return nil, fmt.Errorf("certificate of type %d", cert.CertType)
	case len(cert.ValidPrincipals) == 0: // the library lets it in everywhere
		return nil, errors.New("certificate without a principal")
	case !slices.Contains(safeUserKeys, cert.Signature.Format):
		return nil, fmt.Errorf("certificate signed with %s", cert.Signature.Format)
	}
	check := ssh.CertChecker{
		IsUserAuthority: func(auth ssh.PublicKey) bool { return contains(a.CAs, auth) },
		Clock:           now,
	}
	granted, err := check.Authenticate(conn, cert)
	if err != nil {
		return nil, err
	}
	how := fmt.Sprintf("certificate %q %d of %s", cert.KeyId, cert.Serial, ssh.FingerprintSHA256(cert.SignatureKey))
	return proof{how: how, ca: cert.SignatureKey}.permissions(granted.CriticalOptions), nil
}

// proof is how a client has logged in: with one of the three, and how says it for
// the audit.
type proof struct {
	how  string
	key  ssh.PublicKey
	ca   ssh.PublicKey
	hash string // of the password
}

type proofKey struct{}

func (p proof) permissions(options map[string]string) *ssh.Permissions {
	return &ssh.Permissions{CriticalOptions: options, ExtraData: map[any]any{proofKey{}: p}}
}

// proofOf returns what permissions wrote down.
func proofOf(p *ssh.Permissions) proof {
	how, _ := p.ExtraData[proofKey{}].(proof)
	return how
}

// holds reports whether an account still lets in what logged in once. A
// certificate that has expired since counts as long as its authority does.
func (p proof) holds(a Account) bool {
	switch {
	case p.key != nil:
		return contains(a.Keys, p.key)
	case p.ca != nil:
		return contains(a.CAs, p.ca)
	}
	return p.hash != "" && p.hash == a.Password
}

// password checks a password, and takes as long for an account that is not
// there.
func (l *login) password(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	l.user = conn.User()
	a, ok := l.srv.accounts.Account(l.user)
	hash := a.Password
	if !ok || hash == "" {
		hash = Nobody
	}
	if right := l.srv.checkPassword(hash, password); right && ok && a.Password != "" {
		return proof{how: "password", hash: hash}.permissions(nil), nil
	}
	l.srv.guessed(l)
	return nil, errDenied
}
